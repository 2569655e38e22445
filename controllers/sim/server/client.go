package server

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
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
	return untyped(object, c.s.objects.give(v, object, k))
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

// untyped takes the kind out of a Go type, as answers of the real server have it: only caches fill it in.
func untyped(object runtime.Object, err error) error {
	switch object.(type) {
	case runtime.Unstructured, *metav1.PartialObjectMetadata:
	default:
		object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	}
	return err
}

// show is shown for whoever does not hold the server.
func (s *Server) show(v *version) (*version, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.shown(v)
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
	return newVersion(s.withOwners(v.object.Object, entries).Object, v.owners), nil
}
