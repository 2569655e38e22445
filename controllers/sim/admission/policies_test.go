package admission_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/belay-dev/belay/controllers/sim/admission"
)

// shipped reads the policies as they are installed: the files of these names, or all.
func shipped(t testing.TB, names ...string) [][]byte {
	t.Helper()
	files, err := filepath.Glob("../../../config/policies/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no policies: %v", err)
	}
	var documents [][]byte
	for _, file := range files {
		if len(names) > 0 && !slices.Contains(names, strings.TrimSuffix(filepath.Base(file), ".yaml")) {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, text)
	}
	return documents
}

func compiled(t testing.TB) *admission.Policies {
	t.Helper()
	policies, err := admission.Compile(shipped(t)...)
	if err != nil {
		t.Fatal(err)
	}
	return policies
}
