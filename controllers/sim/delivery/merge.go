package delivery

import (
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// merged are the files that a revert wants at the head, or why there are none.
type merged struct {
	files      Files
	superseded []string // "file: path" that the head has something newer for
	blocked    []string // "file: why" that takes a person
}

func (m merged) clean() bool { return len(m.superseded)+len(m.blocked) == 0 }

// takeOut undoes in the head what changed from l to u in the named files.
func takeOut(l, u, head Files, changed []string) merged {
	m := merged{files: maps.Clone(head)}
	for _, name := range changed {
		from, to, have := l[name], u[name], head[name]
		switch {
		case idOf(have) == idOf(to):
			m.put(name, from)
		case idOf(have) == idOf(from):
		default:
			m.resolve(name, from, to, have)
		}
	}
	return m
}

func (m *merged) put(name string, f *File) {
	if f == nil {
		delete(m.files, name)
		return
	}
	m.files[name] = f
}

// resolve undoes the change field by field in a file that the head has in a third state.
func (m *merged) resolve(name string, from, to, have *File) {
	switch {
	case have == nil:
		m.blocked = append(m.blocked, name+": it was deleted since")
		return
	case from == nil || to == nil:
		m.blocked = append(m.blocked, name+": it was added or deleted by the failed change and edited since")
		return
	case from.text || to.text || have.text:
		m.blocked = append(m.blocked, name+": it is no YAML file and was changed since in the same place")
		return
	}
	var v inverse
	documents := v.documents(to.objects, from.objects, have.objects)
	if len(v.structural) > 0 {
		m.blocked = append(m.blocked, name+": more than values changed at "+strings.Join(v.structural, ", "))
		return
	}
	for _, path := range v.superseded {
		m.superseded = append(m.superseded, name+": "+path)
	}
	m.files[name] = Manifest(documents...)
}

// documents undoes a change of a file's objects, matched by what they are called.
func (v *inverse) documents(u, l, h []*unstructured.Unstructured) []*unstructured.Unstructured {
	contents := func(objects []*unstructured.Unstructured) []any {
		out := make([]any, len(objects))
		for i, o := range objects {
			out[i] = o.Object
		}
		return out
	}
	items, ok := v.named("", contents(u), contents(l), contents(h), func(item any) (string, bool) {
		content, ok := item.(map[string]any)
		if !ok {
			return "", false
		}
		o := unstructured.Unstructured{Object: content}
		return strings.Join([]string{o.GetAPIVersion(), o.GetKind(), o.GetNamespace(), o.GetName()}, " "), true
	})
	if !ok {
		v.structural = append(v.structural, "the documents of the file")
		return nil
	}
	var out []*unstructured.Unstructured
	for _, item := range items {
		if content, ok := item.(map[string]any); ok {
			out = append(out, &unstructured.Unstructured{Object: content})
		}
	}
	return out
}
