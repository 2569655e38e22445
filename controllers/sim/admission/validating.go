package admission

import (
	"errors"
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
)

// validatingPolicy is a ValidatingAdmissionPolicy ready to be evaluated.
type validatingPolicy struct {
	manifest    *admissionregistrationv1.ValidatingAdmissionPolicy
	rules       rules
	bindings    []*validatingBinding
	matcher     matchconditions.Matcher // nil: always
	validations plugincel.ConditionEvaluator
	messages    plugincel.ConditionEvaluator
	tolerant    bool // failurePolicy Ignore
}

type validatingBinding struct {
	name  string
	rules rules
	deny  bool // validationActions has Deny; Audit and Warn change nothing that is stored
}

func compileValidating(manifest *admissionregistrationv1.ValidatingAdmissionPolicy,
	bindings []*admissionregistrationv1.ValidatingAdmissionPolicyBinding) (*validatingPolicy, error) {
	spec := &manifest.Spec
	switch {
	case spec.MatchConstraints == nil || len(spec.MatchConstraints.ResourceRules) == 0:
		return nil, errors.New("spec.matchConstraints.resourceRules must not be empty")
	case spec.ParamKind != nil:
		return nil, errors.New("spec.paramKind is not evaluated here for validating policies; leave it out")
	case len(spec.AuditAnnotations) > 0:
		return nil, errors.New("spec.auditAnnotations are not evaluated here; leave them out")
	}
	if err := unsupportedMatch("spec.matchConstraints", spec.MatchConstraints); err != nil {
		return nil, err
	}
	policy := &validatingPolicy{
		manifest: manifest, rules: newRules(spec.MatchConstraints.ResourceRules),
		tolerant: spec.FailurePolicy != nil && *spec.FailurePolicy == admissionregistrationv1.Ignore,
	}
	for _, binding := range bindings {
		if binding.Spec.PolicyName != manifest.Name {
			continue
		}
		bound, err := newValidatingBinding(binding)
		if err != nil {
			return nil, fmt.Errorf("binding %s: %w", binding.Name, err)
		}
		policy.bindings = append(policy.bindings, bound)
	}
	return policy, policy.compile()
}

func newValidatingBinding(manifest *admissionregistrationv1.ValidatingAdmissionPolicyBinding) (*validatingBinding, error) {
	binding := &validatingBinding{name: manifest.Name}
	for _, action := range manifest.Spec.ValidationActions {
		binding.deny = binding.deny || action == admissionregistrationv1.Deny
	}
	if match := manifest.Spec.MatchResources; match != nil {
		binding.rules = newRules(match.ResourceRules)
	}
	return binding, unsupportedMatch("spec.matchResources", manifest.Spec.MatchResources)
}

// compile reads the expressions: match conditions, validations and their messages.
func (p *validatingPolicy) compile() error {
	spec := &p.manifest.Spec
	compiler, err := newExpressions(spec.Variables, false)
	if err != nil {
		return err
	}
	if p.matcher, err = compiler.matcher(spec.MatchConditions, spec.FailurePolicy, p.manifest.Name); err != nil {
		return err
	}
	validations := make([]plugincel.ExpressionAccessor, len(spec.Validations))
	messages := make([]plugincel.ExpressionAccessor, len(spec.Validations))
	for i, v := range spec.Validations {
		validations[i] = validation(v)
		if v.MessageExpression != "" {
			messages[i] = message(v.MessageExpression)
		}
	}
	if p.validations, err = compiler.conditions(validations, compiler.declared); err != nil {
		return fmt.Errorf("validations: %w", err)
	}
	// A message cannot ask the authorizer.
	if p.messages, err = compiler.conditions(messages, plugincel.OptionalVariableDeclarations{}); err != nil {
		return fmt.Errorf("message expressions: %w", err)
	}
	return nil
}
