package routers

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// State is a route as it is stored.
type State struct {
	Ref   v1alpha1.RouteReference
	Found bool
	// ResourceVersion that every write made from this state must still find.
	ResourceVersion string
	// Intent is the split that is written; nil: none.
	Intent *Split
	// Other is the intent of another Rollout on this route.
	Other *Split
	// Names says that a rule names the Service.
	Names bool
	// Divided says that a rule names the canary's Service: the intent is in force.
	Divided bool
	// Unsplit lists rules that name the Service but could not be split, or without an intent could not be if there were
	// one (too many backends, or weights).
	Unsplit []string
	// Programmed says that every gateway reports the stored generation as accepted and resolved.
	Programmed bool
	// Why not: a sentence, or empty.
	Why string
	// ContestedBy is who last tried to undo the intent.
	ContestedBy string
}

// Permille is the canary's share as written, 0…1000.
func (s State) Permille() int32 {
	if s.Intent == nil || !s.Divided {
		return 0
	}
	return s.Intent.Permille()
}

// Clear says that the route is as Git declares it, as far as this split goes.
func (s State) Clear() bool { return !s.Found || (s.Intent == nil && !s.Divided) }

// Router shifts exposure on one kind of route.
type Router interface {
	// Observe reads a route and what its gateways report. A missing route is a State with Found false.
	Observe(ctx context.Context, r client.Reader, namespace string, ref v1alpha1.RouteReference, service, canary string) (State, error)
	// Split writes the intent; it fails with a conflict when the route is not the observed one any more.
	Split(ctx context.Context, w client.Writer, namespace string, ref v1alpha1.RouteReference, resourceVersion string, s Split) error
	// Clear takes the intent off. It has the precondition, too, and says what the caller knew: one that knew less than
	// the stored intent takes nothing off, and gets no error.
	Clear(ctx context.Context, w client.Writer, namespace string, ref v1alpha1.RouteReference, resourceVersion string, known Fence) error
	// Naming lists the routes of the namespace, whoever wrote them, that send requests to a Service of it.
	Naming(ctx context.Context, r client.Reader, namespace, service string) ([]v1alpha1.RouteReference, error)
}
