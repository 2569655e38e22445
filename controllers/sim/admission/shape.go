package admission

import (
	"encoding/json"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// The server keeps built-in kinds as Go values, so what a patch leaves empty there is gone: an annotation map without
// entries, `paused: false`. Custom kinds are stored as they are; a map left empty is gone once the object is read again.

// shapeOf is the Go type of a built-in kind, nil for others.
func shapeOf(kind schema.GroupVersionKind) reflect.Type { return scheme.Scheme.AllKnownTypes()[kind] }

// tidy drops what is empty on a path of the tree where the Go type would drop it.
func tidy(node any, shape reflect.Type, path string) (tidied any, changed bool) {
	shape = dereferenced(shape)
	if reflect.PointerTo(shape).Implements(marshaler) {
		return node, false
	}
	key, rest, ok := cut(path)
	child, is := childOf(node, key)
	if !ok || !is {
		return node, false
	}
	inner := field{}
	switch shape.Kind() {
	case reflect.Struct:
		if inner, is = fieldOf(shape, key); !is {
			return node, false
		}
	case reflect.Map, reflect.Slice:
		inner.shape = shape.Elem()
	default:
		return node, false
	}
	child, changed = tidy(child, inner.shape, rest)
	if inner.omit && isEmpty(child, inner.shape) {
		return withoutKey(node.(map[string]any), key), true
	}
	if changed {
		return withChild(node, key, child), true
	}
	return node, false
}

var marshaler = reflect.TypeFor[json.Marshaler]()

func dereferenced(shape reflect.Type) reflect.Type {
	for shape.Kind() == reflect.Pointer {
		shape = shape.Elem()
	}
	return shape
}

type field struct {
	shape reflect.Type
	omit  bool
}

func fieldOf(shape reflect.Type, name string) (field, bool) {
	for i := range shape.NumField() {
		f := shape.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && tag == "" {
			if found, is := fieldOf(dereferenced(f.Type), name); is {
				return found, true
			}
		}
		if tag == name {
			return field{f.Type, strings.Contains(options, "omitempty")}, true
		}
	}
	return field{}, false
}

// isEmpty tells what omitempty drops: a pointer only where there is nothing at all.
func isEmpty(value any, shape reflect.Type) bool {
	if value == nil {
		return true
	}
	switch shape.Kind() {
	case reflect.Map:
		content, is := value.(map[string]any)
		return is && len(content) == 0
	case reflect.Slice:
		content, is := value.([]any)
		return is && len(content) == 0
	case reflect.Pointer, reflect.Interface, reflect.Struct:
		return false
	default:
		return reflect.ValueOf(value).IsZero()
	}
}
