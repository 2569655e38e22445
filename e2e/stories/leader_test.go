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
	before := s.Pods()
	shared.Belay.Stop()
	defer s.back()
	leader, second := s.replica("leader"), s.replica("second")
	s.Must(client.IgnoreNotFound(s.World.Client.Delete(t.Context(), s.lease()))) // of controllers that are no more
	s.Must(leader.Start(t.Context()))
	s.Eventually(30*time.Second, func(ctx context.Context) error {
		return s.World.Client.Get(ctx, client.ObjectKeyFromObject(s.lease()), s.lease())
	})
	s.Must(second.Start(t.Context()))
	weights := s.EveryWeight()

	sha := s.Ship("shop:v3")
	s.Step("shop:v3", "1/2")
	s.Must(leader.Freeze())
	s.Until(2*time.Minute, "the second controller has sent everybody back", func(r *v1alpha1.Rollout) bool {
		return r.Status.Progress.Stage == v1alpha1.StageDraining
	})
	s.Must(leader.Thaw())

	s.Ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHealthy)
	s.Eventually(10*time.Second, func(context.Context) error {
		if leader.Running() {
			return fmt.Errorf("the deposed leader is still there")
		}
		return nil
	})
	s.OneRevert(sha)
	s.GitAgrees()
	s.SamePods("v1", before, s.Pods())
	var shares []string
	for _, m := range weights() {
		if len(shares) == 0 || shares[len(shares)-1] != m.Share {
			shares = append(shares, m.Share)
		}
	}
	// "open": the Service selects pods of every revision again, when only stable ones are left.
	if want := []string{"0%", "50%", "0%", "open"}; !slices.Equal(shares, want) {
		t.Errorf("the canary's shares were %v, want %v", shares, want)
	}
	s.OnlyFailed("v3")
}

// replica is one of several controllers; it ends with the test.
func (s *story) replica(name string) *world.Controller {
	s.T.Helper()
	c, err := s.World.Replica(world.ReplicaOptions{Name: name})
	s.Must(err)
	s.T.Cleanup(func() {
		if c.Running() {
			c.Kill()
		}
		if log, err := os.ReadFile(c.Log()); err == nil && s.T.Failed() {
			s.T.Logf("the log of %s ends:\n%s", name, log[max(0, len(log)-16<<10):])
		}
	})
	return c
}

// lease that the leader holds.
func (s *story) lease() *coordinationv1.Lease {
	return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: world.Namespace, Name: "belay"}}
}
