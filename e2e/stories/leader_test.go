package stories

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/world"
)

// The leader freezes while a bad release has its first users. The other controller takes over and sends everybody back.
// Then the old leader wakes up, in the middle of what it was about to do: the canary gets nobody back, and Git no second
// commit.
func TestLeaderFreezes(t *testing.T) {
	s := open(t, shared, world.ShopOptions{Name: "frozen", Steps: "[{weight: 50, bake: 3s}, {weight: 100, bake: 2s}]"})
	before := s.pods()
	shared.Belay.Stop()
	defer s.back()
	leader, second := s.replica("leader"), s.replica("second")
	s.must(client.IgnoreNotFound(s.World.Client.Delete(t.Context(), s.lease()))) // of controllers that are no more
	s.must(leader.Start(t.Context()))
	s.eventually(30*time.Second, func(ctx context.Context) error {
		return s.World.Client.Get(ctx, client.ObjectKeyFromObject(s.lease()), s.lease())
	})
	s.must(second.Start(t.Context()))
	weights := s.everyWeight()

	sha := s.ship("shop:v3")
	s.step("shop:v3", "1/2")
	s.must(leader.Freeze())
	s.until(2*time.Minute, "the second controller has sent everybody back", func(r *v1alpha1.Rollout) bool {
		return r.Status.Progress.Stage == v1alpha1.StageDraining
	})
	s.must(leader.Thaw())

	s.ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHealthy)
	s.eventually(10*time.Second, func(context.Context) error {
		if leader.Running() {
			return fmt.Errorf("the deposed leader is still there")
		}
		return nil
	})
	s.oneRevert(sha)
	s.gitAgrees()
	s.samePods("v1", before, s.pods())
	var shares []string
	for _, m := range weights() {
		if len(shares) == 0 || shares[len(shares)-1] != m.share {
			shares = append(shares, m.share)
		}
	}
	// "open": the Service selects pods of every revision again, when only stable ones are left.
	if want := []string{"0%", "50%", "0%", "open"}; !slices.Equal(shares, want) {
		t.Errorf("the canary's shares were %v, want %v", shares, want)
	}
	s.onlyFailed("v3")
}

// replica is one of several controllers; it ends with the test.
func (s *story) replica(name string) *world.Controller {
	s.t.Helper()
	c, err := s.World.Replica(name)
	s.must(err)
	s.t.Cleanup(func() {
		if c.Running() {
			c.Kill()
		}
		if log, err := os.ReadFile(c.Log()); err == nil && s.t.Failed() {
			s.t.Logf("the log of %s ends:\n%s", name, log[max(0, len(log)-16<<10):])
		}
	})
	return c
}

// lease that the leader holds.
func (s *story) lease() *coordinationv1.Lease {
	return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: world.Namespace, Name: "belay"}}
}
