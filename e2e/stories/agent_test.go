package stories

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/tell"
	"github.com/belay-dev/belay/e2e/world"
)

// Git declares the very fields that a release changes, and the agent forces them in every second, all the time. The
// release does not notice, nor does the agent: it finds nothing to change, and what it writes moves no generation.
func TestForcefulAgent(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "forceful", Steps: "[{weight: 10, bake: 10s}, {weight: 50, bake: 10s}, {weight: 100, bake: 2s}]", Edit: declareAll})
	stable := s.Pods()
	weights := s.EveryWeight()
	sha := s.Ship("shop:v2")

	for _, step := range []string{"1/3", "2/3"} {
		s.Step("shop:v2", step)
		s.NoDiff()
		s.generationsStay(2200 * time.Millisecond)
		s.NoDiff()
	}
	s.Told("Deployment shop was written by admin against the attempt in flight; nothing changed")
	s.SamePods("v1 beside the canary", stable, s.PodsOf("shop:v1"))
	s.Step("shop:v2", "3/3")
	s.NoDiff()
	full := s.PodsOf("shop:v2")
	s.Promoted("shop:v2")

	const settle = time.Second
	s.Kept(weights(), []tell.Rung{{Share: "10%", Least: settle + 10*time.Second}, {Share: "50%", Least: settle + 10*time.Second}, {Share: "100%", Least: settle + 2*time.Second}})
	s.SamePods("v2", full, s.Pods())
	s.AtRest()
	s.NoCommit(sha)
	s.NoRequestLost()
}

// The same while the release is bad: the agent brings no weight back, and no pod.
func TestForcefulAgentBad(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "forceful-bad", Edit: declareAll})
	stable := s.Pods()
	weights := s.EveryWeight()
	sha := s.Ship("shop:v3")
	s.Step("shop:v3", "1/3")
	s.NoDiff()

	s.Ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHealthy)

	// Up the ladder, once to zero, and never up again.
	shares, zero := weights(), false
	for i, m := range shares[1:] {
		zero = zero || m.Share == "0%" && shares[i].Share != "0%"
		if zero && m.Share != "0%" && m.Share != "open" {
			t.Errorf("the canary's share was %s after it had been taken away", m.Share)
		}
	}
	if !zero {
		t.Error("the canary's share was never taken away")
	}
	s.OneRevert(sha)
	s.GitAgrees()
	s.SamePods("v1", stable, s.Pods())
	s.OnlyFailed("v3")
}

// declareAll lets Git declare what a hold and a split change. The Service's selector is there in any case.
func declareAll(files map[string]string) {
	const deployment, route = world.Path + "/deployment.yaml", world.Path + "/route.yaml"
	files[deployment] = strings.Replace(files[deployment], "  replicas:", "  paused: false\n  replicas:", 1)
	files[route] = strings.Replace(files[route], "port: 80}", "port: 80, weight: 7}", 1)
}

// generationsStay says that nothing is written to what Git declares for a while that a controller would act on.
func (s *story) generationsStay(while time.Duration) {
	s.T.Helper()
	read := func(ctx context.Context) (string, error) {
		text := ""
		for _, d := range tell.Declared() {
			u := tell.Object(d.APIVersion, d.Kind)
			if err := s.World.Client.Get(ctx, client.ObjectKey{Namespace: s.Name, Name: "shop"}, u); err != nil {
				return "", err
			}
			text += fmt.Sprintf("%s %d ", d.Kind, u.GetGeneration())
		}
		return text, nil
	}
	before, err := read(s.T.Context())
	s.Must(err)
	s.Must(world.Throughout(s.T.Context(), while, func(ctx context.Context) error {
		now, err := read(ctx)
		if err == nil && now != before {
			err = fmt.Errorf("the generations were %s and are %s", before, now)
		}
		return err
	}))
}
