package admission

import (
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// unsupportedMatch refuses what would be ignored here and is not on the server.
func unsupportedMatch(field string, match *admissionregistrationv1.MatchResources) error {
	if match == nil {
		return nil
	}
	switch {
	case !empty(match.NamespaceSelector):
		return fmt.Errorf("%s.namespaceSelector is not evaluated here; leave it empty", field)
	case !empty(match.ObjectSelector):
		return fmt.Errorf("%s.objectSelector is not evaluated here; leave it empty", field)
	case len(match.ExcludeResourceRules) > 0:
		return fmt.Errorf("%s.excludeResourceRules are not evaluated here; leave them out", field)
	}
	for i, rule := range match.ResourceRules {
		if rule.Scope != nil && *rule.Scope != admissionregistrationv1.AllScopes {
			return fmt.Errorf("%s.resourceRules[%d].scope %q is not evaluated here; leave it out", field, i, *rule.Scope)
		}
	}
	return nil
}

func empty(selector *metav1.LabelSelector) bool {
	return selector == nil || len(selector.MatchLabels) == 0 && len(selector.MatchExpressions) == 0
}

func unsupportedParamKind(kind *admissionregistrationv1.ParamKind) error {
	if kind != nil && (kind.APIVersion != "v1" || kind.Kind != "ConfigMap") {
		return fmt.Errorf("spec.paramKind is %s of %s; only ConfigMap of v1 can be given here", kind.Kind, kind.APIVersion)
	}
	return nil
}
