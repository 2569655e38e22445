package admission

import (
	"errors"
	"fmt"

	"github.com/google/cel-go/common/types"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// mutate evaluates every policy that the request concerns, lets the webhook see the object, and asks those policies again
// that want it. Where nothing has changed the object, asking again would give the same answers, so it is left out.
func (p *Policies) mutate(f *facts, params Params) error {
	invocations, failures := p.invocations(f.request, params)
	if len(invocations) == 0 && len(failures) == 0 && p.webhook == nil {
		return nil
	}
	e := &evaluation{facts: f, shape: shapeOf(f.request.Kind), failures: failures}
	for i := range invocations {
		invocations[i].asked = e.evaluate(&invocations[i])
	}
	if err := e.refusal(); err != nil {
		return err
	}
	if p.webhook != nil {
		if object := p.webhook(*f.request, e.object); object != e.object {
			e.see(object)
		}
	}
	if e.object != f.request.Object {
		for i := range invocations {
			if invocations[i].asked && invocations[i].policy.again {
				e.evaluate(&invocations[i])
			}
		}
	}
	if result := e.result(); result != e.object {
		e.see(result)
	}
	return e.refusal()
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
func (r *paramRef) collect(namespace string, params Params) ([]any, error) {
	if r.namespace != "" {
		namespace = r.namespace
	}
	if namespace == "" {
		return nil, errors.New("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources")
	}
	var found []any
	if params != nil {
		for _, object := range params(namespace, r.selector) {
			if r.name == "" || r.name == object.GetName() {
				found = append(found, paramValue(object))
			}
		}
	}
	if len(found) == 0 && r.deny {
		return nil, errors.New("no params found for policy binding with `Deny` parameterNotFoundAction")
	}
	return found, nil
}

// paramValue is a ConfigMap as policies see it: the server's cache of ConfigMaps keeps no apiVersion and kind.
func paramValue(object *unstructured.Unstructured) any {
	content := make(map[string]any, len(object.Object))
	for key, value := range object.Object {
		if key != "apiVersion" && key != "kind" {
			content[key] = value
		}
	}
	return types.DefaultTypeAdapter.NativeToValue(content)
}
