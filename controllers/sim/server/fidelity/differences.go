package fidelity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Compare tells the calls that two sides answered differently.
func Compare(t testing.TB, left, right string, a, b []string) {
	t.Helper()
	if len(a) != len(b) {
		t.Errorf("%s has %d answers, %s %d", left, len(a), right, len(b))
	}
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Errorf("call %d\n%s says\n%s\n%s says\n%s", i+1, left, unlike(a[i], b[i]), right, unlike(b[i], a[i]))
		}
	}
}

// unlike is an entry without the lines that another has too.
func unlike(entry, other string) string {
	theirs := strings.Split(other, "\n")
	lines := strings.Split(entry, "\n")
	return strings.Join(append(lines[:1:1], slices.DeleteFunc(lines[1:], func(l string) bool { return slices.Contains(theirs, l) })...), "\n")
}

// whole lists an object's fields; of those at the top, each of their own.
func whole(content map[string]any) []string {
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(content)) {
		inner, is := content[key].(map[string]any)
		if !is || len(inner) == 0 {
			lines = append(lines, key+": "+shown(content[key]))
			continue
		}
		for _, field := range slices.Sorted(maps.Keys(inner)) {
			lines = append(lines, key+"."+field+": "+shown(inner[field]))
		}
	}
	return lines
}

// differences list what two states of an object do not have in common.
func differences(path string, before, after any) []string {
	if reflect.DeepEqual(before, after) {
		return nil
	}
	var lines []string
	if a, b, are := pair[map[string]any](before, after); are {
		keys := maps.Clone(b)
		maps.Copy(keys, a)
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			lines = append(lines, differences(strings.TrimPrefix(path+"."+key, "."), a[key], b[key])...)
		}
		return lines
	}
	if a, b, are := pair[[]any](before, after); are && len(a) == len(b) {
		for i := range a {
			lines = append(lines, differences(fmt.Sprintf("%s[%d]", path, i), a[i], b[i])...)
		}
		return lines
	}
	return []string{path + ": " + shown(before) + " -> " + shown(after)}
}

func pair[T any](a, b any) (T, T, bool) {
	x, isX := a.(T)
	y, isY := b.(T)
	return x, y, isX && isY
}

func shown(value any) string {
	if value == nil {
		return "nothing"
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(text.String())
}
