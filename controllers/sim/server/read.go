package server

import (
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// give hands an object to a client.
func (o *Objects) give(v *version, object runtime.Object, k *kind) error {
	switch object := object.(type) {
	case runtime.Unstructured:
		if o.lends {
			object.SetUnstructuredContent(editable(v.object.Object))
		} else {
			object.SetUnstructuredContent(runtime.DeepCopyJSON(v.object.Object))
		}
		return nil
	case *metav1.PartialObjectMetadata:
		*object = metav1.PartialObjectMetadata{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content{"metadata": v.object.Object["metadata"]}, object); err != nil {
			return err
		}
		object.SetGroupVersionKind(k.gvk)
		return nil
	}
	shared, err := v.as(o.schemas.scheme, k.gvk)
	if err != nil {
		return err
	}
	if !o.lends {
		shared = shared.DeepCopyObject()
	}
	from, to := reflect.ValueOf(shared), reflect.ValueOf(object)
	if from.Type() != to.Type() {
		return fmt.Errorf("%T cannot hold a %s, %T can", object, k.gvk.Kind, shared)
	}
	to.Elem().Set(from.Elem())
	return nil
}

// choose keeps the rows that a list asks for.
func choose(rows []row, options *client.ListOptions) ([]row, error) {
	label, field := options.LabelSelector, options.FieldSelector
	if (label == nil || label.Empty()) && (field == nil || field.Empty()) {
		return rows, nil
	}
	var chosen []row
	for _, r := range rows {
		if label != nil && !label.Matches(labelsOf(r.version.object)) {
			continue
		}
		if field != nil && !field.Empty() {
			values, err := fieldsOf(r.version.object, field)
			if err != nil {
				return nil, err
			}
			if !field.Matches(values) {
				continue
			}
		}
		chosen = append(chosen, r)
	}
	return chosen, nil
}

// labelsOf reads labels in place.
type labelsIn map[string]any

func labelsOf(u *unstructured.Unstructured) labels.Labels {
	l, _ := metadata(u.Object)["labels"].(content)
	return labelsIn(l)
}

func (l labelsIn) Has(label string) bool { _, is := l[label]; return is }

func (l labelsIn) Get(label string) string { return text(l, label) }

func (l labelsIn) Lookup(label string) (string, bool) { return l.Get(label), l.Has(label) }

// fieldsOf has the fields that a selector asks for; any path of strings is understood.
func fieldsOf(u *unstructured.Unstructured, selector fields.Selector) (fields.Set, error) {
	set := fields.Set{}
	for _, r := range selector.Requirements() {
		value, _, err := unstructured.NestedString(u.Object, splitPath(r.Field)...)
		if err != nil {
			return nil, fmt.Errorf("field selector %s: %w", r.Field, err)
		}
		set[r.Field] = value
	}
	return set, nil
}

// fill makes the items of a list.
func fill(list runtime.Object, rows []row, read func(row, runtime.Object) error) error {
	if u, ok := list.(*unstructured.UnstructuredList); ok {
		u.Items = make([]unstructured.Unstructured, len(rows))
		for i, r := range rows {
			if err := read(r, &u.Items[i]); err != nil {
				return err
			}
		}
		return nil
	}
	pointer, err := meta.GetItemsPtr(list)
	if err != nil {
		return err
	}
	items := reflect.ValueOf(pointer).Elem()
	items.Set(reflect.MakeSlice(items.Type(), len(rows), len(rows)))
	for i, r := range rows {
		item := items.Index(i)
		if item.Kind() != reflect.Pointer {
			item = item.Addr()
		} else {
			item.Set(reflect.New(item.Type().Elem()))
		}
		object, ok := item.Interface().(runtime.Object)
		if !ok {
			return fmt.Errorf("items of %T are no objects", list)
		}
		if err := read(r, object); err != nil {
			return err
		}
	}
	return nil
}
