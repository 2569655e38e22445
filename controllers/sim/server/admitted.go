package server

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apiserver/pkg/admission"
)

// admitted is the object after admission; it may share with what was given.
func (r *request) admitted(ctx context.Context, op admission.Operation, next, old content) (content, error) {
	if r.s.admit == nil {
		return next, nil
	}
	a := Request{
		Operation: op, Kind: r.k.gvk, Resource: r.k.resource, Subresource: r.subresource,
		Namespace: r.key.Namespace, Name: r.key.Name, User: r.user, DryRun: r.dryRun,
	}
	if next != nil {
		a.Object = &unstructured.Unstructured{Object: next}
	}
	if old != nil {
		a.Old = &unstructured.Unstructured{Object: old}
	}
	if r.applies {
		return r.admittedWithOwners(ctx, a)
	}
	if op != admission.Delete {
		r.question = &a
	}
	object, err := r.s.admit(ctx, a, r.s.objects)
	if err != nil || object == nil || object == a.Object {
		return next, err
	}
	r.unclean = r.k.leavesEmpty(metadata(next), metadata(object.Object))
	return r.reread(editable(object.Object), next)
}

// admittedWithOwners lets admission see and change who owns what.
func (r *request) admittedWithOwners(ctx context.Context, a Request) (content, error) {
	next := a.Object.Object
	a.Object = r.s.withOwners(next, r.after)
	if a.Old != nil {
		a.Old = r.s.withOwners(a.Old.Object, r.prior)
	}
	object, err := r.s.admit(ctx, a, r.s.objects)
	if err != nil || object == nil || object == a.Object {
		return next, err
	}
	r.unclean = r.k.leavesEmpty(metadata(next), metadata(object.Object))
	changed := editable(object.Object)
	r.after = object.GetManagedFields()
	delete(metadata(changed), "managedFields")
	return r.reread(changed, next)
}

// leavesEmpty: what admission makes of a custom kind is stored as it is, also a map of which it took the last key away.
func (k *kind) leavesEmpty(before, after content) bool {
	if k.form.patchable() != nil {
		return false
	}
	for _, field := range []string{"annotations", "labels"} {
		had, _ := before[field].(content)
		has, _ := after[field].(content)
		if len(had) > 0 && len(has) == 0 {
			return true
		}
	}
	return false
}
