package stories

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/belay-dev/belay/e2e/world"
)

// A release that comes in the middle of the Deployment's own roll-out waits until the pods are stable's again, and
// nothing is lost.
func TestReleaseInTheMiddleOfARestart(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "mid-roll", Replicas: 4, Image: "shop:slow"})
	before := s.Pods()

	s.restart()
	s.Eventually(time.Minute, func(context.Context) error {
		if n := len(s.Pods()); n <= len(before) {
			return fmt.Errorf("%d pods: the restart has not begun", n)
		}
		return nil
	})
	s.Ship("shop:v2")
	s.Eventually(10*time.Second, func(context.Context) error {
		revisions := map[string]bool{}
		for _, p := range s.PodsOf("shop:slow") {
			revisions[p.Revision] = true
		}
		if d := s.deployment(); !d.Spec.Paused || len(revisions) < 2 {
			return fmt.Errorf("paused is %t with %d revisions: the release did not come in the middle", d.Spec.Paused, len(revisions))
		}
		return nil
	})

	s.Promoted("shop:v2")
	s.NoRequestLost()
}
