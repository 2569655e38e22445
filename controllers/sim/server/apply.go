package server

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// apply is server-side apply: the manager says what it wants to have said, and owns it.
func (r *request) apply(ctx context.Context, sent content, force bool) (*version, error) {
	if r.manager == "" {
		return nil, apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: "PatchOptions"}, "", field.ErrorList{
			field.Required(field.NewPath("fieldManager"), "is required for apply patch"),
		})
	}
	old := r.s.objects.version(r.key)
	live := r.k.empty()
	var before []metav1.ManagedFieldsEntry
	if old != nil {
		var err error
		if before, err = old.owners.of(); err != nil {
			return nil, err
		}
		live = withOwners(old.object.Object, before)
	} else if uid := text(metadata(sent), "uid"); uid != "" {
		return nil, r.conflict(fmt.Sprintf("uid mismatch: the provided object specified uid %s, and no existing object was found", uid))
	}
	merged, err := r.k.fields[r.subresource].Apply(live, &unstructured.Unstructured{Object: sent}, r.manager, force)
	var refusal apierrors.APIStatus
	if err != nil && !errors.As(err, &refusal) {
		return nil, failed(err)
	}
	if err != nil {
		return nil, err
	}
	r.applies, r.before = true, old
	u, _ := merged.(*unstructured.Unstructured)
	r.owners = &owners{known: true, entries: dated(u.GetManagedFields(), before, r.s.now())}
	if old == nil {
		return r.create(ctx, u.Object)
	}
	return r.update(ctx, old, editable(u.Object))
}
