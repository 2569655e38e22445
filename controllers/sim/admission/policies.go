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
func (p *Policies) Admit(_ context.Context, request Request, params Params, authorize Authorizer) (*unstructured.Unstructured, error) {
	if !p.concern(&request) {
		return request.Object, nil
	}
	return p.admit(request, params, authorize)
}

// concern finds the many writes that have nothing to do with any policy.
func (p *Policies) concern(request *Request) bool {
	for _, policy := range p.mutating {
		if policy.rules.match(request) {
			return true
		}
	}
	for _, policy := range p.validating {
		if policy.rules.match(request) {
			return true
		}
	}
	return p.webhook != nil
}

func (p *Policies) admit(request Request, params Params, authorize Authorizer) (*unstructured.Unstructured, error) {
	f := newFacts(&request, authorize)
	if request.Operation == admission.Create || request.Operation == admission.Update {
		if err := p.mutate(f, params); err != nil {
			return nil, err
		}
	}
	if err := p.validate(f); err != nil {
		return nil, err
	}
	return f.object, nil
}
