package stories

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/world"
)

// Git declares the very fields that a release changes, and the agent forces them in every second, all the time. The
// release does not notice, nor does the agent: it finds nothing to change, and what it writes moves no generation.
func TestForcefulAgent(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "forceful", Steps: "[{weight: 10, bake: 10s}, {weight: 50, bake: 10s}, {weight: 100, bake: 2s}]", Edit: declareAll})
	stable := s.pods()
	weights := s.everyWeight()
	sha := s.ship("shop:v2")

	for _, step := range []string{"1/3", "2/3"} {
		s.step("shop:v2", step)
		s.noDiff()
		s.generationsStay(2200 * time.Millisecond)
		s.noDiff()
	}
	s.told("Deployment shop was written by admin against the attempt in flight; nothing changed")
	s.samePods("v1 beside the canary", stable, s.podsOf("shop:v1"))
	s.step("shop:v2", "3/3")
	s.noDiff()
	full := s.podsOf("shop:v2")
	s.promoted("shop:v2")

	const settle = time.Second
	s.kept(weights(), []rung{{"10%", settle + 10*time.Second}, {"50%", settle + 10*time.Second}, {"100%", settle + 2*time.Second}})
	s.samePods("v2", full, s.pods())
	s.atRest()
	s.noCommit(sha)
	s.noRequestLost()
}

// The same while the release is bad: the agent brings no weight back, and no pod.
func TestForcefulAgentBad(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "forceful-bad", Edit: declareAll})
	stable := s.pods()
	weights := s.everyWeight()
	sha := s.ship("shop:v3")
	s.step("shop:v3", "1/3")
	s.noDiff()

	s.ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHealthy)

	// Up the ladder, once to zero, and never up again.
	shares, zero := weights(), false
	for i, m := range shares[1:] {
		zero = zero || m.share == "0%" && shares[i].share != "0%"
		if zero && m.share != "0%" && m.share != "open" {
			t.Errorf("the canary's share was %s after it had been taken away", m.share)
		}
	}
	if !zero {
		t.Error("the canary's share was never taken away")
	}
	s.oneRevert(sha)
	s.gitAgrees()
	s.samePods("v1", stable, s.pods())
	s.onlyFailed("v3")
}

// declareAll lets Git declare what a hold and a split change. The Service's selector is there in any case.
func declareAll(files map[string]string) {
	const deployment, route = world.Path + "/deployment.yaml", world.Path + "/route.yaml"
	files[deployment] = strings.Replace(files[deployment], "  replicas:", "  paused: false\n  replicas:", 1)
	files[route] = strings.Replace(files[route], "port: 80}", "port: 80, weight: 7}", 1)
}

// generationsStay says that nothing is written to what Git declares for a while that a controller would act on.
func (s *story) generationsStay(while time.Duration) {
	s.t.Helper()
	read := func(ctx context.Context) (string, error) {
		text := ""
		for _, d := range declared {
			u := object(d.apiVersion, d.kind)
			if err := s.World.Client.Get(ctx, client.ObjectKey{Namespace: s.Name, Name: "shop"}, u); err != nil {
				return "", err
			}
			text += fmt.Sprintf("%s %d ", d.kind, u.GetGeneration())
		}
		return text, nil
	}
	before, err := read(s.t.Context())
	s.must(err)
	s.must(world.Throughout(s.t.Context(), while, func(ctx context.Context) error {
		now, err := read(ctx)
		if err == nil && now != before {
			err = fmt.Errorf("the generations were %s and are %s", before, now)
		}
		return err
	}))
}
