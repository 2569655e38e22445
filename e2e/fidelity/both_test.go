package fidelity

import (
	"maps"
	"slices"
	"testing"
)

// both plays scripts against both sides, without policies.
func both(t *testing.T, scripts map[string]func(*script)) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(scripts)) {
		t.Run(name, func(t *testing.T) {
			m, err := newMemory(nil)
			if err != nil {
				t.Fatal(err)
			}
			play(t, actual, m, scripts[name])
		})
	}
}
