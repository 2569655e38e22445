package server

import (
	"context"
	"encoding/json"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// connection is a user's access to a server.
type connection struct {
	s    *Server
	user string
}

// Client reads what is stored now and writes as user. A write that names no field owner is owned by the user's name.
func (s *Server) Client(user string) client.WithWatch { return &connection{s: s, user: user} }

func (c *connection) Scheme() *runtime.Scheme     { return c.s.schemas.scheme }
func (c *connection) RESTMapper() meta.RESTMapper { return c.s.schemas.mapper }
func (c *connection) Status() client.SubResourceWriter {
	return c.SubResource(statusSubresource)
}

func (c *connection) SubResource(name string) client.SubResourceClient {
	return &subresource{connection: c, name: name}
}

func (c *connection) GroupVersionKindFor(object runtime.Object) (schema.GroupVersionKind, error) {
	return c.s.schemas.gvk(object)
}

func (c *connection) IsObjectNamespaced(object runtime.Object) (bool, error) {
	k, err := c.s.schemas.of(object)
	if err != nil {
		return false, err
	}
	return k.namespaced, nil
}

// Get reads one object.
func (c *connection) Get(ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.s.writing.Lock()
	defer c.s.writing.Unlock()
	k, err := c.s.schemas.of(object)
	if err != nil {
		return err
	}
	v := c.s.objects.version(k.key(key.Namespace, key.Name))
	if v == nil || !c.s.showOwners {
		return untyped(object, c.s.objects.Get(ctx, key, object, opts...))
	}
	if v, err = c.s.shown(v); err != nil {
		return err
	}
	return untyped(object, v.into(object, c.s.schemas.scheme, k))
}

// List reads many.
func (c *connection) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.s.writing.Lock()
	defer c.s.writing.Unlock()
	if err := c.s.objects.List(ctx, list, opts...); err != nil {
		return err
	}
	return meta.EachListItem(list, func(item runtime.Object) error { return untyped(item, nil) })
}

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

// answer gives a client the object as it was stored.
func (r *request) answer(v *version, err error, object client.Object) error {
	if err != nil {
		return err
	}
	v, err = r.s.shown(v)
	if err != nil {
		return err
	}
	return untyped(object, v.into(object, r.s.schemas.scheme, r.k))
}

// untyped takes the kind out of a Go type, as answers of the real server have it: only caches fill it in.
func untyped(object runtime.Object, err error) error {
	switch object.(type) {
	case runtime.Unstructured, *metav1.PartialObjectMetadata:
	default:
		object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	}
	return err
}

// shown is a version as clients see it.
func (s *Server) shown(v *version) (*version, error) {
	if !s.showOwners {
		return v, nil
	}
	entries, err := v.owners.of()
	if err != nil || len(entries) == 0 {
		return v, err
	}
	return newVersion(withOwners(v.object.Object, entries).Object, v.owners), nil
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
		return r.applyRaw(ctx, data, o.Force, func(v *version) error { return r.answer(v, nil, object) })
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

// Apply is server-side apply.
func (c *connection) Apply(ctx context.Context, configuration runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
	o := (&client.ApplyOptions{}).ApplyOptions(opts)
	return c.apply(ctx, configuration, o, "")
}

func (c *connection) apply(ctx context.Context, configuration runtime.ApplyConfiguration, o *client.ApplyOptions, subresource string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	data, err := json.Marshal(configuration)
	if err != nil {
		return err
	}
	named := &unstructured.Unstructured{}
	if err := named.UnmarshalJSON(data); err != nil {
		return err
	}
	r, err := c.request(named, o.DryRun, "")
	if err != nil {
		return err
	}
	r.subresource, r.manager = subresource, o.FieldManager
	return r.applyRaw(ctx, data, o.Force, func(v *version) error {
		answer := &unstructured.Unstructured{}
		if err := r.answer(v, nil, answer); err != nil {
			return err
		}
		text, err := answer.MarshalJSON()
		if err != nil {
			return err
		}
		return json.Unmarshal(text, configuration)
	})
}

// applyRaw applies what was sent as JSON.
func (r *request) applyRaw(ctx context.Context, data []byte, force *bool, answer func(*version) error) error {
	var sent content
	if err := utiljson.Unmarshal(data, &sent); err != nil {
		return err
	}
	v, err := r.do(func() (*version, error) { return r.apply(ctx, sent, ptr.Deref(force, false)) })
	if err != nil {
		return whole(err)
	}
	return answer(v)
}

// whole is the refusal of an object that was sent as a whole.
func whole(err error) error {
	var misfit *unreadable
	if errors.As(err, &misfit) {
		return misfit.sent()
	}
	return err
}
