package server

import (
	"sync/atomic"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// version is one state of one object. It never changes, so that the store, every cache and every event share it.
type version struct {
	object *unstructured.Unstructured // without managedFields
	owners *owners
	// unclean says that admission left something empty that is not shown and that the next write drops: that is a change.
	unclean bool
	// decoded is the object as its Go type, made at the first read that wants it.
	decoded atomic.Pointer[decoded]
	// seal is the text of the object when it was stored; empty: nobody wants to know whether it changes.
	seal string
}

type decoded struct{ object runtime.Object }

func newVersion(c content, o *owners) *version {
	return &version{object: &unstructured.Unstructured{Object: c}, owners: o}
}

// as decodes the object once. What it gives is shared: copy it.
func (v *version) as(scheme *runtime.Scheme, gvk schema.GroupVersionKind) (runtime.Object, error) {
	if d := v.decoded.Load(); d != nil {
		return d.object, nil
	}
	object, err := scheme.New(gvk)
	if err != nil {
		return nil, err
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(v.object.Object, object); err != nil {
		return nil, err
	}
	v.decoded.Store(&decoded{object})
	return object, nil
}
