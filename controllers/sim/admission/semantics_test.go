package admission_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	apiserver "k8s.io/apiserver/pkg/admission"

	"github.com/belay-dev/belay/controllers/sim/admission"
)

// mutating is a small policy on Services, bound once, with more lines of spec.
func mutating(name string, lines ...string) string {
	return fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: %s}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [services]}]
  %s
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: %s-everywhere}
spec: {policyName: %s}
`, name, strings.Join(lines, "\n  "), name, name)
}

func validating(name string, lines ...string) string {
	return strings.NewReplacer("MutatingAdmissionPolicy", "ValidatingAdmissionPolicy", "spec: {policyName", "spec: {validationActions: [Deny], policyName").
		Replace(strings.ReplaceAll(mutating(name, lines...), "CREATE, UPDATE", "CREATE, UPDATE, DELETE"))
}

// jsonPatch is the line of a policy with one mutation.
func jsonPatch(expression string) string {
	return fmt.Sprintf("mutations: [{patchType: JSONPatch, jsonPatch: {expression: %q}}]", expression)
}

// mark appends a letter to the annotation "trace", so that it tells who ran in which order.
func mark(letter string) string {
	return jsonPatch(fmt.Sprintf(`[JSONPatch{op: "add", path: "/metadata/annotations/trace", value: object.metadata.annotations.trace + "%s"}]`, letter))
}

const ifNeeded, never = "reinvocationPolicy: IfNeeded", "reinvocationPolicy: Never"

func compile(t *testing.T, documents ...string) *admission.Policies {
	t.Helper()
	policies, err := admission.Compile([]byte(strings.Join(documents, "\n---\n")))
	if err != nil {
		t.Fatal(err)
	}
	return policies
}

func traced() *unstructured.Unstructured {
	o := object(service)
	o.SetAnnotations(map[string]string{"trace": ""})
	return o
}

func TestWhoRunsWhenAndHowOften(t *testing.T) {
	marks := func(letter string) admission.Webhook {
		return func(_ admission.Request, o *unstructured.Unstructured) *unstructured.Unstructured {
			o = o.DeepCopy()
			o.SetAnnotations(map[string]string{"trace": o.GetAnnotations()["trace"] + letter})
			return o
		}
	}
	unlessWebhook := func(letter string) string {
		return "matchConditions: [{name: c, expression: \"'w' in object.metadata.annotations.trace.split('')\"}]\n  " + mark(letter)
	}
	for name, row := range map[string]struct {
		policies []string
		webhook  string
		want     string
	}{
		"by name, and those with IfNeeded once more": {[]string{mutating("two", ifNeeded, mark("2")), mutating("one", never, mark("1")), mutating("zwo", ifNeeded, mark("z"))}, "", "12z2z"},
		"a webhook comes between":                    {[]string{mutating("one", ifNeeded, mark("1")), mutating("two", never, mark("2"))}, "w", "12w1"},
		"what did not match is not asked again":      {[]string{mutating("one", ifNeeded, unlessWebhook("1")), mutating("two", ifNeeded, mark("2"))}, "w", "2w2"},
		"a webhook alone asks nobody":                {[]string{mutating("one", ifNeeded, unlessWebhook("1"))}, "w", "w"},
		"mutations of a policy see one another": {[]string{mutating("one", never,
			`mutations: [{patchType: JSONPatch, jsonPatch: {expression: '[JSONPatch{op: "add", path: "/metadata/annotations/trace", value: "a"}]'}},`,
			`  {patchType: JSONPatch, jsonPatch: {expression: '[JSONPatch{op: "add", path: "/metadata/annotations/trace", value: object.metadata.annotations.trace + "b"}]'}}]`)}, "", "ab"},
		"variables see what the mutation before has made": {[]string{mutating("one", never, `variables: [{name: t, expression: object.metadata.annotations.trace}]`,
			`mutations: [{patchType: JSONPatch, jsonPatch: {expression: '[JSONPatch{op: "add", path: "/metadata/annotations/trace", value: variables.t + "a"}]'}},`,
			`  {patchType: JSONPatch, jsonPatch: {expression: '[JSONPatch{op: "add", path: "/metadata/annotations/trace", value: variables.t + "b"}]'}}]`)}, "", "ab"},
	} {
		t.Run(name, func(t *testing.T) {
			policies := compile(t, row.policies...)
			if row.webhook != "" {
				policies = policies.WithWebhook(marks(row.webhook))
			}
			result, err := policies.Admit(t.Context(), requestFor(alice, nil, traced()), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := result.GetAnnotations()["trace"]; got != row.want {
				t.Errorf("the trace is %s, not %s", got, row.want)
			}
		})
	}
}

func TestShuffledPoliciesAreTheSameInAnotherOrder(t *testing.T) {
	policies := compile(t, mutating("a", never, mark("a")), mutating("b", never, mark("b")), mutating("c", never, mark("c")))
	seen := map[string]bool{}
	for seed := range uint64(50) {
		order := func() string {
			result, err := policies.Shuffled(rand.New(rand.NewPCG(seed, seed))).Admit(t.Context(), requestFor(alice, nil, traced()), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			return result.GetAnnotations()["trace"]
		}
		first := order()
		if again := order(); again != first {
			t.Fatalf("one seed gives %s and %s", first, again)
		}
		seen[first] = true
	}
	if len(seen) != 6 {
		t.Errorf("the orders are %v, not all six", seen)
	}
}

func TestParams(t *testing.T) {
	withParams := func(paramRef string) string {
		return strings.Replace(mutating("p", never, "paramKind: {apiVersion: v1, kind: ConfigMap}",
			jsonPatch(`[JSONPatch{op: "add", path: "/metadata/annotations/trace", value: object.metadata.annotations.trace + (params == null ? "-" : params.data.letter)}]`)),
			"{policyName: p}", "{policyName: p, "+paramRef+"}", 1)
	}
	params := func(namespace string, selector labels.Selector) []*unstructured.Unstructured {
		var found []*unstructured.Unstructured
		for _, letter := range []string{"x", "y", "z"} {
			kind := map[string]string{"x": "1", "y": "2", "z": "2"}[letter]
			if selector.Matches(labels.Set{"kind": kind}) {
				found = append(found, object(fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: %s, labels: {kind: %q}}, data: {letter: %s}}", letter, kind, letter+namespace[:1])))
			}
		}
		return found
	}
	for name, row := range map[string]struct{ ref, want, refused string }{
		"no reference, evaluated without":    {"", "-", ""},
		"one for each that a selector finds": {`paramRef: {selector: {matchLabels: {kind: "2"}}, parameterNotFoundAction: Deny}`, "yszs", ""},
		"by name":                            {"paramRef: {name: x, parameterNotFoundAction: Deny}", "xs", ""},
		"of another namespace":               {"paramRef: {name: x, namespace: elsewhere, parameterNotFoundAction: Deny}", "xe", ""},
		"none found, which is allowed":       {"paramRef: {name: w, parameterNotFoundAction: Allow}", "", ""},
		"none found, which is not": {"paramRef: {name: w, parameterNotFoundAction: Deny}", "",
			"policy 'p' with binding 'p-everywhere' denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := compile(t, withParams(row.ref)).Admit(t.Context(), requestFor(alice, nil, traced()), params, nil)
			if row.refused != "" {
				if !apierrors.IsForbidden(err) || err.Error() != row.refused {
					t.Fatalf("the answer is %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := result.GetAnnotations()["trace"]; got != row.want {
				t.Errorf("the trace is %s, not %s", got, row.want)
			}
		})
	}
}

// A policy that cannot be evaluated refuses the write, unless its failurePolicy says otherwise.
func TestPoliciesThatFail(t *testing.T) {
	const ignore = "failurePolicy: Ignore"
	stumbling := "matchConditions: [{name: c, expression: 'object.spec.none == 1'}]"
	no := "validations: [{expression: 'object.spec.none == 1'}]"
	for name, row := range map[string]struct {
		policy, refused string
		reason          func(error) bool
	}{
		"a condition":          {mutating("p", never, stumbling, mark("1")), "policy 'p' with binding 'p-everywhere' denied request: expression 'object.spec.none == 1' resulted in error: no such key: none", apierrors.IsInvalid},
		"a condition, ignored": {mutating("p", never, ignore, stumbling, mark("1")), "", nil},
		"a patch":              {mutating("p", never, jsonPatch(`[JSONPatch{op: "remove", path: "/spec/none"}]`)), "policy 'p' with binding 'p-everywhere' denied request: JSON Patch: error in remove for path: '/spec/none': Unable to remove nonexistent key: none: missing value", apierrors.IsInvalid},
		"a patch, ignored":     {mutating("p", never, ignore, jsonPatch(`[JSONPatch{op: "remove", path: "/spec/none"}]`)), "", nil},
		"a variable":           {mutating("p", never, "variables: [{name: v, expression: object.spec.none}]", jsonPatch(`[JSONPatch{op: "add", path: "/spec/x", value: variables.v}]`)), `composited variable "v" fails to evaluate: no such key: none`, apierrors.IsInvalid},
		"a condition that does not hold counts more": {mutating("p", never, "matchConditions: [{name: a, expression: 'object.spec.none == 1'}, {name: b, expression: 'false'}]", mark("1")), "", nil},
		"a validation":             {validating("p", no), "services \"web\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p-everywhere' denied request: expression 'object.spec.none == 1' resulted in error: no such key: none", apierrors.IsInvalid},
		"a validation, ignored":    {validating("p", ignore, no), "", nil},
		"a validation's condition": {validating("p", stumbling, no), "expression 'object.spec.none == 1' resulted in error", apierrors.IsInvalid},
		"a validation in words":    {validating("p", "validations: [{expression: 'false', message: ' in words ', reason: Forbidden}]"), "services \"web\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p-everywhere' denied request: in words", apierrors.IsForbidden},
		"a validation in computed words": {validating("p", `validations: [{expression: 'false', message: in words, messageExpression: '"by " + request.userInfo.username', reason: Unauthorized}]`),
			"denied request: by alice", apierrors.IsUnauthorized},
		"computed words that fail":        {validating("p", `validations: [{expression: 'false', message: in words, messageExpression: 'string(object.spec.none)'}]`), "denied request: in words", apierrors.IsInvalid},
		"computed words of several lines": {validating("p", `validations: [{expression: 'false', messageExpression: '"a\nb"'}]`), "denied request: failed expression: false", apierrors.IsInvalid},
		"not denied but audited":          {strings.Replace(validating("p", "validations: [{expression: 'false'}]"), "[Deny]", "[Audit, Warn]", 1), "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := compile(t, row.policy).Admit(t.Context(), requestFor(alice, nil, traced()), nil, nil)
			switch {
			case row.refused == "" && err != nil:
				t.Errorf("refused: %v", err)
			case row.refused != "" && (err == nil || !strings.Contains(err.Error(), row.refused)):
				t.Errorf("the answer is\n  %v\nnot\n  %s", err, row.refused)
			case row.reason != nil && !row.reason(err):
				t.Errorf("the reason is %s", apierrors.ReasonForError(err))
			}
		})
	}
}

func TestDeletes(t *testing.T) {
	policies := compile(t, mutating("m", never, mark("1")), validating("v", `validations: [{expression: 'object == null && oldObject.metadata.name != "web"'}]`))
	request := requestFor(alice, object(service), object(service))
	request.Operation, request.Object = apiserver.Delete, nil
	if _, err := policies.Admit(t.Context(), request, nil, nil); !apierrors.IsInvalid(err) {
		t.Errorf("the answer is %v", err)
	}
	request.Old.SetName("other")
	if object, err := policies.Admit(t.Context(), request, nil, nil); err != nil || object != nil {
		t.Errorf("the answer is %v, %v", object, err)
	}
}

// Owners that nobody could read are put back, the rest of the policy's work stays.
func TestInvalidOwnersArePutBack(t *testing.T) {
	for _, value := range []string{`[{"manager": "x"}]`, `"x"`, `[1]`} {
		policies := compile(t, mutating("p", never, jsonPatch(`[JSONPatch{op: "add", path: "/metadata/managedFields", value: `+value+`}, JSONPatch{op: "add", path: "/metadata/annotations/trace", value: "t"}]`)))
		result, err := policies.Admit(t.Context(), requestFor(alice, nil, traced()), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if owners := result.GetManagedFields(); owners != nil || result.GetAnnotations()["trace"] != "t" {
			t.Errorf("%s: owned by %v, %v", value, owners, result.GetAnnotations())
		}
	}
}
