package admission

import (
	"errors"
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/labels"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// mutatingPolicy is a MutatingAdmissionPolicy ready to be evaluated.
type mutatingPolicy struct {
	manifest  *admissionregistrationv1.MutatingAdmissionPolicy
	rules     rules
	bindings  []*mutatingBinding
	compiler  *plugincel.CompositedCompiler
	matcher   matchconditions.Matcher // nil: always
	mutations []plugincel.MutatingEvaluator
	again     bool // reinvocationPolicy IfNeeded
	tolerant  bool // failurePolicy Ignore
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

func compileMutating(manifest *admissionregistrationv1.MutatingAdmissionPolicy,
	bindings []*admissionregistrationv1.MutatingAdmissionPolicyBinding) (*mutatingPolicy, error) {
	spec := &manifest.Spec
	if spec.MatchConstraints == nil || len(spec.MatchConstraints.ResourceRules) == 0 {
		return nil, errors.New("spec.matchConstraints.resourceRules must not be empty")
	}
	if err := errors.Join(unsupportedMatch("spec.matchConstraints", spec.MatchConstraints), unsupportedParamKind(spec.ParamKind)); err != nil {
		return nil, err
	}
	compiler, err := newExpressions(spec.Variables, spec.ParamKind != nil)
	if err != nil {
		return nil, err
	}
	policy := &mutatingPolicy{
		manifest: manifest, rules: newRules(spec.MatchConstraints.ResourceRules), compiler: compiler.CompositedCompiler,
		again:    spec.ReinvocationPolicy == admissionregistrationv1.IfNeededReinvocationPolicy,
		tolerant: spec.FailurePolicy != nil && *spec.FailurePolicy == admissionregistrationv1.Ignore,
	}
	if policy.matcher, err = compiler.matcher(spec.MatchConditions, spec.FailurePolicy, manifest.Name); err != nil {
		return nil, err
	}
	if policy.mutations, err = compiler.mutations(spec.Mutations); err != nil {
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

func (e *expressions) mutations(from []admissionregistrationv1.Mutation) ([]plugincel.MutatingEvaluator, error) {
	declared := e.declared
	declared.HasPatchTypes = true
	var all []plugincel.MutatingEvaluator
	for i, mutation := range from {
		if mutation.PatchType != admissionregistrationv1.PatchTypeJSONPatch || mutation.JSONPatch == nil {
			return nil, fmt.Errorf("mutation %d: patchType %q is not evaluated here; only JSONPatch is", i, mutation.PatchType)
		}
		if err := unsupportedExpression(mutation.JSONPatch.Expression); err != nil {
			return nil, fmt.Errorf("mutation %d: %w", i, err)
		}
		compiled := e.CompileMutatingEvaluator(&patch.JSONPatchCondition{Expression: mutation.JSONPatch.Expression}, declared, mode)
		if err := errors.Join(compiled.CompilationErrors()...); err != nil {
			return nil, fmt.Errorf("mutation %d: %w", i, err)
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
