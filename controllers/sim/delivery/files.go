package delivery

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/belay-dev/belay/gitops"
)

// File is one file of a commit. It never changes.
type File struct {
	id      string
	objects []*unstructured.Unstructured
	text    bool
}

// Manifest is a file that declares objects. They must not be changed afterwards.
func Manifest(objects ...*unstructured.Unstructured) *File {
	content := make([]any, len(objects))
	for i, o := range objects {
		content[i] = o.Object
	}
	raw, err := json.Marshal(content)
	if err != nil {
		panic(fmt.Sprintf("a manifest that is no JSON: %v", err)) // a mistake of the simulation
	}
	return &File{id: digest("manifest", string(raw)), objects: objects}
}

// Text is a file that declares nothing.
func Text(content string) *File { return &File{id: digest("text", content), text: true} }

// Objects that the file declares. They are shared: never change them.
func (f *File) Objects() []*unstructured.Unstructured { return f.objects }

// idOf is the identity of a file's content; empty: there is no file.
func idOf(f *File) string {
	if f == nil {
		return ""
	}
	return f.id
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:20]) // as long as Git's
}

// Files are the files of a commit, by their paths.
type Files map[string]*File

// Names of the files, in order.
func (f Files) Names() []string { return slices.Sorted(maps.Keys(f)) }

// At the paths, each a file or a folder; "." is everything.
func (f Files) At(paths ...string) Files {
	out := Files{}
	for name, file := range f {
		if within(name, paths) {
			out[name] = file
		}
	}
	return out
}

func within(name string, paths []string) bool {
	return slices.ContainsFunc(paths, func(p string) bool {
		p = strings.TrimSuffix(p, "/")
		return p == "." || name == p || strings.HasPrefix(name, p+"/")
	})
}

// identity of the contents: equal identities, equal files.
func (f Files) identity() string {
	parts := make([]string, 0, 2*len(f))
	for _, name := range f.Names() {
		parts = append(parts, name, f[name].id)
	}
	return digest(parts...)
}

// Find returns the object of that kind and name; nil: it is not declared.
func (f Files) Find(kind, name string) *unstructured.Unstructured {
	for _, path := range f.Names() {
		for _, o := range f[path].objects {
			if o.GetKind() == kind && o.GetName() == name {
				return o
			}
		}
	}
	return nil
}

// Change replaces the object of that kind and name by a changed copy. Where it is not declared nothing happens.
func (f Files) Change(kind, name string, change func(*unstructured.Unstructured)) {
	for _, path := range f.Names() {
		file := f[path]
		i := slices.IndexFunc(file.objects, func(o *unstructured.Unstructured) bool {
			return o.GetKind() == kind && o.GetName() == name
		})
		if i < 0 {
			continue
		}
		objects := slices.Clone(file.objects)
		objects[i] = objects[i].DeepCopy()
		change(objects[i])
		f[path] = Manifest(objects...)
	}
}

// differing lists the files at the paths that are not the same in both, in order.
func differing(a, b Files, paths []string) []string {
	var out []string
	for name := range a {
		if within(name, paths) && idOf(a[name]) != idOf(b[name]) {
			out = append(out, name)
		}
	}
	for name := range b {
		if a[name] == nil && within(name, paths) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// declares says whether an object is what the reference means.
func declares(o *unstructured.Unstructured, ref gitops.ObjectRef) bool {
	namespace := o.GetNamespace()
	return o.GetKind() == ref.Kind && o.GetName() == ref.Name && (namespace == "" || ref.Namespace == "" || namespace == ref.Namespace)
}
