package fidelity

import (
	"fmt"
	"regexp"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// masks replace what no two servers have in common by what it is and the order in which it was first seen.
type masks struct {
	seen map[string]string
	// versions are numbers, so they are looked for in some places only.
	versions map[string]string
	count    map[string]int
	// bases of names that the server makes up the rest of.
	bases []string

	moment, token, version *regexp.Regexp
}

func newMasks() masks {
	return masks{
		seen: map[string]string{}, versions: map[string]string{}, count: map[string]int{},
		moment:  regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`),
		token:   regexp.MustCompile(`[A-Za-z0-9.-]+`),
		version: regexp.MustCompile(`("resourceVersion":"|ResourceVersion in (?:the precondition|record) \(|ResourceVersion: )(\d+)`),
	}
}

// learn notes what of an object another server has otherwise.
func (m *masks) learn(o *unstructured.Unstructured) {
	m.note(m.seen, "uid", string(o.GetUID()))
	m.note(m.versions, "version", o.GetResourceVersion())
	if address, _, _ := unstructured.NestedString(o.Object, "spec", "clusterIP"); address != "None" {
		m.note(m.seen, "address", address)
	}
}

func (m *masks) note(in map[string]string, kind, value string) {
	if value == "" || in[value] != "" {
		return
	}
	m.count[kind]++
	in[value] = fmt.Sprintf("<%s %d>", kind, m.count[kind])
}

// apply masks a line.
func (m *masks) apply(line string) string {
	line = m.moment.ReplaceAllString(line, "<time>")
	line = m.version.ReplaceAllStringFunc(line, func(match string) string {
		parts := m.version.FindStringSubmatch(match)
		if as := m.versions[parts[2]]; as != "" {
			return parts[1] + as
		}
		return match
	})
	for _, base := range m.bases {
		line = regexp.MustCompile(regexp.QuoteMeta(base)+`[bcdfghjklmnpqrstvwxz2456789]{5}\b`).ReplaceAllString(line, base+"<suffix>")
	}
	return m.token.ReplaceAllStringFunc(line, func(word string) string {
		if as := m.seen[word]; as != "" {
			return as
		}
		return word
	})
}
