package httproute

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// maxQuote bounds what is quoted of a gateway's message.
const maxQuote = 256

// parent is a parentRef after defaulting, so that two can be compared however much of them was written out.
type parent struct {
	group, kind, namespace, name, section, port string
}

func parentOf(ref map[string]any, namespace string) parent {
	p := parent{
		group: Group, kind: text(ref, "kind", "Gateway"), namespace: text(ref, "namespace", namespace),
		name: text(ref, "name", ""), section: text(ref, "sectionName", ""),
	}
	// An empty group is the core group, which is not the default.
	if group, ok := ref["group"].(string); ok {
		p.group = group
	}
	if port, ok := ref["port"]; ok && port != nil {
		p.port = fmt.Sprint(port)
	}
	return p
}

func (p parent) String() string {
	out := p.kind + " " + p.namespace + "/" + p.name
	if p.section != "" {
		out += " (" + p.section + ")"
	}
	return out
}

// programmed says whether every parent that the route names reports the stored generation as accepted and resolved, and
// if not, why. The sentence is the same as long as its cause is.
func programmed(route *unstructured.Unstructured) (ok bool, why string) {
	parents := listIn(route.Object, "spec", "parentRefs")
	if len(parents) == 0 {
		return false, fmt.Sprintf("HTTPRoute %s names no parent in spec.parentRefs", route.GetName())
	}
	reports := listIn(route.Object, "status", "parents")
	for _, ref := range parents {
		p := parentOf(ref, route.GetNamespace())
		if why := p.missing(route, reports); why != "" {
			return false, why
		}
	}
	return true, ""
}

// missing is what keeps the parent from being programmed; empty: nothing. One controller that is done is enough: several
// may report on the same parent.
func (p parent) missing(route *unstructured.Unstructured, reports []map[string]any) string {
	why := fmt.Sprintf("%s has not reported on HTTPRoute %s yet", p, route.GetName())
	for _, report := range reports {
		ref, _ := report["parentRef"].(map[string]any)
		if parentOf(ref, route.GetNamespace()) != p {
			continue
		}
		conditions := listIn(report, "conditions")
		why = ""
		for _, kind := range []string{"Accepted", "ResolvedRefs"} {
			if why = p.lacks(route, conditions, kind); why != "" {
				break
			}
		}
		if why == "" {
			return ""
		}
	}
	return why
}

func (p parent) lacks(route *unstructured.Unstructured, conditions []map[string]any, kind string) string {
	for _, c := range conditions {
		if text(c, "type", "") != kind {
			continue
		}
		seen, _, _ := unstructured.NestedInt64(c, "observedGeneration")
		switch {
		case seen < route.GetGeneration():
			return fmt.Sprintf("%s has not reported on the stored form of HTTPRoute %s yet", p, route.GetName())
		case text(c, "status", "") == "True":
			return ""
		}
		return fmt.Sprintf("%s says that HTTPRoute %s is not %s: %s: %s",
			p, route.GetName(), kind, text(c, "reason", "no reason"), quote(text(c, "message", "no message")))
	}
	return fmt.Sprintf("%s has not reported %s of HTTPRoute %s yet", p, kind, route.GetName())
}

// quote makes one bounded line of a message.
func quote(message string) string {
	line := []rune(strings.Join(strings.Fields(message), " "))
	if len(line) > maxQuote {
		return string(line[:maxQuote-1]) + "…"
	}
	return string(line)
}
