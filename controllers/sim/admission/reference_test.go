package admission_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured/unstructuredscheme"
	"k8s.io/apimachinery/pkg/runtime"
	apiserver "k8s.io/apiserver/pkg/admission"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/controllers/sim/admission"
)

// reference is the API server's way of evaluating mutating policies, with the library's own parts from end to end: its
// compiler, its matcher, its evaluation with the costs counted, its patcher over text, and built-in kinds made Go values
// after every mutation. It is slow and simple, and what the package does must come to the same.
type reference struct{ policies []*referencePolicy }

type referencePolicy struct {
	manifest *admissionregistrationv1.MutatingAdmissionPolicy
	bindings []*admissionregistrationv1.MutatingAdmissionPolicyBinding
	compiler *plugincel.CompositedCompiler
	matcher  matchconditions.Matcher
	patchers []patch.Patcher
}

func newReference(t testing.TB) *reference {
	t.Helper()
	r := &reference{}
	var bindings []*admissionregistrationv1.MutatingAdmissionPolicyBinding
	for _, file := range shipped(t) {
		for _, document := range strings.Split(string(file), "\n---\n") {
			switch {
			case strings.Contains(document, "kind: MutatingAdmissionPolicyBinding"):
				bindings = append(bindings, into(t, document, &admissionregistrationv1.MutatingAdmissionPolicyBinding{}))
			case strings.Contains(document, "kind: MutatingAdmissionPolicy\n"):
				r.policies = append(r.policies, newReferencePolicy(t, into(t, document, &admissionregistrationv1.MutatingAdmissionPolicy{})))
			}
		}
	}
	for _, binding := range bindings {
		for _, policy := range r.policies {
			if policy.manifest.Name == binding.Spec.PolicyName {
				policy.bindings = append(policy.bindings, binding)
			}
		}
	}
	return r
}

func into[T any](t testing.TB, document string, object *T) *T {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(document), object); err != nil {
		t.Fatal(err)
	}
	return object
}

func newReferencePolicy(t testing.TB, manifest *admissionregistrationv1.MutatingAdmissionPolicy) *referencePolicy {
	t.Helper()
	options := plugincel.OptionalVariableDeclarations{HasParams: manifest.Spec.ParamKind != nil, HasAuthorizer: true}
	compiler, err := plugincel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range manifest.Spec.Variables {
		compiler.CompileAndStoreVariable(&libraryVariable{v}, options, environment.StoredExpressions)
	}
	var conditions []plugincel.ExpressionAccessor
	for i := range manifest.Spec.MatchConditions {
		conditions = append(conditions, (*matchconditions.MatchCondition)(&manifest.Spec.MatchConditions[i]))
	}
	p := &referencePolicy{manifest: manifest, compiler: compiler}
	p.matcher = matchconditions.NewMatcher(compiler.CompileCondition(conditions, options, environment.StoredExpressions),
		manifest.Spec.FailurePolicy, "policy", "validate", manifest.Name)
	options.HasPatchTypes = true
	for _, m := range manifest.Spec.Mutations {
		p.patchers = append(p.patchers, patch.NewJSONPatcher(
			compiler.CompileMutatingEvaluator(&patch.JSONPatchCondition{Expression: m.JSONPatch.Expression}, options, environment.StoredExpressions)))
	}
	return p
}

// libraryVariable is a variable as the library wants it.
type libraryVariable struct {
	admissionregistrationv1.Variable
}

func (v *libraryVariable) GetName() string       { return v.Name }
func (v *libraryVariable) GetExpression() string { return v.Expression }

// ReturnTypes: a variable may be anything.
func (v *libraryVariable) ReturnTypes() []*cel.Type { return []*cel.Type{cel.AnyType, cel.DynType} }

// mutate evaluates all policies, and those with IfNeeded once more.
func (r *reference) mutate(request admission.Request, params admission.Params) (*unstructured.Unstructured, error) {
	attributes := apiserver.NewAttributesRecord(request.Object, nil, request.Kind, request.Namespace, request.Name, request.Resource,
		request.Subresource, request.Operation, nil, request.DryRun, &user.DefaultInfo{Name: request.User})
	versioned := &apiserver.VersionedAttributes{Attributes: attributes, VersionedKind: request.Kind}
	versioned.VersionedObject.Set(request.Object)
	if request.Old != nil {
		versioned.VersionedOldObject.Set(request.Old)
	}
	matched := map[string]bool{}
	for round := range 2 {
		for _, policy := range r.policies {
			for _, binding := range policy.bindings {
				for i, param := range policy.params(request, binding, params) {
					key := fmt.Sprint(policy.manifest.Name, binding.Name, i)
					if round == 1 && (!matched[key] || policy.manifest.Spec.ReinvocationPolicy != admissionregistrationv1.IfNeededReinvocationPolicy) {
						continue
					}
					var err error
					if matched[key], err = policy.invoke(versioned, param); err != nil {
						return nil, err
					}
				}
			}
		}
	}
	return versioned.VersionedObject.Object().(*unstructured.Unstructured), nil
}

// params are those that an invocation is made for; nil is one without.
func (p *referencePolicy) params(request admission.Request, binding *admissionregistrationv1.MutatingAdmissionPolicyBinding, params admission.Params) []runtime.Object {
	if !concerns(p.manifest.Spec.MatchConstraints, request) || !concerns(binding.Spec.MatchResources, request) {
		return nil
	}
	if binding.Spec.ParamRef == nil {
		return []runtime.Object{nil}
	}
	selector, _ := metav1.LabelSelectorAsSelector(binding.Spec.ParamRef.Selector)
	var all []runtime.Object
	for _, object := range params(request.Namespace, selector) {
		all = append(all, object)
	}
	return all
}

func concerns(match *admissionregistrationv1.MatchResources, request admission.Request) bool {
	if match == nil {
		return true
	}
	resource := strings.TrimSuffix(request.Resource.Resource+"/"+request.Subresource, "/")
	for _, rule := range match.ResourceRules {
		if contains(rule.APIGroups, request.Resource.Group) && contains(rule.APIVersions, request.Resource.Version) &&
			contains(rule.Operations, admissionregistrationv1.OperationType(request.Operation)) && contains(rule.Resources, resource) {
			return true
		}
	}
	return false
}

func contains[T comparable](list []T, item T) bool {
	for _, one := range list {
		if one == item {
			return true
		}
	}
	return false
}

func (p *referencePolicy) invoke(versioned *apiserver.VersionedAttributes, param runtime.Object) (bool, error) {
	ctx := p.compiler.CreateContext(context.Background())
	match := p.matcher.Match(ctx, versioned, param, admission.Authorizer(nil))
	if match.Error != nil || !match.Matches {
		return false, match.Error
	}
	for _, patcher := range p.patchers {
		patched, err := patcher.Patch(ctx, patch.Request{
			MatchedResource: versioned.GetResource(), VersionedAttributes: versioned,
			OptionalVariables: plugincel.OptionalVariableBindings{VersionedParams: param, Authorizer: admission.Authorizer(nil)},
			ObjectInterfaces: &apiserver.RuntimeObjectInterfaces{
				ObjectCreater: unstructuredscheme.NewUnstructuredCreator(), ObjectTyper: unstructuredscheme.NewUnstructuredObjectTyper(),
			},
		}, celconfig.RuntimeCELCostBudget)
		if err != nil {
			return false, err
		}
		versioned.UpdateObject(asStored(patched.(*unstructured.Unstructured)))
	}
	return true, nil
}

// asStored is the object as the server has it between two steps: a built-in kind as its Go value, another with the metadata
// of one.
func asStored(o *unstructured.Unstructured) *unstructured.Unstructured {
	typed, err := scheme.Scheme.New(o.GroupVersionKind())
	if runtime.IsNotRegisteredError(err) {
		return o
	}
	content, err := throughGo(o.Object, typed)
	if err != nil {
		panic(err)
	}
	return &unstructured.Unstructured{Object: content}
}

func throughGo(content map[string]any, typed any) (map[string]any, error) {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, typed); err != nil {
		return nil, err
	}
	return runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
}
