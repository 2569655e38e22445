package crashpoints

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/tell"
	"github.com/belay-dev/belay/e2e/world"
)

// shop is one telling of a tale.
type shop struct {
	*tell.Story
	tale   *tale
	mortal *mortal
	// versions of the Rollout; one that nobody has looked at is replaced by the next.
	versions chan *v1alpha1.Rollout
	// idle is called when nothing is left to do but to wait.
	idle func()
}

// begin opens a shop whose controller dies at a point.
func begin(t *testing.T, next telling, idle func()) *shop {
	t.Helper()
	of := next.tale
	s := &shop{tale: of, mortal: start(t, world.ReplicaOptions{Name: next.name, Alone: true}, next.name), idle: idle, versions: make(chan *v1alpha1.Rollout, 1)}
	if of.whole {
		s.mortal.from(next.point, next.found)
	}
	// The agent applies at every push; in between, a re-apply now and then is enough for so many shops.
	s.Story = tell.Open(t, shared, world.ShopOptions{
		Name: next.name, Replicas: 2, Rate: 10, Steps: of.steps, AgentInterval: 15 * time.Second, Edit: unscraped,
	})
	if !of.whole {
		s.guarded()
		s.mortal.from(next.point, next.found)
	}
	s.Watch(&v1alpha1.RolloutList{}, func(o client.Object) {
		select {
		case <-s.versions:
		default:
		}
		s.versions <- o.(*v1alpha1.Rollout)
	})
	return s
}

// guarded waits for the last write by which the shop comes under guard.
func (s *shop) guarded() {
	s.T.Helper()
	const last = "record stable"
	s.Eventually(10*time.Second, func(context.Context) error {
		if !slices.ContainsFunc(s.mortal.writes(), func(w write) bool { return w.name == last }) {
			return fmt.Errorf("there was no %q", last)
		}
		return nil
	})
}

// unscraped takes the pods out of what Prometheus reads: the shop's metric is one of the gateway.
func unscraped(files map[string]string) {
	const file = world.Path + "/deployment.yaml"
	files[file] = strings.Replace(files[file], `scrape: "true"`, `scrape: "false"`, 1)
}

// await waits without asking, since many shops wait at the same time.
func (s *shop) await(within time.Duration, what string, is func(*v1alpha1.Rollout) bool) {
	s.T.Helper()
	over := time.NewTimer(within)
	defer over.Stop()
	r := s.Rollout()
	for !is(r) {
		select {
		case r = <-s.versions:
		case <-over.C:
			s.T.Fatalf("%s: not within %s: phase %s, step %s, weight %s, %s", what, within, r.Status.Phase, r.Status.Step, r.Status.Weight, r.Status.Message)
		}
	}
}

// rests waits until the canary's Service is forgotten, a minute after the split.
func (s *shop) rests() {
	s.T.Helper()
	s.idle()
	s.await(3*time.Minute, "everything rests", func(r *v1alpha1.Rollout) bool {
		return r.Status.Phase == v1alpha1.PhaseHealthy && len(r.Status.History) > 0 && r.Status.Progress.Retiring == nil &&
			strings.HasSuffix(r.Status.Message, " is stable")
	})
	s.AtRest()
}

// shares says which shares of the traffic the canary had, one after the other.
func (s *shop) shares(moments []tell.Moment, want ...string) {
	s.T.Helper()
	if got := tell.Shares(moments); !slices.Equal(got, want) {
		s.T.Errorf("the canary's shares were %v, want %v", got, want)
	}
}

// notShortened says that every step lasted as long as it has to: from the moment that is recorded as the one in which its
// weight was programmed, which cannot lie before the weight was written, to the next write of a route or a Service. The
// times are those of the proxy, so a machine that is busy makes no step look shorter than it was.
func (s *shop) notShortened() {
	s.T.Helper()
	writes := s.mortal.writes()
	for _, rung := range s.tale.rungs {
		i := slices.IndexFunc(writes, func(w write) bool { return w.name == splitTo(rung.Share) })
		if i < 0 {
			s.T.Errorf("no write gives the canary %s", rung.Share)
			continue
		}
		programmed, next := stay(writes[i+1:])
		took := next.Sub(programmed)
		s.T.Logf("%s for %s", rung.Share, took.Round(time.Millisecond))
		if programmed.Before(writes[i].came) || took < rung.Least {
			s.T.Errorf("%s was written at %s, recorded as programmed at %s and left at %s, want at least %s", rung.Share,
				writes[i].came.Format(time.StampMicro), programmed.Format(time.StampMicro), next.Format(time.StampMicro), rung.Least)
		}
	}
}

// stay is from when to when a weight stays after it was written.
func stay(writes []write) (programmed, next time.Time) {
	for _, w := range writes {
		if strings.HasPrefix(w.name, "patch httproutes") || strings.HasPrefix(w.name, "patch services") {
			return programmed, w.came
		}
		var r v1alpha1.Rollout
		if err := json.Unmarshal(w.Body, &r); err == nil && r.Status.Progress != nil && r.Status.Progress.ProgrammedSince != nil {
			programmed = r.Status.Progress.ProgrammedSince.Time
		}
	}
	return programmed, time.Time{}
}
