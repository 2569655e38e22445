package admission

import (
	"reflect"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// apply carries out a JSON patch (RFC 6902) on the object. What lies on the path of an operation is copied, the rest is
// shared, and where nothing changes the result is the object itself. Not done is what RFC 6902 forbids, and what the
// library does beyond it: that is left to the library, to be carried out or refused.
func (e *evaluation) apply(operations []operation, known bool) (result *unstructured.Unstructured, done bool) {
	if !known {
		return nil, false
	}
	var root any = e.object.Object
	changed := false
	for i := range operations {
		next, verdict := operations[i].apply(root)
		switch verdict {
		case impossible:
			return nil, false
		case different:
			root, changed = next, true
		case failedTest:
			// The whole patch is not applied then, and that is no error.
			return e.object, true
		case equal:
		}
	}
	if !changed {
		return e.object, true
	}
	if e.shape != nil {
		for i := range operations {
			root, _ = tidy(root, e.shape, operations[i].path)
		}
	}
	return &unstructured.Unstructured{Object: root.(map[string]any)}, true
}

// verdict tells what an operation came to.
type verdict int

const (
	equal verdict = iota
	different
	failedTest
	impossible
)

func (o *operation) apply(root any) (any, verdict) {
	switch o.op {
	case "add":
		return put(root, o.path, o.value, false)
	case "replace":
		return put(root, o.path, o.value, true)
	case "remove":
		return remove(root, o.path)
	case "test":
		if found, is := find(root, o.path); !is {
			return root, impossible
		} else if !reflect.DeepEqual(found, o.value) {
			return root, failedTest
		}
		return root, equal
	case "copy":
		return o.copy(root, root)
	case "move":
		without, verdict := remove(root, o.from)
		if verdict == impossible {
			return root, impossible
		}
		moved, verdict := o.copy(root, without)
		if verdict == equal {
			return without, different
		}
		return moved, verdict
	default:
		return root, impossible
	}
}

// copy takes the value from one tree and puts it into another.
func (o *operation) copy(from, to any) (any, verdict) {
	value, is := find(from, o.from)
	if !is || o.from == "" {
		return to, impossible
	}
	return put(to, o.path, value, false)
}

// put sets a value; what is already equal stays as it is. With existing, there must be one already.
func put(root any, path string, value any, existing bool) (any, verdict) {
	return edit(root, path, func(parent any, key string) (any, verdict) {
		switch container := parent.(type) {
		case map[string]any:
			before, is := container[key]
			switch {
			case is && reflect.DeepEqual(before, value):
				return container, equal
			case !is && existing:
				return nil, impossible
			}
			return withKey(container, key, value), different
		case []any:
			return putItem(container, key, value, existing)
		default:
			return nil, impossible
		}
	})
}

func putItem(list []any, key string, value any, existing bool) (any, verdict) {
	at, is := index(key, len(list))
	switch {
	case existing && is && reflect.DeepEqual(list[at], value):
		return list, equal
	case existing && is:
		return withItem(list, at, value), different
	case existing:
		return nil, impossible
	case key == "-" || key == strconv.Itoa(len(list)):
		at = len(list)
	case !is:
		return nil, impossible
	}
	longer := make([]any, 0, len(list)+1)
	longer = append(append(append(longer, list[:at]...), value), list[at:]...)
	return longer, different
}

func remove(root any, path string) (any, verdict) {
	return edit(root, path, func(parent any, key string) (any, verdict) {
		switch container := parent.(type) {
		case map[string]any:
			if _, is := container[key]; !is {
				return nil, impossible
			}
			return withoutKey(container, key), different
		case []any:
			at, is := index(key, len(container))
			if !is {
				return nil, impossible
			}
			shorter := make([]any, 0, len(container)-1)
			return append(append(shorter, container[:at]...), container[at+1:]...), different
		default:
			return nil, impossible
		}
	})
}

// edit changes the container that holds the last part of the path, and copies those above it.
func edit(node any, path string, change func(parent any, key string) (any, verdict)) (any, verdict) {
	key, rest, ok := cut(path)
	if !ok {
		return nil, impossible
	}
	if rest == "" {
		return change(node, key)
	}
	child, is := childOf(node, key)
	if !is {
		return nil, impossible
	}
	edited, verdict := edit(child, rest, change)
	if verdict != different {
		return node, verdict
	}
	return withChild(node, key, edited), different
}

func find(node any, path string) (any, bool) {
	for path != "" {
		key, rest, ok := cut(path)
		if !ok {
			return nil, false
		}
		if node, ok = childOf(node, key); !ok {
			return nil, false
		}
		path = rest
	}
	return node, true
}

// cut takes the first part off a path.
func cut(path string) (key, rest string, ok bool) {
	if path == "" || path[0] != '/' {
		return "", "", false
	}
	path = path[1:]
	if end := strings.IndexByte(path, '/'); end >= 0 {
		path, rest = path[:end], path[end:]
	}
	if strings.IndexByte(path, '~') >= 0 {
		path = strings.ReplaceAll(strings.ReplaceAll(path, "~1", "/"), "~0", "~")
	}
	return path, rest, true
}

func childOf(node any, key string) (any, bool) {
	switch container := node.(type) {
	case map[string]any:
		child, is := container[key]
		return child, is
	case []any:
		if at, is := index(key, len(container)); is {
			return container[at], true
		}
	}
	return nil, false
}

// index reads the position of an item that is there, written as RFC 6902 wants it.
func index(key string, length int) (int, bool) {
	at, err := strconv.Atoi(key)
	return at, err == nil && at >= 0 && at < length && strconv.Itoa(at) == key
}
