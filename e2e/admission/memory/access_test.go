package memory

import (
	"context"
	"encoding/json"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// access makes a client of the server in memory look like one of the real server, for one user.
type access struct {
	world  *world
	client client.WithWatch
}

var _ dynamic.Interface = access{}

func (a access) Resource(resource schema.GroupVersionResource) dynamic.NamespaceableResourceInterface {
	return objects{access: a, resource: resource}
}

// objects are those of one resource, in a namespace or in none.
type objects struct {
	access
	resource  schema.GroupVersionResource
	namespace string
}

func (o objects) Namespace(namespace string) dynamic.ResourceInterface {
	o.namespace = namespace
	return o
}

var errUnused = errors.New("no outcome needs this call; it is not passed on to the server in memory")

// named is an object that has only its kind and name.
func (o objects) named(name string) (*unstructured.Unstructured, error) {
	kind, err := o.client.RESTMapper().KindFor(o.resource)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	object.SetNamespace(o.namespace)
	object.SetName(name)
	return object, nil
}

func (o objects) Create(ctx context.Context, object *unstructured.Unstructured, options metav1.CreateOptions, _ ...string) (*unstructured.Unstructured, error) {
	if o.resource.Group == "rbac.authorization.k8s.io" {
		return object, o.world.rights.add(object)
	}
	sent := object.DeepCopy()
	sent.SetNamespace(o.namespace)
	err := o.client.Create(ctx, sent, &client.CreateOptions{DryRun: options.DryRun, FieldManager: options.FieldManager})
	o.world.settle()
	return sent, err
}

func (o objects) Update(ctx context.Context, object *unstructured.Unstructured, options metav1.UpdateOptions, _ ...string) (*unstructured.Unstructured, error) {
	sent := object.DeepCopy()
	sent.SetNamespace(o.namespace)
	err := o.client.Update(ctx, sent, &client.UpdateOptions{DryRun: options.DryRun, FieldManager: options.FieldManager})
	o.world.settle()
	return sent, err
}

func (o objects) Patch(ctx context.Context, name string, kind types.PatchType, data []byte, options metav1.PatchOptions, subresources ...string) (*unstructured.Unstructured, error) {
	object, err := o.named(name)
	if err != nil {
		return nil, err
	}
	patch := client.RawPatch(kind, data)
	with := client.PatchOptions{DryRun: options.DryRun, FieldManager: options.FieldManager, Force: options.Force}
	if len(subresources) > 0 && subresources[0] == "status" {
		err = o.client.Status().Patch(ctx, object, patch, &client.SubResourcePatchOptions{PatchOptions: with})
	} else {
		// The server in memory has no scale: the number in the object itself is what comes nearest.
		err = o.client.Patch(ctx, object, patch, &with)
	}
	o.world.settle()
	return object, err
}

func (o objects) Apply(ctx context.Context, name string, object *unstructured.Unstructured, options metav1.ApplyOptions, _ ...string) (*unstructured.Unstructured, error) {
	data, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	force := options.Force
	return o.Patch(ctx, name, types.ApplyPatchType, data, metav1.PatchOptions{DryRun: options.DryRun, FieldManager: options.FieldManager, Force: &force})
}

func (o objects) Delete(ctx context.Context, name string, _ metav1.DeleteOptions, _ ...string) error {
	object, err := o.named(name)
	if err != nil {
		return err
	}
	err = o.client.Delete(ctx, object)
	o.world.settle()
	return err
}

func (o objects) Get(ctx context.Context, name string, _ metav1.GetOptions, _ ...string) (*unstructured.Unstructured, error) {
	object, err := o.named(name)
	if err != nil {
		return nil, err
	}
	return object, o.client.Get(ctx, client.ObjectKeyFromObject(object), object)
}

func (o objects) List(ctx context.Context, _ metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	kind, err := o.client.RESTMapper().KindFor(o.resource)
	if err != nil {
		return nil, err
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	return list, o.client.List(ctx, list, client.InNamespace(o.namespace))
}

func (o objects) UpdateStatus(context.Context, *unstructured.Unstructured, metav1.UpdateOptions) (*unstructured.Unstructured, error) {
	return nil, errUnused
}

func (o objects) ApplyStatus(context.Context, string, *unstructured.Unstructured, metav1.ApplyOptions) (*unstructured.Unstructured, error) {
	return nil, errUnused
}

func (o objects) DeleteCollection(context.Context, metav1.DeleteOptions, metav1.ListOptions) error {
	return errUnused
}

func (o objects) Watch(context.Context, metav1.ListOptions) (watch.Interface, error) {
	return nil, errUnused
}
