package admission

import (
	"fmt"
	"reflect"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apiserver/pkg/admission"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/cel/common"
	"k8s.io/apiserver/pkg/cel/library"
)

// facts are what the expressions of all policies see of one request. What none asks for is never made.
type facts struct {
	request   *Request
	authorize Authorizer
	// object is what the policies have made of the request's so far, and value the same to an expression.
	object     *unstructured.Unstructured
	value, old any
	asked      ref.Val
	attributes admission.Attributes
}

func newFacts(request *Request, authorize Authorizer) *facts {
	f := &facts{request: request, authorize: authorize}
	f.see(request.Object)
	if request.Old != nil {
		f.old = types.DefaultTypeAdapter.NativeToValue(request.Old.Object)
	}
	return f
}

// see makes an object the one that expressions see from now on.
func (f *facts) see(object *unstructured.Unstructured) {
	f.object, f.value = object, nil
	if object != nil {
		f.value = types.DefaultTypeAdapter.NativeToValue(object.Object)
	}
}

func (f *facts) requestAttributes() admission.Attributes {
	if f.attributes == nil {
		f.attributes = f.request.attributes()
	}
	return f.attributes
}

func (f *facts) requestValue() ref.Val {
	if f.asked == nil {
		f.asked = common.SchemalessTypedToVal(plugincel.CreateAdmissionRequest(f.requestAttributes(),
			metav1.GroupVersionResource(f.request.Resource), metav1.GroupVersionKind(f.request.Kind)))
	}
	return f.asked
}

// scope is what the expressions of one policy see, with one of its params: the facts, and the policy's own variables, which
// are evaluated when an expression asks for them. It is for one state of the object: when that changes, variables have to be
// evaluated anew.
type scope struct {
	*facts
	of     *expressions
	params any
	values []ref.Val
}

var _ interpreter.Activation = &scope{}

func newScope(f *facts, of *expressions, params any) *scope {
	return &scope{facts: f, of: of, params: params, values: make([]ref.Val, len(of.variables))}
}

// ResolveName gives the value of a name in an expression.
func (s *scope) ResolveName(name string) (any, bool) {
	switch name {
	case plugincel.ObjectVarName:
		return s.value, true
	case plugincel.OldObjectVarName:
		return s.old, true
	case plugincel.ParamsVarName:
		return s.params, true
	case plugincel.VariableVarName:
		return (*variables)(s), true
	case plugincel.RequestVarName:
		return s.requestValue(), true
	case plugincel.AuthorizerVarName:
		return library.NewAuthorizerVal(s.requestAttributes().GetUserInfo(), s.authorize), true
	case plugincel.RequestResourceAuthorizerVarName:
		return library.NewResourceAuthorizerVal(s.requestAttributes().GetUserInfo(), s.authorize, s.requestAttributes()), true
	default:
		return nil, false
	}
}

// Parent: there is no scope around this one.
func (s *scope) Parent() interpreter.Activation { return nil }

// evaluate gives the value of an expression, or an error in the server's words.
func (s *scope) evaluate(p *program) (ref.Val, error) {
	value, _, err := p.Eval(s)
	if err != nil {
		return nil, fmt.Errorf("expression '%v' resulted in error: %w", p.text, err)
	}
	return value, nil
}

// match tells whether all conditions hold. One that does not hold counts more than one that fails.
func (s *scope) match(conditions []program) (bool, error) {
	var failed []error
	for i := range conditions {
		value, err := s.evaluate(&conditions[i])
		if err != nil {
			failed = append(failed, err)
		} else if value == types.False {
			return false, nil
		}
	}
	if len(failed) > 0 {
		return false, utilerrors.NewAggregate(failed)
	}
	return true, nil
}

// variables are the scope as the value of the name `variables`.
type variables scope

// Get gives a variable's value.
func (v *variables) Get(name ref.Val) ref.Val {
	text, _ := name.(types.String)
	at, known := v.of.names[string(text)]
	if !known {
		return types.NewErr("no such key: %v", name)
	}
	if v.values[at] == nil {
		v.values[at] = v.evaluated(&v.of.variables[at])
	}
	return v.values[at]
}

func (v *variables) evaluated(p *program) ref.Val {
	value, _, err := p.Eval((*scope)(v))
	if err != nil {
		return types.NewErr("composited variable %q fails to evaluate: %v", p.name, err)
	}
	return value
}

// IsSet tells whether there is such a variable.
func (v *variables) IsSet(name ref.Val) ref.Val {
	text, _ := name.(types.String)
	_, known := v.of.names[string(text)]
	return types.Bool(known)
}

// ConvertToNative and the following are what a value must have; no expression comes to use them.
func (v *variables) ConvertToNative(to reflect.Type) (any, error) {
	return nil, fmt.Errorf("variables cannot be converted to %s", to)
}

// ConvertToType is not possible.
func (v *variables) ConvertToType(ref.Type) ref.Val {
	return types.NewErr("variables cannot be converted")
}

// Equal only to itself.
func (v *variables) Equal(other ref.Val) ref.Val { return types.Bool(other == ref.Val(v)) }

// Type is that of a map.
func (v *variables) Type() ref.Type { return types.MapType }

// Value is the value itself.
func (v *variables) Value() any { return v }
