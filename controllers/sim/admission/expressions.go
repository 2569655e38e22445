package admission

import (
	"errors"
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/util/version"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	"k8s.io/apiserver/pkg/cel/environment"
)

// The oldest API server that Belay runs on. The library is newer, and in this mode it refuses what that server does not know.
const (
	serverMajor, serverMinor = 1, 36
	mode                     = environment.NewExpressions
)

// expressions compiles those of one policy. The policy's variables are composed as the API server does it: each is
// evaluated when an expression asks for it.
type expressions struct {
	*plugincel.CompositedCompiler
	declared plugincel.OptionalVariableDeclarations
}

func newExpressions(variables []admissionregistrationv1.Variable, hasParams bool) (*expressions, error) {
	compiler, err := plugincel.NewCompositedCompiler(environment.MustBaseEnvSet(version.MajorMinor(serverMajor, serverMinor)))
	if err != nil {
		return nil, err
	}
	e := &expressions{compiler, plugincel.OptionalVariableDeclarations{HasParams: hasParams, HasAuthorizer: true}}
	for _, v := range variables {
		if err := unsupportedExpression(v.Expression); err != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Name, err)
		}
		if result := e.CompileAndStoreVariable(variable(v), e.declared, mode); result.Error != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Name, result.Error)
		}
	}
	return e, nil
}

// matcher is nil when there are no conditions.
func (e *expressions) matcher(conditions []admissionregistrationv1.MatchCondition,
	failure *admissionregistrationv1.FailurePolicyType, policy string) (matchconditions.Matcher, error) {
	if len(conditions) == 0 {
		return nil, nil
	}
	accessors := make([]plugincel.ExpressionAccessor, len(conditions))
	for i := range conditions {
		accessors[i] = (*matchconditions.MatchCondition)(&conditions[i])
	}
	compiled, err := e.conditions(accessors, e.declared)
	if err != nil {
		return nil, fmt.Errorf("match conditions: %w", err)
	}
	return matchconditions.NewMatcher(compiled, failure, "policy", "validate", policy), nil
}

// conditions compiles a list of which entries may be nil.
func (e *expressions) conditions(accessors []plugincel.ExpressionAccessor, declared plugincel.OptionalVariableDeclarations) (plugincel.ConditionEvaluator, error) {
	for _, accessor := range accessors {
		if accessor == nil {
			continue
		}
		if err := unsupportedExpression(accessor.GetExpression()); err != nil {
			return nil, err
		}
	}
	compiled := e.CompileCondition(accessors, declared, mode)
	return compiled, errors.Join(compiled.CompilationErrors()...)
}
