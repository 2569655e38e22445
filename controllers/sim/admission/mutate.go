package admission

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// invocation is one policy with one of its bindings and one of that binding's params.
type invocation struct {
	policy  *mutatingPolicy
	binding *mutatingBinding
	param   runtime.Object // nil: none
	asked   bool           // its conditions matched the first time
}

// mutate evaluates every policy that the request concerns, lets the webhook see the object, and asks those policies again
// that want it. Where nothing has changed the object, asking again would give the same answers, so it is left out.
func (p *Policies) mutate(ctx context.Context, request Request, params Params, authorize Authorizer) (*unstructured.Unstructured, error) {
	invocations, failures := p.invocations(&request, params)
	if len(invocations) == 0 && len(failures) == 0 && p.webhook == nil {
		return request.Object, nil
	}
	e := newEvaluation(ctx, &request, authorize, failures)
	for i := range invocations {
		invocations[i].asked = e.evaluate(&invocations[i])
	}
	if err := e.refusal(); err != nil {
		return nil, err
	}
	if p.webhook != nil {
		e.set(p.webhook(request, e.object))
	}
	if e.object != request.Object {
		for i := range invocations {
			if invocations[i].asked && invocations[i].policy.again {
				e.evaluate(&invocations[i])
			}
		}
	}
	if err := e.refusal(); err != nil {
		return nil, err
	}
	return e.result(), nil
}

func (p *Policies) invocations(request *Request, params Params) (all []invocation, failures []failure) {
	for _, policy := range p.mutating {
		if !policy.rules.match(request) {
			continue
		}
		for _, binding := range policy.bindings {
			if !binding.rules.match(request) {
				continue
			}
			if binding.params == nil {
				all = append(all, invocation{policy: policy, binding: binding})
				continue
			}
			found, err := binding.params.collect(request.Namespace, params)
			if err != nil {
				failures = append(failures, failure{policy, binding, fmt.Errorf("failed to configure binding: %w", err), false})
			}
			for _, param := range found {
				all = append(all, invocation{policy: policy, binding: binding, param: param})
			}
		}
	}
	return all, failures
}

// collect finds the ConfigMaps; those of the request's namespace, unless the reference names another.
func (r *paramRef) collect(namespace string, params Params) ([]runtime.Object, error) {
	if r.namespace != "" {
		namespace = r.namespace
	}
	if namespace == "" {
		return nil, errors.New("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources")
	}
	var found []runtime.Object
	if params != nil {
		for _, object := range params(namespace, r.selector) {
			if r.name == "" || r.name == object.GetName() {
				found = append(found, param{object})
			}
		}
	}
	if len(found) == 0 && r.deny {
		return nil, errors.New("no params found for policy binding with `Deny` parameterNotFoundAction")
	}
	return found, nil
}

// param is a ConfigMap as policies see it: the server's cache of ConfigMaps keeps no apiVersion and kind.
type param struct{ *unstructured.Unstructured }

// ToUnstructured is how the library asks for the content without a detour through text.
func (p param) ToUnstructured() any {
	content := make(map[string]any, len(p.Object))
	for key, value := range p.Object {
		if key != "apiVersion" && key != "kind" {
			content[key] = value
		}
	}
	return content
}
