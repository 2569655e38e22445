package admission

import (
	"context"
	"reflect"

	"github.com/google/cel-go/common/types/traits"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured/unstructuredscheme"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

// evaluation is one request on its way through the mutating policies.
type evaluation struct {
	ctx       context.Context
	request   *Request
	authorize Authorizer
	// object is what the policies so far have made of the request's.
	object     *unstructured.Unstructured
	attributes *admission.VersionedAttributes
	// shape is the Go type of the kind where the server keeps it as one, else nil.
	shape    reflect.Type
	failures []failure
}

func newEvaluation(ctx context.Context, request *Request, authorize Authorizer, failures []failure) *evaluation {
	return &evaluation{
		ctx: ctx, request: request, authorize: authorize, object: request.Object, attributes: request.versioned(),
		shape: shapeOf(request.Kind), failures: failures,
	}
}

// set makes an object the one that the next expressions see.
func (e *evaluation) set(object *unstructured.Unstructured) {
	if object != e.object {
		e.object = object
		e.attributes.UpdateObject(object)
	}
}

// evaluate asks one invocation; false: its conditions do not match, or failed.
func (e *evaluation) evaluate(i *invocation) bool {
	ctx := i.policy.compiler.CreateContext(e.ctx)
	if i.policy.matcher != nil {
		match := i.policy.matcher.Match(ctx, e.attributes, i.param, e.authorize)
		if match.Error != nil {
			e.failures = append(e.failures, failure{i.policy, i.binding, match.Error, true})
		}
		if match.Error != nil || !match.Matches {
			return false
		}
	}
	for _, evaluator := range i.policy.mutations {
		object, err := e.mutation(ctx, evaluator, i.param)
		if err != nil {
			e.failures = append(e.failures, failure{i.policy, i.binding, err, true})
			continue
		}
		e.set(object)
	}
	return true
}

// mutation gives the object after one mutation; the very same where that changes nothing.
func (e *evaluation) mutation(ctx context.Context, evaluator plugincel.MutatingEvaluator, param runtime.Object) (*unstructured.Unstructured, error) {
	bindings := plugincel.OptionalVariableBindings{VersionedParams: param, Authorizer: e.authorize}
	asked := plugincel.CreateAdmissionRequest(e.attributes.Attributes, metav1.GroupVersionResource(e.request.Resource), metav1.GroupVersionKind(e.request.Kind))
	evaluated, _, err := evaluator.ForInput(ctx, e.attributes, asked, bindings, nil, celconfig.RuntimeCELCostBudget)
	if err == nil {
		err = evaluated.Error
	}
	if err != nil {
		return nil, err
	}
	if list, is := evaluated.EvalResult.(traits.Lister); is {
		if result, done := e.apply(operationsOf(list)); done {
			return result, nil
		}
	}
	return e.byTheLibrary(ctx, evaluator, bindings)
}

// byTheLibrary is the server's own way: to text, patched, and back. It takes what is not done here, and finds the words for
// what cannot be done at all.
func (e *evaluation) byTheLibrary(ctx context.Context, evaluator plugincel.MutatingEvaluator, bindings plugincel.OptionalVariableBindings) (*unstructured.Unstructured, error) {
	patched, err := patch.NewJSONPatcher(evaluator).Patch(ctx, patch.Request{
		MatchedResource: e.request.Resource, VersionedAttributes: e.attributes, OptionalVariables: bindings,
		ObjectInterfaces: &admission.RuntimeObjectInterfaces{
			ObjectCreater: unstructuredscheme.NewUnstructuredCreator(), ObjectTyper: unstructuredscheme.NewUnstructuredObjectTyper(),
		},
	}, celconfig.RuntimeCELCostBudget)
	if err != nil {
		return nil, err
	}
	return patched.(*unstructured.Unstructured), nil
}
