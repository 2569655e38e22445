package delivery

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// inverse undoes a change value by value.
type inverse struct {
	superseded []string // paths where the head has something newer
	structural []string // paths where more than a value changed
}

// absent is the value of a field that is not there.
type absent struct{}

// value is what the head has after the change from l to u was undone in it.
func (v *inverse) value(path string, u, l, h any) any {
	_, gone := h.(absent)
	_, added := l.(absent)
	_, removed := u.(absent)
	switch {
	case reflect.DeepEqual(u, l), reflect.DeepEqual(h, l):
		return h
	case reflect.DeepEqual(h, u):
		return l
	case added || removed:
		v.structural = append(v.structural, path)
		return h
	case gone:
		v.superseded = append(v.superseded, path)
		return h
	}
	return v.inside(path, u, l, h)
}

// inside goes down into what all three have in different states.
func (v *inverse) inside(path string, u, l, h any) any {
	if u, ok := u.(map[string]any); ok {
		l, ok1 := l.(map[string]any)
		h, ok2 := h.(map[string]any)
		if ok1 && ok2 {
			return v.mapping(path, u, l, h)
		}
	}
	if u, ok := u.([]any); ok {
		l, ok1 := l.([]any)
		h, ok2 := h.([]any)
		if ok1 && ok2 {
			return v.sequence(path, u, l, h)
		}
	}
	if reflect.TypeOf(u) != reflect.TypeOf(l) {
		v.structural = append(v.structural, path)
		return h
	}
	v.superseded = append(v.superseded, path)
	return h
}

func (v *inverse) mapping(path string, u, l, h map[string]any) any {
	out := map[string]any{}
	keys := map[string]bool{}
	for _, m := range []map[string]any{u, l, h} {
		for key := range m {
			keys[key] = true
		}
	}
	if path != "" {
		path += "."
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		result := v.value(path+key, at(u, key), at(l, key), at(h, key))
		if _, gone := result.(absent); !gone {
			out[key] = result
		}
	}
	return out
}

func at(m map[string]any, key string) any {
	if value, ok := m[key]; ok {
		return value
	}
	return absent{}
}

// listKeys are the fields by which items of a list are told apart, the most telling first.
func listKeys() []string {
	return []string{"name", "containerPort", "port", "mountPath", "devicePath", "topologyKey", "path", "ip"}
}

func (v *inverse) sequence(path string, u, l, h []any) any {
	for _, key := range listKeys() {
		items, ok := v.named(fmt.Sprintf("%s[%s=", path, key), u, l, h, func(item any) (string, bool) {
			m, _ := item.(map[string]any)
			value, ok := m[key]
			return fmt.Sprint(value), ok
		})
		if ok {
			return items
		}
	}
	// Items without a name: positions mean the same only if nobody touched the list.
	v.superseded = append(v.superseded, path)
	return h
}

// named undoes a change of a list whose items have names. It is false, and nothing was done, where they have none.
func (v *inverse) named(path string, u, l, h []any, name func(any) (string, bool)) ([]any, bool) {
	mu, ok1 := byName(u, name)
	ml, ok2 := byName(l, name)
	mh, ok3 := byName(h, name)
	if !ok1 || !ok2 || !ok3 {
		return nil, false
	}
	result := map[string]any{}
	for _, list := range [][]any{u, l, h} {
		for _, item := range list {
			n, _ := name(item)
			if _, done := result[n]; done {
				continue
			}
			where := n
			if path != "" {
				where = path + n + "]"
			}
			result[n] = v.value(where, at(mu, n), at(ml, n), at(mh, n))
		}
	}
	var out []any
	for _, n := range order(names(h, name), names(l, name)) {
		if _, gone := result[n].(absent); !gone {
			out = append(out, result[n])
		}
	}
	return out, true
}

func byName(list []any, name func(any) (string, bool)) (map[string]any, bool) {
	out := map[string]any{}
	for _, item := range list {
		n, ok := name(item)
		if _, twice := out[n]; twice || !ok {
			return nil, false
		}
		out[n] = item
	}
	return out, true
}

func names(list []any, name func(any) (string, bool)) []string {
	out := make([]string, len(list))
	for i, item := range list {
		out[i], _ = name(item)
	}
	return out
}

// order of the head's items, with those that come back where they stood.
func order(head, stable []string) []string {
	out := slices.Clone(head)
	for i, n := range stable {
		if slices.Contains(out, n) {
			continue
		}
		place := 0
		if i > 0 {
			place = slices.Index(out, stable[i-1]) + 1
		}
		out = slices.Insert(out, place, n)
	}
	return out
}
