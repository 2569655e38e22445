package repository

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// edit puts the scalar that L has in the place of the one that the head has.
type edit struct {
	path string
	head *yaml.Node
	from *yaml.Node
}

// inverse is what undoing L..U means in a file at the head, field by field.
type inverse struct {
	edits      []edit
	superseded []string // paths where the head has something newer
	structural []string // paths where more than a value changed
}

// invert compares the three states of a file. Nodes are matched by what they are called, not by
// where they stand.
func invert(u, l, h []*yaml.Node) inverse {
	var v inverse
	pairs, ok := match(u, l, h, func(n *yaml.Node) string { return fmt.Sprint(idOf(n)) })
	if !ok {
		v.structural = append(v.structural, "the documents of the file")
		return v
	}
	for _, p := range pairs {
		v.node(strings.TrimPrefix(scalar(child(p.u, "kind"))+".", "."), p.u, p.l, p.h)
	}
	return v
}

// triple is the same node in the three states; h may be nil.
type triple struct {
	name    string
	u, l, h *yaml.Node
}

// match pairs nodes by name. It fails if a name is not unique, or if U and L do not have the same names.
func match(u, l, h []*yaml.Node, name func(*yaml.Node) string) ([]triple, bool) {
	index := func(nodes []*yaml.Node) map[string]*yaml.Node {
		m := map[string]*yaml.Node{}
		for _, n := range nodes {
			m[name(n)] = n
		}
		return m
	}
	mu, ml, mh := index(u), index(l), index(h)
	if !distinct(u, name) || !distinct(l, name) || !distinct(h, name) || len(mu) != len(ml) {
		return nil, false
	}
	triples := make([]triple, 0, len(u))
	for _, n := range u {
		k := name(n)
		if ml[k] == nil {
			return nil, false
		}
		triples = append(triples, triple{name: k, u: n, l: ml[k], h: mh[k]})
	}
	return triples, true
}

func distinct(nodes []*yaml.Node, name func(*yaml.Node) string) bool {
	seen := map[string]bool{}
	for _, n := range nodes {
		if seen[name(n)] {
			return false
		}
		seen[name(n)] = true
	}
	return true
}

func (v *inverse) node(path string, u, l, h *yaml.Node) {
	switch {
	case equal(u, l):
		// Not part of the change, whatever the head has here.
	case h != nil && equal(h, l):
		// Somebody put it back.
	case h == nil:
		v.superseded = append(v.superseded, trim(path))
	case u.Kind != l.Kind || u.Kind == yaml.AliasNode:
		v.structural = append(v.structural, trim(path))
	case h.Kind != u.Kind:
		v.superseded = append(v.superseded, trim(path))
	case u.Kind == yaml.ScalarNode:
		if !equal(h, u) {
			v.superseded = append(v.superseded, trim(path))
			return
		}
		v.edits = append(v.edits, edit{path: trim(path), head: h, from: l})
	case u.Kind == yaml.MappingNode:
		v.mapping(path, u, l, h)
	case u.Kind == yaml.SequenceNode:
		v.sequence(path, u, l, h)
	default:
		v.structural = append(v.structural, trim(path))
	}
}

func (v *inverse) mapping(path string, u, l, h *yaml.Node) {
	keys := func(n *yaml.Node) []*yaml.Node {
		var k []*yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			k = append(k, n.Content[i])
		}
		return k
	}
	triples, ok := match(keys(u), keys(l), keys(h), func(n *yaml.Node) string { return n.Value })
	if !ok {
		v.structural = append(v.structural, trim(path))
		return
	}
	for _, t := range triples {
		v.node(path+t.name+".", child(u, t.name), child(l, t.name), child(h, t.name))
	}
}

// listKeys are the fields by which Kubernetes and kustomize tell list items apart, the most
// telling first.
func listKeys() []string {
	return []string{"name", "containerPort", "port", "mountPath", "devicePath", "topologyKey", "path", "ip"}
}

func (v *inverse) sequence(path string, u, l, h *yaml.Node) {
	for _, key := range listKeys() {
		if !keyed(key, u, l, h) {
			continue
		}
		name := func(n *yaml.Node) string { return child(n, key).Value }
		if !distinct(u.Content, name) || !distinct(l.Content, name) || !distinct(h.Content, name) {
			continue // the key does not tell them apart
		}
		triples, ok := match(u.Content, l.Content, h.Content, name)
		if !ok {
			v.structural = append(v.structural, trim(path))
			return
		}
		for _, t := range triples {
			v.node(fmt.Sprintf("%s[%s=%s].", trim(path), key, t.name), t.u, t.l, t.h)
		}
		return
	}
	// Items without a name: positions mean the same only if nobody touched the list.
	if !equal(h, u) || len(u.Content) != len(l.Content) {
		if equal(h, u) {
			v.structural = append(v.structural, trim(path))
		} else {
			v.superseded = append(v.superseded, trim(path))
		}
		return
	}
	for i := range u.Content {
		v.node(fmt.Sprintf("%s[%d].", trim(path), i), u.Content[i], l.Content[i], h.Content[i])
	}
}

// keyed says whether all items of all lists are maps with a scalar at key.
func keyed(key string, lists ...*yaml.Node) bool {
	for _, list := range lists {
		for _, item := range list.Content {
			k := child(item, key)
			if k == nil || k.Kind != yaml.ScalarNode {
				return false
			}
		}
	}
	return true
}

// equal compares what two nodes say, not how they are written.
func equal(a, b *yaml.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind || len(a.Content) != len(b.Content) {
		return false
	}
	switch a.Kind {
	case yaml.ScalarNode:
		return a.ShortTag() == b.ShortTag() && a.Value == b.Value
	case yaml.AliasNode:
		return a.Value == b.Value
	case yaml.MappingNode:
		for i := 0; i+1 < len(a.Content); i += 2 {
			if !equal(a.Content[i+1], child(b, a.Content[i].Value)) {
				return false
			}
		}
		return true
	default:
		return slices.EqualFunc(a.Content, b.Content, equal)
	}
}

func trim(path string) string { return strings.TrimSuffix(path, ".") }
