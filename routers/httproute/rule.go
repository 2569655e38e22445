package httproute

import (
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// rule is one entry of spec.rules.
type rule map[string]any

func rulesOf(route *unstructured.Unstructured) []rule {
	var out []rule
	for _, item := range listIn(route.Object, "spec", "rules") {
		out = append(out, rule(item))
	}
	return out
}

// Bounds of the Gateway API: a split that would break one is not made by the admission policy. The scale is the
// smallest that a split has.
const (
	maxBackends   = 16
	maxWeight     = 1_000_000
	smallestScale = 100
)

// names says whether a backendRef of the rule is a Service of the route's own namespace with that name.
func (r rule) names(namespace, service string) bool { return r.count(namespace, service) > 0 }

// count is how many backendRefs of the rule are that Service.
func (r rule) count(namespace, service string) int {
	n := 0
	for _, ref := range listIn(r, "backendRefs") {
		if text(ref, "name", "") == service && text(ref, "kind", "Service") == "Service" &&
			text(ref, "group", "") == "" && text(ref, "namespace", namespace) == namespace {
			n++
		}
	}
	return n
}

// overfull says, before anything is written, that the rule has no room for a split of the Service.
func (r rule) overfull(namespace, service string) bool {
	refs := listIn(r, "backendRefs")
	for _, ref := range refs {
		if weight, ok := ref["weight"].(int64); ok && weight > maxWeight/smallestScale {
			return true
		}
	}
	return len(refs)+r.count(namespace, service) > maxBackends
}

// title is the rule's name, or its place counted from one.
func (r rule) title(index int) string {
	return text(r, "name", "rule "+strconv.Itoa(index+1))
}

// listIn gives the objects of a list; anything else in it is left out.
func listIn(object map[string]any, path ...string) []map[string]any {
	value, _, _ := unstructured.NestedFieldNoCopy(object, path...)
	items, _ := value.([]any)
	var out []map[string]any
	for _, item := range items {
		if fields, ok := item.(map[string]any); ok {
			out = append(out, fields)
		}
	}
	return out
}

// text gives a string field; absent, null and empty are the default.
func text(object map[string]any, field, otherwise string) string {
	if value, ok := object[field].(string); ok && value != "" {
		return value
	}
	return otherwise
}
