package admission

import (
	"errors"
	"fmt"

	"github.com/google/cel-go/cel"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch"
)

// mutatingPolicy is a MutatingAdmissionPolicy ready to be evaluated.
type mutatingPolicy struct {
	manifest   *admissionregistrationv1.MutatingAdmissionPolicy
	rules      rules
	bindings   []*mutatingBinding
	of         *expressions
	conditions []program
	mutations  []program
	again      bool // reinvocationPolicy IfNeeded
	tolerant   bool // failurePolicy Ignore
}

type mutatingBinding struct {
	manifest *admissionregistrationv1.MutatingAdmissionPolicyBinding
	rules    rules
	params   *paramRef // nil: evaluated once, without
}

// paramRef says which ConfigMaps a binding is evaluated with, once for each.
type paramRef struct {
	namespace, name string
	selector        labels.Selector
	deny            bool // when there is none
}

func compileMutating(in *cel.Env, manifest *admissionregistrationv1.MutatingAdmissionPolicy,
	bindings []*admissionregistrationv1.MutatingAdmissionPolicyBinding) (*mutatingPolicy, error) {
	spec := &manifest.Spec
	if spec.MatchConstraints == nil || len(spec.MatchConstraints.ResourceRules) == 0 {
		return nil, errors.New("spec.matchConstraints.resourceRules must not be empty")
	}
	if err := errors.Join(unsupportedMatch("spec.matchConstraints", spec.MatchConstraints), unsupportedParamKind(spec.ParamKind)); err != nil {
		return nil, err
	}
	of, err := newExpressions(in, spec.Variables, spec.ParamKind != nil)
	if err != nil {
		return nil, err
	}
	policy := &mutatingPolicy{
		manifest: manifest, rules: newRules(spec.MatchConstraints.ResourceRules), of: of,
		again:    spec.ReinvocationPolicy == admissionregistrationv1.IfNeededReinvocationPolicy,
		tolerant: spec.FailurePolicy != nil && *spec.FailurePolicy == admissionregistrationv1.Ignore,
	}
	if policy.conditions, err = of.conditions(spec.MatchConditions); err != nil {
		return nil, err
	}
	if policy.mutations, err = of.mutations(spec.Mutations); err != nil {
		return nil, err
	}
	for _, binding := range bindings {
		if binding.Spec.PolicyName != manifest.Name {
			continue
		}
		bound, err := newMutatingBinding(binding, spec.ParamKind != nil)
		if err != nil {
			return nil, fmt.Errorf("binding %s: %w", binding.Name, err)
		}
		policy.bindings = append(policy.bindings, bound)
	}
	return policy, nil
}

func (e *expressions) mutations(from []admissionregistrationv1.Mutation) ([]program, error) {
	declared := e.declared
	declared.HasPatchTypes = true
	var all []program
	for i, mutation := range from {
		name := fmt.Sprintf("mutation %d", i)
		if mutation.PatchType != admissionregistrationv1.PatchTypeJSONPatch || mutation.JSONPatch == nil {
			return nil, fmt.Errorf("%s: patchType %q is not evaluated here; only JSONPatch is", name, mutation.PatchType)
		}
		compiled, err := e.compile(name, &patch.JSONPatchCondition{Expression: mutation.JSONPatch.Expression}, declared)
		if err != nil {
			return nil, err
		}
		all = append(all, compiled)
	}
	return all, nil
}

func newMutatingBinding(manifest *admissionregistrationv1.MutatingAdmissionPolicyBinding, hasParams bool) (*mutatingBinding, error) {
	binding := &mutatingBinding{manifest: manifest}
	if match := manifest.Spec.MatchResources; match != nil {
		if err := unsupportedMatch("spec.matchResources", match); err != nil {
			return nil, err
		}
		binding.rules = newRules(match.ResourceRules)
	}
	if !hasParams || manifest.Spec.ParamRef == nil {
		return binding, nil
	}
	var err error
	binding.params, err = newParamRef(manifest.Spec.ParamRef)
	return binding, err
}

func newParamRef(from *admissionregistrationv1.ParamRef) (*paramRef, error) {
	ref := &paramRef{namespace: from.Namespace, name: from.Name, selector: labels.Everything()}
	ref.deny = from.ParameterNotFoundAction != nil && *from.ParameterNotFoundAction == admissionregistrationv1.DenyAction
	if (from.Name == "") == (from.Selector == nil) {
		return nil, errors.New("spec.paramRef must have exactly one of name and selector")
	}
	if from.Selector == nil {
		return ref, nil
	}
	var err error
	if ref.selector, err = metav1.LabelSelectorAsSelector(from.Selector); err != nil {
		return nil, fmt.Errorf("spec.paramRef.selector: %w", err)
	}
	return ref, nil
}
