package admission

import (
	"context"
	"errors"
	"reflect"

	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured/unstructuredscheme"
	"k8s.io/apiserver/pkg/admission"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch"
)

// evaluation is one request on its way through the mutating policies.
type evaluation struct {
	*facts
	// shape is the Go type of the kind where the server keeps it as one, else nil.
	shape    reflect.Type
	failures []failure
}

// invocation is one policy with one of its bindings and one of that binding's params.
type invocation struct {
	policy  *mutatingPolicy
	binding *mutatingBinding
	param   any  // nil: none
	asked   bool // its conditions matched the first time
	// scope is the last one evaluated in, seen the object in it, and idle the object that each mutation left as it was.
	scope *scope
	seen  *unstructured.Unstructured
	idle  []*unstructured.Unstructured
}

// evaluate asks one invocation; false: its conditions do not match, or failed.
func (e *evaluation) evaluate(i *invocation) bool {
	matches, err := e.scope(i).match(i.policy.conditions)
	if err != nil && !i.policy.tolerant {
		e.failures = append(e.failures, failure{i.policy, i.binding, err, true})
	}
	if err != nil || !matches {
		return false
	}
	if i.idle == nil {
		i.idle = make([]*unstructured.Unstructured, len(i.policy.mutations))
	}
	for m := range i.policy.mutations {
		// Nothing but the object can be another one when a policy is asked again.
		if i.idle[m] == e.object {
			continue
		}
		object, err := e.mutation(e.scope(i), &i.policy.mutations[m])
		switch {
		case err != nil:
			e.failures = append(e.failures, failure{i.policy, i.binding, err, true})
		case object == e.object:
			i.idle[m] = object
		default:
			e.see(object)
		}
	}
	return true
}

// scope keeps what was evaluated for as long as the object is the same.
func (e *evaluation) scope(i *invocation) *scope {
	if i.scope == nil || i.seen != e.object {
		i.scope, i.seen = newScope(e.facts, i.policy.of, i.param), e.object
	}
	return i.scope
}

// mutation gives the object after one mutation; the very same where that changes nothing.
func (e *evaluation) mutation(s *scope, of *program) (*unstructured.Unstructured, error) {
	value, err := s.evaluate(of)
	if err != nil {
		return nil, err
	}
	list, is := value.(traits.Lister)
	if !is {
		return nil, errors.New("type mismatch: JSONPatchType.expression should evaluate to array")
	}
	if result, done := e.apply(operationsOf(list)); done {
		return result, nil
	}
	return e.byTheLibrary(list)
}

// byTheLibrary is the server's own way: to text, patched, and back. It takes what is not done here, and finds the words for
// what cannot be done at all.
func (e *evaluation) byTheLibrary(list ref.Val) (*unstructured.Unstructured, error) {
	versioned := &admission.VersionedAttributes{Attributes: e.requestAttributes(), VersionedKind: e.request.Kind}
	versioned.VersionedObject.Set(e.object)
	patched, err := patch.NewJSONPatcher(evaluated{list}).Patch(context.Background(), patch.Request{
		MatchedResource: e.request.Resource, VersionedAttributes: versioned,
		ObjectInterfaces: &admission.RuntimeObjectInterfaces{
			ObjectCreater: unstructuredscheme.NewUnstructuredCreator(), ObjectTyper: unstructuredscheme.NewUnstructuredObjectTyper(),
		},
	}, 0)
	if err != nil {
		return nil, err
	}
	return patched.(*unstructured.Unstructured), nil
}

// evaluated is a mutation of which the value is known.
type evaluated struct{ value ref.Val }

var _ plugincel.MutatingEvaluator = evaluated{}

// ForInput gives the value.
func (e evaluated) ForInput(context.Context, *admission.VersionedAttributes, *admissionv1.AdmissionRequest, plugincel.OptionalVariableBindings,
	*corev1.Namespace, int64) (plugincel.EvaluationResult, int64, error) {
	return plugincel.EvaluationResult{EvalResult: e.value}, 0, nil
}

// CompilationErrors: it has been evaluated, so there are none.
func (e evaluated) CompilationErrors() []error { return nil }
