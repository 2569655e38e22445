package controllers

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
)

// told reports round after round of one scene, and gives the Events of each.
func told(t *testing.T, s *observe.Scene) func(plan.Plan) []string {
	t.Helper()
	s.Rollout.Namespace, s.Rollout.Name = "shop", "shop"
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(s.Rollout).WithStatusSubresource(s.Rollout).Build()
	var events []string
	r := &Reporter{Client: c, Event: func(_ *v1alpha1.Rollout, kind, reason, message string) {
		events = append(events, kind+" "+reason+": "+message)
	}}
	return func(p plan.Plan) []string {
		t.Helper()
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(s.Rollout), s.Rollout); err != nil {
			t.Fatal(err)
		}
		events = nil
		if _, err := r.Report(t.Context(), s, p); err != nil {
			t.Fatal(err)
		}
		s.Now = s.Now.Add(2 * time.Second)
		return events
	}
}

// Who writes against an intent is told when it begins, also in a round that has nothing to write, and told again when it
// begins again.
func TestContestsAreTold(t *testing.T) {
	s := shifting()
	events := told(t, s)
	waits := plan.Plan{Phase: v1alpha1.PhaseProgressing, Reason: "bakes"}
	const agent = "Warning Contested: Service shop was written by agent against the attempt in flight; nothing changed"
	says := func(when string, want ...string) {
		t.Helper()
		if got := events(waits); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	says("at first")
	s.Services[0].ContestedBy = "agent"
	says("it begins, with nothing to write", agent)
	says("it goes on")
	s.Routes[0].ContestedBy, s.Routes[0].Ref.Kind, s.Routes[0].Ref.Name = "alice", "HTTPRoute", "shop"
	says("another object", "Warning Contested: HTTPRoute shop was written by alice against the attempt in flight; nothing changed")
	s.Services[0].ContestedBy = ""
	says("it is over")
	s.Services[0].ContestedBy = "agent"
	says("it begins again", agent)
	gone := s.Services
	s.Services = nil
	says("the Service is gone")
	s.Services = gone
	says("it came back", agent)
}

// A bypass is told with the reason that the person gave.
func TestBypassIsTold(t *testing.T) {
	s := shifting()
	events := told(t, s)
	p := plan.Plan{
		Phase: v1alpha1.PhaseHealthy, Reason: "Deployment shop is stable at revision 3", Progress: &v1alpha1.Progress{Stage: v1alpha1.StageResting, Sequence: 6},
		Ended: &v1alpha1.AttemptRecord{Outcome: v1alpha1.OutcomeBypassed, Revision: "3", Reason: "let through unheld by a person: hotfix"},
	}
	want := []string{"Normal Resting: Deployment shop is stable at revision 3", "Warning Bypassed: revision 3 was let through unheld by a person: hotfix"}
	if got := events(p); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
