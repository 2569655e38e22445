package fidelity

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// difference tells two lines of a tape apart: objects by the fields in which they differ.
func difference(kube, memory string) string {
	what, a, okA := split(kube)
	_, b, okB := split(memory)
	if !okA || !okB {
		return fmt.Sprintf("\n  kube-apiserver: %s\n  in memory:      %s", kube, memory)
	}
	return what + "\n    " + strings.Join(differences("", a, b), "\n    ")
}

func split(line string) (what string, object map[string]any, ok bool) {
	what, text, found := strings.Cut(line, ": {\"")
	if !found || json.Unmarshal([]byte("{\""+text), &object) != nil {
		return line, nil, false
	}
	return what, object, true
}

func differences(path string, kube, memory any) []string {
	if reflect.DeepEqual(kube, memory) {
		return nil
	}
	var lines []string
	if a, b, is := pair[map[string]any](kube, memory); is {
		keys := maps.Clone(a)
		maps.Copy(keys, b)
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			lines = append(lines, differences(path+"."+key, a[key], b[key])...)
		}
		return lines
	}
	if a, b, is := pair[[]any](kube, memory); is && len(a) == len(b) {
		for i := range a {
			lines = append(lines, differences(fmt.Sprintf("%s[%d]", path, i), a[i], b[i])...)
		}
		return lines
	}
	a, _ := json.Marshal(kube)
	b, _ := json.Marshal(memory)
	return []string{fmt.Sprintf("%s: kube-apiserver %s, in memory %s", path, a, b)}
}

func pair[T any](a, b any) (T, T, bool) {
	x, isX := a.(T)
	y, isY := b.(T)
	return x, y, isX && isY
}
