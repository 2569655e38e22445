package admission

import (
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/admission"
)

// failure is a mutating policy that could not be evaluated.
type failure struct {
	policy  *mutatingPolicy
	binding *mutatingBinding
	err     error
	// configured is false where the evaluation has not begun.
	configured bool
}

// refusal is what the writer gets when a policy failed that must not: a Forbidden in the API server's words, with the reason
// of the first failure.
func (e *evaluation) refusal() error {
	var refused *apierrors.StatusError
	for _, f := range e.failures {
		if f.policy.tolerant {
			continue
		}
		message := fmt.Sprintf("policy '%s' with binding '%s' denied request: %s", f.policy.manifest.Name, f.binding.manifest.Name, f.err)
		if refused == nil {
			if !errors.As(admission.NewForbidden(e.requestAttributes(), f.err), &refused) {
				return f.err
			}
			refused.ErrStatus.Message = message
			if f.configured {
				refused.ErrStatus.Reason = metav1.StatusReasonInvalid
			}
		}
		refused.ErrStatus.Details.Causes = append(refused.ErrStatus.Details.Causes, metav1.StatusCause{Message: message})
	}
	if refused == nil {
		return nil
	}
	return refused
}
