package mechanics

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/workloads"
	"github.com/belay-dev/belay/workloads/deployment"
)

func (s *scene) storedDeployment() *unstructured.Unstructured {
	d := &unstructured.Unstructured{}
	d.SetAPIVersion("apps/v1")
	d.SetKind("Deployment")
	d.SetNamespace(s.namespace)
	d.SetName("web")
	return d
}

func (s *scene) until(what string, is func(workloads.State) bool) workloads.State {
	s.t.Helper()
	var state workloads.State
	eventually(s.t, func() error {
		if state = s.observe(); !is(state) {
			return fmt.Errorf("not %s: %+v", what, state)
		}
		return nil
	})
	return state
}

// scaleTo is `kubectl scale`; it returns when the one revision with pods has that many.
func (s *scene) scaleTo(replicas int32) {
	s.t.Helper()
	patch := fmt.Sprintf(`{"spec":{"replicas":%d}}`, replicas)
	must(s.t, shared.person.Patch(s.t.Context(), s.storedDeployment(), client.RawPatch(types.MergePatchType, []byte(patch))))
	s.until(fmt.Sprintf("of %d pods", replicas), func(state workloads.State) bool {
		var available, present int32
		for _, r := range state.Revisions {
			available, present = available+r.Available, present+r.Present
		}
		return available == replicas && present == replicas
	})
}

// promote brings v2 from the hold to the end, without any traffic.
func (s *scene) promote() {
	s.t.Helper()
	s.hold()
	s.canaries(3)
	eventually(s.t, func() error {
		return deployment.Deployment{}.Adopt(s.t.Context(), shared.ours, s.target, s.observe().Candidate)
	})
	eventually(s.t, func() error {
		return deployment.Deployment{}.Release(s.t.Context(), shared.ours, s.target, s.observe().ResourceVersion, "7.9")
	})
	s.until("settled", func(state workloads.State) bool { return state.Settled })
}

// A Deployment without pods that is scaled up starts its newest ReplicaSet, held or not, and an old version that comes back
// has one already. Taken over, if only at size 0, it is not the Deployment's to start.
func TestHeldAtZeroStartsNothingOfTheHeldTemplate(t *testing.T) {
	s := newScene(t).withDeployment()
	first := s.observe().Candidate.Name
	s.promote()
	second := s.observe().Candidate.Name
	s.ship("v1")
	s.canaries(0)
	s.scaleTo(0)
	s.scaleTo(3)
	state := s.observe()
	held, _ := state.Find(first)
	stable, _ := state.Find(second)
	if !state.Held || !held.Ours || held.Replicas != 0 || stable.Available != 3 {
		t.Errorf("held %+v, stable %+v", held, stable)
	}
}

// Deleted and created in flight, the workload is another one, which nobody holds; the canary's pods are still ours to end.
func TestWorkloadRecreatedInFlight(t *testing.T) {
	s := newScene(t).withDeployment()
	before := s.observe()
	s.hold()
	s.canaries(1)
	must(t, shared.person.Delete(t.Context(), s.storedDeployment()))
	s.ship("v1")
	after := s.until("settled", func(state workloads.State) bool { return state.Found && state.Settled })
	if after.UID == before.UID || after.Held || after.Governor != "" {
		t.Errorf("recreated as %+v", after)
	}
	var canary workloads.Revision
	for _, r := range after.Revisions {
		if r.Ours {
			canary = r
		}
	}
	if canary.Replicas != 1 || canary.Image != "web:v2" {
		t.Errorf("the canary is %+v", canary)
	}
	eventually(t, func() error {
		r, _ := s.observe().Find(canary.Name)
		return deployment.Deployment{}.Canaries(t.Context(), shared.ours, s.target, r, 0)
	})
	eventually(t, func() error {
		return deployment.Deployment{}.Return(t.Context(), shared.ours, s.target, canary)
	})
	if _, found := s.observe().Find(canary.Name); found {
		t.Error("the canary's ReplicaSet is left")
	}
}
