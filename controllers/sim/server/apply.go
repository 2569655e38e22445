package server

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
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
	if old != nil && old.had(r, sent, force) {
		return old, nil
	}
	live, err := r.prepareApply(old, sent)
	if err != nil {
		return nil, err
	}
	merged, err := r.k.fields[r.subresource].Apply(live, &unstructured.Unstructured{Object: runtime.DeepCopyJSON(sent)}, r.manager, force)
	if err != nil {
		return nil, plain(err)
	}
	u, _ := merged.(*unstructured.Unstructured)
	r.after = dated(u.GetManagedFields(), r.prior, r.s.now())
	next := editable(u.Object)
	delete(metadata(next), "managedFields")
	if old == nil {
		return r.create(ctx, next)
	}
	v, err := r.update(ctx, old, next)
	if v == old && r.apart && err == nil && text(metadata(sent), "resourceVersion") == "" {
		old.remember(r, sent, force)
	}
	return v, err
}

// prepareApply gives the object that is applied to, with its owners. Those of the status are left out, for who applies to
// the rest has nothing to do with them.
func (r *request) prepareApply(old *version, sent content) (*unstructured.Unstructured, error) {
	r.applies = true
	if old == nil {
		if uid := text(metadata(sent), "uid"); uid != "" {
			return nil, r.conflict(fmt.Sprintf("uid mismatch: the provided object specified uid %s, and no existing object was found", uid))
		}
		return r.k.empty(), nil
	}
	main, err := old.owners.main.of()
	if err != nil {
		return nil, err
	}
	if r.prior, r.apart = main, r.subresource == "" && len(main) > 0; !r.apart {
		if r.prior, err = old.owners.of(); err != nil {
			return nil, err
		}
	}
	live := r.s.withOwners(old.object.Object, r.prior)
	if r.apart {
		delete(live.Object, "status")
	}
	return live, nil
}

// plain is the refusal of an apply as clients see it.
func plain(err error) error {
	var refusal apierrors.APIStatus
	if errors.As(err, &refusal) {
		return err
	}
	return failed(err)
}

// applied is what somebody applied and what changed nothing. It changes nothing when it is applied again, until something
// else than the status does: agents apply the same all day.
type applied struct {
	user, manager string
	force         bool
	sent, to      content
}

func (v *version) had(r *request, sent content, force bool) bool {
	if r.subresource != "" || v.unclean {
		return false
	}
	for _, a := range v.owners.main.applied {
		if a.user == r.user && a.manager == r.manager && a.force == force && equalButStatus(a.to, v.object.Object) && equal(a.sent, sent) {
			return true
		}
	}
	return false
}

func (v *version) remember(r *request, sent content, force bool) {
	v.owners.main.applied = append(v.owners.main.applied, applied{r.user, r.manager, force, runtime.DeepCopyJSON(sent), v.object.Object})
}

// equalButStatus compares two states of one object.
func equalButStatus(a, b content) bool {
	for _, object := range []content{a, b} {
		for key := range object {
			if key != "metadata" && key != "status" && !equal(a[key], b[key]) {
				return false
			}
		}
	}
	m, n := metadata(a), metadata(b)
	for _, object := range []content{m, n} {
		for key := range object {
			if key != "resourceVersion" && !equal(m[key], n[key]) {
				return false
			}
		}
	}
	return true
}
