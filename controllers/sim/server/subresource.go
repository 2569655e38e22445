package server

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// subresource writes the status of objects.
type subresource struct {
	*connection
	name string
}

// Get has nothing to read: a status is read with its object.
func (c *subresource) Get(_ context.Context, object, _ client.Object, _ ...client.SubResourceGetOption) error {
	return c.unknown(object)
}

// Create has nothing to create.
func (c *subresource) Create(_ context.Context, object, _ client.Object, _ ...client.SubResourceCreateOption) error {
	return c.unknown(object)
}

func (c *subresource) unknown(object client.Object) error {
	if _, err := c.s.schemas.of(object); err != nil {
		return err
	}
	return noSubresource()
}

// Update replaces the status.
func (c *subresource) Update(ctx context.Context, object client.Object, opts ...client.SubResourceUpdateOption) error {
	o := (&client.SubResourceUpdateOptions{}).ApplyOptions(opts)
	body := object
	if o.SubResourceBody != nil {
		body = o.SubResourceBody
	}
	r, sent, err := c.send(ctx, body, o.DryRun, o.FieldManager, o.FieldValidation)
	if err != nil {
		return err
	}
	if c.name != statusSubresource || !r.k.hasStatus {
		return noSubresource()
	}
	r.subresource = c.name
	v, err := r.do(func() (*version, error) { return r.replace(ctx, sent) })
	return r.answer(v, whole(err), body)
}

// Patch changes the status.
func (c *subresource) Patch(ctx context.Context, object client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
	o := (&client.SubResourcePatchOptions{}).ApplyOptions(opts)
	body := object
	if o.SubResourceBody != nil {
		body = o.SubResourceBody
	}
	if c.name != statusSubresource {
		return c.unknown(object)
	}
	return c.patch(ctx, body, patch, &o.PatchOptions, c.name)
}

// Apply is server-side apply of a status.
func (c *subresource) Apply(ctx context.Context, configuration runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
	o := (&client.SubResourceApplyOptions{}).ApplyOpts(opts)
	if o.SubResourceBody != nil {
		configuration = o.SubResourceBody
	}
	if c.name != statusSubresource {
		return fmt.Errorf("a subresource %q cannot be applied; %q can", c.name, statusSubresource)
	}
	return c.apply(ctx, configuration, &o.ApplyOptions, c.name)
}
