package repository

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/belay-dev/belay/gitops"
)

// maxYAML is the largest file that is read as YAML. Manifests are far smaller.
const maxYAML = 4 << 20

// maxKeys is the widest mapping that is read. Decoders compare each key with all others: one that fills maxYAML would keep
// them busy for hours, and nobody could call them off.
const maxKeys = 2000

var errWide = fmt.Errorf("it has a mapping of more than %d keys", maxKeys)

func wide(n *yaml.Node) bool {
	return n.Kind == yaml.MappingNode && len(n.Content) > 2*maxKeys || slices.ContainsFunc(n.Content, wide)
}

// objectID is what makes two documents the same object. The empty identity is that of a
// document that is no Kubernetes object, such as Helm values or an unnamed kustomization.
type objectID struct{ apiVersion, kind, namespace, name string }

func isYAML(name string) bool {
	base := path.Base(name)
	return strings.HasSuffix(base, ".yaml") || strings.HasSuffix(base, ".yml") || base == "Kustomization"
}

func isKustomization(name string) bool {
	switch path.Base(name) {
	case "kustomization.yaml", "kustomization.yml", "Kustomization":
		return true
	}
	return false
}

// parse reads all documents of a file as nodes, without the empty ones.
func parse(content []byte) (documents []*yaml.Node, err error) {
	if len(content) > maxYAML {
		return nil, fmt.Errorf("it is larger than %d MiB", maxYAML>>20)
	}
	defer func() {
		// The parser reports what it thinks impossible by a panic; a file in somebody's
		// repository must not end the controller.
		if r := recover(); r != nil {
			documents, err = nil, fmt.Errorf("it cannot be read as YAML: %v", r)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var n yaml.Node
		if err := decoder.Decode(&n); errors.Is(err, io.EOF) {
			return documents, nil
		} else if err != nil {
			return nil, err
		}
		if n.Kind != yaml.DocumentNode || len(n.Content) != 1 || n.Content[0].ShortTag() == "!!null" {
			continue
		}
		if wide(&n) {
			return nil, errWide
		}
		documents = append(documents, n.Content[0])
	}
}

// value turns a node into maps, lists and scalars, with aliases and merges resolved.
func value(n *yaml.Node) (v any, err error) {
	defer func() {
		if r := recover(); r != nil {
			v, err = nil, fmt.Errorf("it cannot be read as YAML: %v", r)
		}
	}()
	err = n.Decode(&v)
	return v, err
}

func idOf(n *yaml.Node) objectID {
	meta := child(n, "metadata")
	return objectID{
		apiVersion: scalar(child(n, "apiVersion")), kind: scalar(child(n, "kind")),
		namespace: scalar(child(meta, "namespace")), name: scalar(child(meta, "name")),
	}
}

func (id objectID) is(ref gitops.ObjectRef) bool {
	return id.kind == ref.Kind && id.name == ref.Name && (id.namespace == "" || ref.Namespace == "" || id.namespace == ref.Namespace)
}

// child returns the value of a key, or nil.
func child(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func scalar(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

// count tells how often each object is declared.
func count(documents []*yaml.Node) map[objectID]int {
	n := map[objectID]int{}
	for _, d := range documents {
		n[idOf(d)]++
	}
	return n
}
