package stories

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/world"
)

// The story of this file takes the controller away, so it does not run beside one that counts on it. What comes of it when
// the controller dies in the middle of its work is told in e2e/crashpoints, for every one of its writes.

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
