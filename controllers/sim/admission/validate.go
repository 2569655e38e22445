package admission

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/cel-go/common/types"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/admission"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

// validate asks the policies that concern the request, and gives the first refusal.
func (p *Policies) validate(f *facts) error {
	for _, policy := range p.validating {
		if !policy.rules.match(f.request) {
			continue
		}
		for _, binding := range policy.bindings {
			if !binding.deny || !binding.rules.match(f.request) {
				continue
			}
			if denial := policy.evaluate(newScope(f, policy.of, nil)); denial != nil {
				return denial.refusal(f.requestAttributes(), policy, binding)
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
func (p *validatingPolicy) evaluate(s *scope) *denial {
	matches, err := s.match(p.conditions)
	if err != nil {
		return p.stumbled(err)
	}
	if !matches {
		return nil
	}
	for i := range p.validations {
		result, err := s.evaluate(&p.validations[i])
		if err != nil {
			if denied := p.stumbled(err); denied != nil {
				return denied
			}
			continue
		}
		if result != types.True {
			return p.denied(i, s)
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
func (p *validatingPolicy) denied(i int, s *scope) *denial {
	validation := p.manifest.Spec.Validations[i]
	d := &denial{}
	if validation.Reason != nil {
		d.reason = *validation.Reason
	}
	if p.messages[i] != nil {
		d.message = words(s, p.messages[i])
	}
	if d.message == "" {
		d.message = strings.TrimSpace(validation.Message)
	}
	if d.message == "" {
		d.message = "failed expression: " + strings.TrimSpace(validation.Expression)
	}
	return d
}

// words are what a message expression says; nothing where it fails, or says more than the server repeats.
func words(s *scope, from *program) string {
	value, err := s.evaluate(from)
	if err != nil {
		return ""
	}
	text, _ := value.Value().(string)
	text = strings.TrimSpace(text)
	if len(text) > celconfig.MaxEvaluatedMessageExpressionSizeBytes || strings.Contains(text, "\n") {
		return ""
	}
	return text
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
