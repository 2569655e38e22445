package server

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// request begins a write of an object.
func (c *connection) request(object client.Object, dryRun []string, owner string) (*request, error) {
	k, err := c.s.schemas.of(object)
	if err != nil {
		return nil, err
	}
	if owner == "" {
		owner = c.user
	}
	return &request{
		s: c.s, k: k, key: k.key(object.GetNamespace(), object.GetName()), user: c.user, manager: owner, dryRun: len(dryRun) > 0,
	}, nil
}

// send begins a write of a whole object.
func (c *connection) send(ctx context.Context, object client.Object, dryRun []string, owner, validation string) (*request, content, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	r, err := c.request(object, dryRun, owner)
	if err != nil {
		return nil, nil, err
	}
	r.strict = validation == metav1.FieldValidationStrict
	sent, err := fromObject(object)
	return r, sent, err
}

// Create stores a new object.
func (c *connection) Create(ctx context.Context, object client.Object, opts ...client.CreateOption) error {
	o := (&client.CreateOptions{}).ApplyOptions(opts)
	r, sent, err := c.send(ctx, object, o.DryRun, o.FieldManager, o.FieldValidation)
	if err != nil {
		return err
	}
	v, err := r.do(func() (*version, error) { return r.create(ctx, sent) })
	return r.answer(v, whole(err), object)
}

// Update replaces an object.
func (c *connection) Update(ctx context.Context, object client.Object, opts ...client.UpdateOption) error {
	o := (&client.UpdateOptions{}).ApplyOptions(opts)
	r, sent, err := c.send(ctx, object, o.DryRun, o.FieldManager, o.FieldValidation)
	if err != nil {
		return err
	}
	v, err := r.do(func() (*version, error) { return r.replace(ctx, sent) })
	return r.answer(v, whole(err), object)
}

// Patch changes an object.
func (c *connection) Patch(ctx context.Context, object client.Object, patch client.Patch, opts ...client.PatchOption) error {
	o := (&client.PatchOptions{}).ApplyOptions(opts)
	return c.patch(ctx, object, patch, o, "")
}

func (c *connection) patch(ctx context.Context, object client.Object, patch client.Patch, o *client.PatchOptions, subresource string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	data, err := patch.Data(object)
	if err != nil {
		return err
	}
	r, err := c.request(object, o.DryRun, o.FieldManager)
	if err != nil {
		return err
	}
	r.strict = o.FieldValidation == metav1.FieldValidationStrict
	if o.Force != nil && patch.Type() != types.ApplyPatchType {
		return apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: "PatchOptions"}, "", field.ErrorList{
			field.Forbidden(field.NewPath("force"), "may not be specified for non-apply patch"),
		})
	}
	if r.subresource = subresource; subresource != "" && !r.k.hasStatus {
		return noSubresource()
	}
	if patch.Type() == types.ApplyPatchType {
		r.manager = o.FieldManager
		return r.applyRaw(ctx, data, o.Force, func(v *version) error { return untyped(object, r.s.objects.give(v, object, r.k)) })
	}
	v, err := r.do(func() (*version, error) { return r.patch(ctx, patch.Type(), data) })
	return r.answer(v, err, object)
}

// Delete removes an object.
func (c *connection) Delete(ctx context.Context, object client.Object, opts ...client.DeleteOption) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o := (&client.DeleteOptions{}).ApplyOptions(opts)
	r, err := c.request(object, o.DryRun, "")
	if err != nil {
		return err
	}
	_, err = r.do(func() (*version, error) { return r.delete(ctx, o.AsDeleteOptions()) })
	return err
}

// DeleteAllOf removes all that are listed, one after the other.
func (c *connection) DeleteAllOf(ctx context.Context, object client.Object, opts ...client.DeleteAllOfOption) error {
	o := (&client.DeleteAllOfOptions{}).ApplyOptions(opts)
	k, err := c.s.schemas.of(object)
	if err != nil {
		return err
	}
	c.s.writing.Lock()
	chosen, err := choose(c.s.objects.within(k.gvk.GroupKind(), o.ListOptions.Namespace), &o.ListOptions)
	c.s.writing.Unlock()
	if err != nil {
		return err
	}
	for _, row := range chosen {
		one := &metav1.PartialObjectMetadata{}
		one.SetGroupVersionKind(k.gvk)
		one.Namespace, one.Name = row.version.object.GetNamespace(), row.version.object.GetName()
		if err := client.IgnoreNotFound(c.Delete(ctx, one, &o.DeleteOptions)); err != nil {
			return err
		}
	}
	return nil
}

// answer gives a client the object as it was stored.
func (r *request) answer(v *version, err error, object client.Object) error {
	if err != nil {
		return err
	}
	if v, err = r.s.show(v); err != nil {
		return err
	}
	return untyped(object, r.s.objects.give(v, object, r.k))
}

// whole is the refusal of an object that was sent as a whole.
func whole(err error) error {
	var misfit *unreadable
	if errors.As(err, &misfit) {
		return misfit.sent()
	}
	return err
}
