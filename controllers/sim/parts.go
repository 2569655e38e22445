package sim

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/sim/admission"
	"github.com/belay-dev/belay/controllers/sim/server"
)

// Assemble compiles CustomResourceDefinitions and admission policies. Both are given as patterns of files. edit may change a
// policy's text, by file name; nil: they stay as they are.
func Assemble(crds []string, policies string, edit func(name string, text []byte) []byte) (Parts, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return Parts{}, err
		}
	}
	var files [][]byte
	for _, pattern := range crds {
		some, _, err := read(pattern)
		if err != nil {
			return Parts{}, err
		}
		files = append(files, some...)
	}
	definitions, err := server.ReadDefinitions(files...)
	if err != nil {
		return Parts{}, err
	}
	schemas, err := server.Compile(scheme, definitions...)
	if err != nil {
		return Parts{}, err
	}
	texts, names, err := read(policies)
	if err != nil {
		return Parts{}, err
	}
	for i := range texts {
		if edit != nil {
			texts[i] = edit(names[i], texts[i])
		}
	}
	compiled, err := admission.Compile(texts...)
	return Parts{Schemas: schemas, Policies: compiled}, err
}

// read gives the files that match, in the order of their names.
func read(pattern string) (texts [][]byte, names []string, err error) {
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		return nil, nil, fmt.Errorf("reading %s: no such file %w", pattern, err)
	}
	slices.Sort(paths)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, err
		}
		texts, names = append(texts, text), append(names, filepath.Base(path))
	}
	return texts, names, nil
}
