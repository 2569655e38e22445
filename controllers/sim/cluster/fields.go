package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// fields is the JSON of an object or of a part of it. Stored objects are shared: nothing here changes what it is given.
type fields = map[string]any

// at reads a field, nil if there is none.
func at(f fields, path ...string) any {
	var value any = f
	for _, name := range path {
		inside, ok := value.(fields)
		if !ok {
			return nil
		}
		value = inside[name]
	}
	return value
}

func part(f fields, path ...string) fields {
	inside, _ := at(f, path...).(fields)
	return inside
}

func text(f fields, path ...string) string {
	s, _ := at(f, path...).(string)
	return s
}

func number(f fields, path ...string) int32 {
	n, _ := at(f, path...).(int64)
	return int32(n)
}

func flag(f fields, path ...string) bool {
	b, _ := at(f, path...).(bool)
	return b
}

// list gives the objects of a list.
func list(f fields, path ...string) []fields {
	items, _ := at(f, path...).([]any)
	var out []fields
	for _, item := range items {
		if inside, ok := item.(fields); ok {
			out = append(out, inside)
		}
	}
	return out
}

func moment(f fields, path ...string) time.Time {
	t, err := time.Parse(time.RFC3339, text(f, path...))
	if err != nil {
		return time.Time{}
	}
	return t
}

func words(f fields, path ...string) map[string]string {
	inside := part(f, path...)
	out := make(map[string]string, len(inside))
	for key, value := range inside {
		if s, ok := value.(string); ok {
			out[key] = s
		}
	}
	return out
}

func anything(of map[string]string) fields {
	out := make(fields, len(of))
	for key, value := range of {
		out[key] = value
	}
	return out
}

// with gives a copy in which one field is another. All that is not on the path is shared.
func with(f fields, value any, path ...string) fields {
	out := maps.Clone(f)
	if out == nil {
		out = fields{}
	}
	if len(path) > 1 {
		inside, _ := out[path[0]].(fields)
		value = with(inside, value, path[1:]...)
	}
	out[path[0]] = value
	return out
}

// edited is a version of an object that is going to be written.
func edited(u *unstructured.Unstructured, value any, path ...string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: with(u.Object, value, path...)}
}

// selectorOf compiles a label selector.
func selectorOf(f fields) labels.Selector {
	if _, has := f["matchExpressions"]; !has {
		return labels.SelectorFromSet(words(f, "matchLabels"))
	}
	var selector metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(f, &selector); err != nil {
		return labels.Nothing()
	}
	compiled, err := metav1.LabelSelectorAsSelector(&selector)
	if err != nil {
		return labels.Nothing()
	}
	return compiled
}

// scaled resolves a number or a share of something.
func scaled(value any, otherwise string, of int32, up bool) int32 {
	if value == nil {
		value = otherwise
	}
	parsed := intstr.Parse(fmt.Sprint(value))
	n, err := intstr.GetScaledValueFromIntOrPercent(&parsed, int(of), up)
	if err != nil {
		return 0
	}
	return int32(n)
}

// fingerprint is the same text for two pod templates that the Deployment's controller takes for equal: the hash does not
// count. The server stores all templates in one form, so nothing else has to be evened out.
func fingerprint(template fields) string { return string(appendValue(nil, template)) }

func appendValue(to []byte, value any) []byte {
	switch v := value.(type) {
	case fields:
		to = append(to, '{')
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if key != hashKey {
				to = append(appendValue(append(append(to, key...), ':'), v[key]), ',')
			}
		}
		return append(to, '}')
	case []any:
		to = append(to, '[')
		for _, item := range v {
			to = append(appendValue(to, item), ',')
		}
		return append(to, ']')
	case string:
		return strconv.AppendQuote(to, v)
	case int64:
		return strconv.AppendInt(to, v, 10)
	}
	return fmt.Append(to, value)
}
