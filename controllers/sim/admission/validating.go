package admission

import (
	"errors"
	"fmt"

	"github.com/google/cel-go/cel"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
)

// validatingPolicy is a ValidatingAdmissionPolicy ready to be evaluated.
type validatingPolicy struct {
	manifest    *admissionregistrationv1.ValidatingAdmissionPolicy
	rules       rules
	bindings    []*validatingBinding
	of          *expressions
	conditions  []program
	validations []program
	messages    []*program // nil where a validation has no message expression
	tolerant    bool       // failurePolicy Ignore
}

type validatingBinding struct {
	name  string
	rules rules
	deny  bool // validationActions has Deny; Audit and Warn change nothing that is stored
}

func compileValidating(in *cel.Env, manifest *admissionregistrationv1.ValidatingAdmissionPolicy,
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
	return policy, policy.compile(in)
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
func (p *validatingPolicy) compile(in *cel.Env) error {
	spec := &p.manifest.Spec
	var err error
	if p.of, err = newExpressions(in, spec.Variables, false); err != nil {
		return err
	}
	if p.conditions, err = p.of.conditions(spec.MatchConditions); err != nil {
		return err
	}
	for i, v := range spec.Validations {
		compiled, err := p.of.compile(fmt.Sprintf("validation %d", i), validation(v), p.of.declared)
		if err != nil {
			return err
		}
		p.validations, p.messages = append(p.validations, compiled), append(p.messages, nil)
		if v.MessageExpression == "" {
			continue
		}
		// A message cannot ask the authorizer.
		text, err := p.of.compile(fmt.Sprintf("message of validation %d", i), message(v.MessageExpression), plugincel.OptionalVariableDeclarations{})
		if err != nil {
			return err
		}
		p.messages[i] = &text
	}
	return nil
}
