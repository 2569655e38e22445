package stories

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/tell"
	"github.com/belay-dev/belay/e2e/world"
)

// The stories of this file take the controller away, so none of them runs beside a story that counts on it.

// A bad commit arrives while there is no controller. Admission alone holds it: not one pod of it starts, whatever the
// agent applies. When the controller is back, the release is judged as any other.
func TestControllerAway(t *testing.T) {
	s := open(t, shared, world.ShopOptions{Name: "away"})
	before := s.Pods()
	shared.Belay.Stop()
	defer s.back()

	sha := s.Ship("shop:v3")
	s.Must(s.Agent.WaitApplied(t.Context(), sha))
	s.Must(world.Throughout(t.Context(), 10*time.Second, func(ctx context.Context) error {
		pods, err := s.Shop.Pods(ctx)
		if err == nil && !maps.Equal(pods, before) {
			err = fmt.Errorf("nobody is there to let a pod start, but the pods are %v, they were %v", pods, before)
		}
		return err
	}))
	var d appsv1.Deployment
	s.Get(&d)
	if !d.Spec.Paused || d.Spec.Template.Spec.Containers[0].Image != "shop:v3" {
		t.Errorf("paused is %t and the image %s, want a held v3", d.Spec.Paused, d.Spec.Template.Spec.Containers[0].Image)
	}
	s.back()

	s.Ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHealthy)
	s.OneRevert(sha)
	s.GitAgrees()
	s.SamePods("v1", before, s.Pods())
	s.OnlyFailed("v3")
}

// back starts the controller if it is away.
func (s *story) back() {
	s.T.Helper()
	if !s.World.Belay.Running() {
		s.Must(s.World.Belay.Start(s.T.Context()))
	}
}

// The controller is killed at every place that a release goes through. The release ends as it would have without.
func TestControllerKilled(t *testing.T) {
	var one sync.Mutex // the controller dies one death at a time
	t.Run("good", func(t *testing.T) {
		t.Parallel()
		s := open(t, shared, world.ShopOptions{Name: "killed-good"})
		pods, weights := s.EveryPod("shop:v2"), s.EveryWeight()
		places := s.killEverywhere(&one)
		sha := s.Ship("shop:v2")

		s.Promoted("shop:v2")

		places.include(t, "Pinning", "Stepping 1", "Stepping 1 programmed", "Stepping 2", "Stepping 2 programmed",
			"Stepping 3", "Stepping 3 programmed", "Unpinning", "HandingOver", "Completing", "Clearing", "Resting again")
		const settle = time.Second
		s.Kept(weights(), []tell.Rung{{Share: "10%", Least: settle + 3*time.Second}, {Share: "50%", Least: settle + 3*time.Second}, {Share: "100%", Least: settle + 2*time.Second}})
		s.SamePods("v2, and all that ever were", pods(), s.Pods())
		if h := s.Rollout().Status.History; len(h) != 1 {
			t.Errorf("it took %d attempts: %+v", len(h), h)
		}
		s.AtRest()
		s.NoCommit(sha)
		s.NoRequestLost()
	})
	t.Run("bad", func(t *testing.T) {
		t.Parallel()
		s := open(t, shared, world.ShopOptions{Name: "killed-bad"})
		before := s.Pods()
		places := s.killEverywhere(&one)
		// Once more when the commit is on its way: it may arrive, and nobody is there to be told.
		s.Repo.BeforePush(sync.OnceFunc(func() { s.kill(&one) }))
		sha := s.Ship("shop:v3")

		h := s.Ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHealthy)

		places.include(t, "Pinning", "Stepping 1", "Stepping 1 programmed", "Aborting", "Draining Wanted", "Draining Planned",
			"Retiring", "Held", "Resting again")
		c := s.OneRevert(sha)
		if h.Commit != c.SHA || len(s.Rollout().Status.History) != 1 {
			t.Errorf("the history is %+v, want one attempt and the commit %s", s.Rollout().Status.History, c.SHA)
		}
		s.AtRest()
		s.OneRevert(sha)
		s.SamePods("v1", before, s.Pods())
		s.OnlyFailed("v3")
	})
}

// kill ends the controller at once and starts it again. It is called beside the test.
func (s *story) kill(one *sync.Mutex) {
	one.Lock()
	defer one.Unlock()
	s.World.Belay.Kill()
	if err := s.World.Belay.Start(context.WithoutCancel(s.T.Context())); err != nil {
		s.T.Error(err)
	}
}

// places are where a controller was killed.
type places struct {
	mu   sync.Mutex
	seen []string
}

// add is false for a place that is known.
func (p *places) add(place string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.Contains(p.seen, place) {
		return false
	}
	p.seen = append(p.seen, place)
	return true
}

// include says that the controller was killed at certain places, which are known by how they begin.
func (p *places) include(t *testing.T, wanted ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	t.Logf("killed at %q", p.seen)
	for _, want := range wanted {
		if !slices.Contains(p.seen, want) && !slices.ContainsFunc(p.seen, func(at string) bool { return len(at) > len(want) && at[:len(want)+1] == want+" " }) {
			t.Errorf("the controller was never killed at %s", want)
		}
	}
}

// killEverywhere kills the controller whenever a record says that the rollout has come to a place that it was not at
// before, until the test ends.
func (s *story) killEverywhere(one *sync.Mutex) *places {
	s.T.Helper()
	records := make(chan string, 4096) // the watch must not wait for a controller to start
	s.Watch(&v1alpha1.RolloutList{}, func(o client.Object) {
		if p := o.(*v1alpha1.Rollout).Status.Progress; p != nil {
			records <- placeOf(p)
		}
	})
	known := &places{}
	known.add(placeOf(s.Rollout().Status.Progress))
	ctx, cancel := context.WithCancel(s.T.Context())
	var work sync.WaitGroup
	work.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case place := <-records:
				if known.add(place) {
					s.kill(one)
				}
			}
		}
	})
	s.T.Cleanup(func() { cancel(); work.Wait() })
	return known
}

// placeOf says where a rollout stands, as far as a crash may matter.
func placeOf(p *v1alpha1.Progress) string {
	place := string(p.Stage)
	if p.Stage == v1alpha1.StageResting && p.Attempt > 0 {
		place += " again"
	}
	if p.Stage == v1alpha1.StageStepping {
		place += fmt.Sprintf(" %d", p.Step)
		if p.ProgrammedSince != nil {
			place += " programmed"
		}
	}
	if p.Revert != nil {
		place += " " + string(p.Revert.State)
	}
	return place
}
