package agent

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// compare lists the fields in which two values differ, as "path: live value -> value after an apply". Only the innermost
// differing field is named.
func compare(live, applied any) []string { return walk("", live, applied) }

func walk(path string, live, applied any) []string {
	if reflect.DeepEqual(live, applied) {
		return nil
	}
	var lines []string
	l, lok := live.(map[string]any)
	a, aok := applied.(map[string]any)
	if lok && aok {
		keys := maps.Clone(l)
		maps.Copy(keys, a)
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			lines = append(lines, walk(join(path, key), l[key], a[key])...)
		}
		return lines
	}
	ll, lok := live.([]any)
	al, aok := applied.([]any)
	if lok && aok && len(ll) == len(al) {
		for i := range ll {
			lines = append(lines, walk(path+"["+strconv.Itoa(i)+"]", ll[i], al[i])...)
		}
		return lines
	}
	return []string{fmt.Sprintf("%s: %s -> %s", path, text(live), text(applied))}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func text(value any) string {
	if value == nil {
		return "nothing"
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(raw)
}
