package admission

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/cel-go/common/types"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/admission"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	apiservercel "k8s.io/apiserver/pkg/cel"
)

// validate asks the policies that concern the request, and gives the first refusal.
func (p *Policies) validate(ctx context.Context, request *Request, authorize Authorizer) error {
	var attributes *admission.VersionedAttributes
	for _, policy := range p.validating {
		if !policy.rules.match(request) {
			continue
		}
		for _, binding := range policy.bindings {
			if !binding.deny || !binding.rules.match(request) {
				continue
			}
			if attributes == nil {
				attributes = request.versioned()
			}
			if denial := policy.evaluate(ctx, attributes, authorize); denial != nil {
				return denial.refusal(attributes.Attributes, policy, binding)
			}
		}
	}
	return nil
}

// denial is why a policy does not let a write pass.
type denial struct {
	message string
	reason  metav1.StatusReason
}

// evaluate gives the first denial, nil for none.
func (p *validatingPolicy) evaluate(ctx context.Context, attributes *admission.VersionedAttributes, authorize Authorizer) *denial {
	if p.matcher != nil {
		match := p.matcher.Match(ctx, attributes, nil, authorize)
		if match.Error != nil {
			return p.stumbled(match.Error)
		}
		if !match.Matches {
			return nil
		}
	}
	asked := plugincel.CreateAdmissionRequest(attributes.Attributes, metav1.GroupVersionResource(attributes.GetResource()), metav1.GroupVersionKind(attributes.VersionedKind))
	results, left, err := p.validations.ForInput(ctx, attributes, asked, plugincel.OptionalVariableBindings{Authorizer: authorize}, nil, celconfig.RuntimeCELCostBudget)
	if err != nil {
		return p.stumbled(err)
	}
	messages, _, err := p.messages.ForInput(ctx, attributes, asked, plugincel.OptionalVariableBindings{}, nil, left)
	for i, result := range results {
		var denied *denial
		switch {
		case result.Error != nil:
			denied = p.stumbled(result.Error)
		case errors.Is(err, apiservercel.ErrInternal) || errors.Is(err, apiservercel.ErrOutOfBudget):
			denied = p.stumbled(fmt.Errorf("failed messageExpression: %w", err))
		case result.EvalResult != types.True:
			denied = p.denied(i, messages)
		}
		if denied != nil {
			return denied
		}
	}
	return nil
}

// stumbled is an evaluation that failed: failurePolicy decides.
func (p *validatingPolicy) stumbled(err error) *denial {
	if p.tolerant {
		return nil
	}
	return &denial{message: err.Error()}
}

// denied is a validation that came out false: its words are the message expression's, else the message, else the expression.
func (p *validatingPolicy) denied(i int, messages []plugincel.EvaluationResult) *denial {
	validation := p.manifest.Spec.Validations[i]
	d := &denial{}
	if validation.Reason != nil {
		d.reason = *validation.Reason
	}
	if i < len(messages) && messages[i].Error == nil && messages[i].EvalResult != nil {
		text, _ := messages[i].EvalResult.Value().(string)
		d.message = strings.TrimSpace(text)
		if len(d.message) > celconfig.MaxEvaluatedMessageExpressionSizeBytes || strings.Contains(d.message, "\n") {
			d.message = ""
		}
	}
	if d.message == "" {
		d.message = strings.TrimSpace(validation.Message)
	}
	if d.message == "" {
		d.message = "failed expression: " + strings.TrimSpace(validation.Expression)
	}
	return d
}

// refusal is what the writer gets, in the API server's words.
func (d *denial) refusal(attributes admission.Attributes, policy *validatingPolicy, binding *validatingBinding) error {
	message := fmt.Sprintf("ValidatingAdmissionPolicy '%s' with binding '%s' denied request: %s", policy.manifest.Name, binding.name, d.message)
	var refused *apierrors.StatusError
	if err := admission.NewForbidden(attributes, errors.New(message)); !errors.As(err, &refused) {
		return err
	}
	refused.ErrStatus.Reason = d.reason
	if d.reason == "" {
		refused.ErrStatus.Reason = metav1.StatusReasonInvalid
	}
	refused.ErrStatus.Code = codeOf(refused.ErrStatus.Reason)
	refused.ErrStatus.Details.Causes = append(refused.ErrStatus.Details.Causes, metav1.StatusCause{Message: message})
	return refused
}

// codeOf knows the reasons that a validation may give.
func codeOf(reason metav1.StatusReason) int32 {
	switch reason {
	case metav1.StatusReasonForbidden:
		return http.StatusForbidden
	case metav1.StatusReasonUnauthorized:
		return http.StatusUnauthorized
	case metav1.StatusReasonRequestEntityTooLarge:
		return http.StatusRequestEntityTooLarge
	default:
		return http.StatusUnprocessableEntity
	}
}
