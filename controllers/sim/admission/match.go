package admission

import (
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// rule is one resource rule, with its resources taken apart once.
type rule struct {
	groups, versions, operations []string
	resources                    [][2]string // resource and subresource
	names                        []string
}

// rules match when one of them does; without any, everything matches.
type rules []rule

func newRules(from []admissionregistrationv1.NamedRuleWithOperations) rules {
	var all rules
	for _, named := range from {
		r := rule{groups: named.APIGroups, versions: named.APIVersions, names: named.ResourceNames}
		for _, operation := range named.Operations {
			r.operations = append(r.operations, string(operation))
		}
		for _, resource := range named.Resources {
			name, sub, _ := strings.Cut(resource, "/")
			r.resources = append(r.resources, [2]string{name, sub})
		}
		all = append(all, r)
	}
	return all
}

// match copies nothing: it is asked for every policy on every write.
func (all rules) match(request *Request) bool {
	for i := range all {
		if all[i].match(request) {
			return true
		}
	}
	return len(all) == 0
}

func (r *rule) match(request *Request) bool {
	return r.matchResource(request.Resource, request.Subresource) &&
		oneOf(r.operations, string(request.Operation)) &&
		(len(r.names) == 0 || oneOf(r.names, request.Name))
}

func (r *rule) matchResource(resource schema.GroupVersionResource, subresource string) bool {
	if !oneOf(r.groups, resource.Group) || !oneOf(r.versions, resource.Version) {
		return false
	}
	for _, pair := range r.resources {
		if (pair[0] == "*" || pair[0] == resource.Resource) && (pair[1] == "*" || pair[1] == subresource) {
			return true
		}
	}
	return false
}

func oneOf(items []string, requested string) bool {
	for _, item := range items {
		if item == "*" || item == requested {
			return true
		}
	}
	return false
}
