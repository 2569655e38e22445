package repository

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/belay-dev/belay/gitops"
)

// reader finds the workload's template in trees of plain YAML. It parses every blob once: between
// two commits most of them are the same.
type reader struct {
	workload gitops.ObjectRef
	contents map[string][]byte
	parsed   map[string][]*yaml.Node // the workload's documents by blob
}

func newReader(workload gitops.ObjectRef, contents map[string][]byte) *reader {
	return &reader{workload: workload, contents: contents, parsed: map[string][]*yaml.Node{}}
}

// template returns the workload's template in a tree.
func (r *reader) template(tree map[string]file) template {
	var found []*yaml.Node
	for name, f := range tree {
		if isYAML(name) && f.regular() {
			found = append(found, r.documents(f.blob)...)
		}
	}
	what := fmt.Sprintf("%s %s/%s", r.workload.Kind, r.workload.Namespace, r.workload.Name)
	switch len(found) {
	case 0:
		return template{why: what + " is not declared in plain YAML in the files"}
	case 1:
	default:
		return template{why: what + " is declared more than once in the files"}
	}
	content, err := value(child(child(found[0], "spec"), "template"))
	if err != nil || content == nil {
		return template{why: what + " has no spec.template that can be read in the files"}
	}
	return template{content: content}
}

// documents returns the workload's documents in a blob. A file that is no YAML has none.
func (r *reader) documents(blob string) []*yaml.Node {
	if found, ok := r.parsed[blob]; ok {
		return found
	}
	var found []*yaml.Node
	documents, err := parse(r.contents[blob])
	if err == nil {
		for _, d := range documents {
			if idOf(d).is(r.workload) {
				found = append(found, d)
			}
		}
	}
	r.parsed[blob] = found
	return found
}
