package admission_test

import (
	"strings"
	"testing"

	"github.com/belay-dev/belay/controllers/sim/admission"
)

// What cannot be evaluated is refused before anything is, with the name and the part that is wrong.
func TestManifestsThatAreRefused(t *testing.T) {
	good := mutating("p", never, mark("1"))
	for name, row := range map[string]struct{ manifest, refused string }{
		"no policy at all":                 {service, "Service web: only policies and bindings of admissionregistration.k8s.io/v1 can be compiled"},
		"an older version":                 {strings.Replace(good, "k8s.io/v1", "k8s.io/v1beta1", 1), "MutatingAdmissionPolicy p: only policies"},
		"a field that is none":             {mutating("p", never, "mutation: []", mark("1")), `MutatingAdmissionPolicy p: error unmarshaling JSON: while decoding JSON: json: unknown field "mutation"`},
		"no YAML":                          {"{", "yaml"},
		"a variable":                       {mutating("p", "variables: [{name: v, expression: 'object.'}]"), "MutatingAdmissionPolicy p: variable v: compilation failed: ERROR"},
		"an unknown variable":              {mutating("p", jsonPatch("variables.none")), "MutatingAdmissionPolicy p: mutation 0: compilation failed"},
		"a mutation of another type":       {mutating("p", jsonPatch("1")), "MutatingAdmissionPolicy p: mutation 0: must evaluate to list(JSONPatch) but got int"},
		"a condition":                      {mutating("p", "matchConditions: [{name: c, expression: '1'}]", mark("1")), "MutatingAdmissionPolicy p: match condition c: must evaluate to bool"},
		"params without a kind":            {mutating("p", jsonPatch(`params == null ? [] : []`)), "undeclared reference to 'params'"},
		"a validation":                     {validating("p", "validations: [{expression: '1'}]"), "ValidatingAdmissionPolicy p: validation 0: must evaluate to bool"},
		"a message":                        {validating("p", "validations: [{expression: 'true', messageExpression: '1'}]"), "ValidatingAdmissionPolicy p: message of validation 0: must evaluate to string"},
		"a message that asks":              {validating("p", `validations: [{expression: 'true', messageExpression: 'string(authorizer.path("/x").check("get").allowed())'}]`), "undeclared reference to 'authorizer'"},
		"what 1.36 does not know":          {mutating("p", jsonPatch(`object.spec.ports.sort() == [] ? [] : []`)), "MutatingAdmissionPolicy p: mutation 0"},
		"a namespace object":               {validating("p", "validations: [{expression: 'namespaceObject.metadata.name == \"x\"'}]"), "ValidatingAdmissionPolicy p: validation 0: namespaceObject has no value here"},
		"an apply configuration":           {mutating("p", `mutations: [{patchType: ApplyConfiguration, applyConfiguration: {expression: 'Object{}'}}]`), `MutatingAdmissionPolicy p: mutation 0: patchType "ApplyConfiguration" is not evaluated here; only JSONPatch is`},
		"params of another kind":           {mutating("p", "paramKind: {apiVersion: v1, kind: Secret}", mark("1")), "MutatingAdmissionPolicy p: spec.paramKind is Secret of v1; only ConfigMap of v1 can be given here"},
		"params of a validation":           {validating("p", "paramKind: {apiVersion: v1, kind: ConfigMap}"), "ValidatingAdmissionPolicy p: spec.paramKind is not evaluated here"},
		"audit annotations":                {validating("p", "auditAnnotations: [{key: k, valueExpression: 'null'}]"), "ValidatingAdmissionPolicy p: spec.auditAnnotations are not evaluated here"},
		"no rules":                         {strings.Replace(good, "    resourceRules: [{", "    excludeResourceRules: [{", 1), "MutatingAdmissionPolicy p: spec.matchConstraints.resourceRules must not be empty"},
		"excluded rules":                   {strings.Replace(good, "    resourceRules: [{", "    excludeResourceRules: [{apiGroups: ['']}]\n    resourceRules: [{", 1), "spec.matchConstraints.excludeResourceRules are not evaluated here"},
		"a namespace selector":             {strings.Replace(good, "    resourceRules: [{", "    namespaceSelector: {matchLabels: {a: b}}\n    resourceRules: [{", 1), "spec.matchConstraints.namespaceSelector is not evaluated here; leave it empty"},
		"an object selector":               {strings.Replace(good, "{policyName: p}", "{policyName: p, matchResources: {objectSelector: {matchLabels: {a: b}}}}", 1), "MutatingAdmissionPolicy p: binding p-everywhere: spec.matchResources.objectSelector is not evaluated here"},
		"a scope":                          {strings.Replace(good, "resources: [services]", "resources: [services], scope: Cluster", 1), `spec.matchConstraints.resourceRules[0].scope "Cluster" is not evaluated here`},
		"a binding of nothing":             {strings.Replace(good, "policyName: p", "policyName: q", 1), `MutatingAdmissionPolicyBinding p-everywhere: spec.policyName "q" is none of the policies given`},
		"a binding of nothing, validating": {strings.Replace(validating("p", "validations: [{expression: 'true'}]"), "policyName: p", "policyName: q", 1), `ValidatingAdmissionPolicyBinding p-everywhere: spec.policyName "q" is none of the policies given`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := admission.Compile([]byte(row.manifest))
			if err == nil || !strings.Contains(err.Error(), row.refused) {
				t.Errorf("the answer is\n  %v\nnot\n  %s", err, row.refused)
			}
		})
	}
}

// Rules with wildcards, names and subresources.
func TestRules(t *testing.T) {
	for name, row := range map[string]struct {
		rule    string
		matches bool
	}{
		"everything":          {`{apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"]}`, true},
		"every subresource":   {`{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: ["services/*"]}`, true},
		"another subresource": {`{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: ["services/status"]}`, false},
		"another group":       {`{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [services]}`, false},
		"another version":     {`{apiGroups: [""], apiVersions: [v2], operations: [CREATE], resources: [services]}`, false},
		"another operation":   {`{apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [services]}`, false},
		"the name":            {`{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [services], resourceNames: [a, web]}`, true},
		"another name":        {`{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [services], resourceNames: [a]}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			manifest := strings.Replace(mutating("p", never, mark("1")), `{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [services]}`, row.rule, 1)
			request := requestFor(alice, nil, traced())
			result, err := compile(t, manifest).Admit(t.Context(), request, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if matched := result != request.Object; matched != row.matches {
				t.Errorf("it matches: %v", matched)
			}
		})
	}
}
