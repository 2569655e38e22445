package admission

import (
	"context"
	"math/rand/v2"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apiserver/pkg/admission"
)

// Policies are compiled policies with their bindings. They are never changed, so any number of simulations may share them.
type Policies struct {
	mutating   []*mutatingPolicy
	validating []*validatingPolicy
	webhook    Webhook
}

// Webhook is a mutating webhook: it gives the object as it wants it, and must not change the one that it is given.
type Webhook func(Request, *unstructured.Unstructured) *unstructured.Unstructured

// WithWebhook is a server with the same policies and a mutating webhook beside them.
func (p *Policies) WithWebhook(webhook Webhook) *Policies {
	beside := *p
	beside.webhook = webhook
	return &beside
}

// Shuffled is a server that happened to load the same policies, and the bindings of each, in another order.
func (p *Policies) Shuffled(random *rand.Rand) *Policies {
	other := &Policies{mutating: slices.Clone(p.mutating), validating: slices.Clone(p.validating), webhook: p.webhook}
	random.Shuffle(len(other.mutating), func(i, j int) {
		other.mutating[i], other.mutating[j] = other.mutating[j], other.mutating[i]
	})
	random.Shuffle(len(other.validating), func(i, j int) {
		other.validating[i], other.validating[j] = other.validating[j], other.validating[i]
	})
	for i, policy := range other.mutating {
		shuffled := *policy
		shuffled.bindings = slices.Clone(policy.bindings)
		random.Shuffle(len(shuffled.bindings), func(i, j int) {
			shuffled.bindings[i], shuffled.bindings[j] = shuffled.bindings[j], shuffled.bindings[i]
		})
		other.mutating[i] = &shuffled
	}
	return other
}

// Admit gives the object that is to be stored, or the error that the writer gets. The object is the request's own where no
// policy changes it, and nil on Delete.
func (p *Policies) Admit(ctx context.Context, request Request, params Params, authorize Authorizer) (*unstructured.Unstructured, error) {
	if request.Operation == admission.Create || request.Operation == admission.Update {
		mutated, err := p.mutate(ctx, request, params, authorize)
		if err != nil {
			return nil, err
		}
		request.Object = mutated
	}
	if err := p.validate(ctx, &request, authorize); err != nil {
		return nil, err
	}
	return request.Object, nil
}
