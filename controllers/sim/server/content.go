package server

import (
	"maps"
	"reflect"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime"
)

// editable is a copy of which the top level and the metadata may be changed.
func editable(c content) content {
	out := maps.Clone(c)
	if m, ok := c["metadata"].(content); ok {
		out["metadata"] = maps.Clone(m)
	} else {
		out["metadata"] = content{}
	}
	return out
}

// copied is a map that may be changed.
func copied(c content) content { return maps.Clone(c) }

func metadata(c content) content {
	m, _ := c["metadata"].(content)
	return m
}

func text(c content, field string) string {
	s, _ := c[field].(string)
	return s
}

func number(c content, field string) int64 {
	n, _ := c[field].(int64)
	return n
}

func length(c content, field string) int {
	l, _ := c[field].([]any)
	return len(l)
}

// put sets a field, or removes it when there is no value.
func put(c content, field string, value any, is bool) {
	if is {
		c[field] = value
		return
	}
	delete(c, field)
}

// keep takes fields over from another object.
func keep(to, from content, fields ...string) {
	for _, field := range fields {
		value, is := from[field]
		put(to, field, value, is)
	}
}

// resourceVersion of an object; zero: it names none.
func resourceVersion(c content) (int64, error) {
	rv := text(metadata(c), "resourceVersion")
	if rv == "" {
		return 0, nil
	}
	return strconv.ParseInt(rv, 10, 64)
}

// equal compares two values of JSON.
func equal(a, b any) bool {
	switch a := a.(type) {
	case content:
		b, ok := b.(content)
		return ok && equalMaps(a, b)
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equal(a[i], b[i]) {
				return false
			}
		}
		return true
	}
	return a == b
}

func equalMaps(a, b content) bool {
	if len(a) != len(b) {
		return false
	}
	if reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer() {
		return true // versions share what a write did not touch
	}
	for key, value := range a {
		other, is := b[key]
		if !is || !equal(value, other) {
			return false
		}
	}
	return true
}

// fromObject is the JSON of any object that a client holds. It shares nothing with it.
func fromObject(object runtime.Object) (content, error) {
	if u, ok := object.(runtime.Unstructured); ok {
		return runtime.DeepCopyJSON(u.UnstructuredContent()), nil
	}
	return runtime.DefaultUnstructuredConverter.ToUnstructured(object)
}
