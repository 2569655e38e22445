package stories

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/world"
)

// A good release goes up the ladder, and the Deployment takes its pods over: not one restarts, no request is lost.
func TestGood(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "good"})
	sha := s.ship("shop:v2")

	s.step("shop:v2", "3/3")
	full := s.podsOf("shop:v2")
	s.promoted("shop:v2")

	s.samePods("v2 at 100 % and after the hand-over", full, s.pods())
	if h := s.rollout().Status.History; len(h) != 1 || h[0].Outcome != v1alpha1.OutcomePromoted || h[0].Step != "3/3" {
		t.Errorf("the history is %+v", h)
	}
	s.rolloutHistory("shop:v1", "shop:v2")
	s.atRest()
	s.samePods("v2 at rest", full, s.pods())
	s.noCommit(sha)
	s.noRequestLost()
}

// A bad release loses its traffic and leaves Git by one commit. What else came with it stays; no stable pod restarts.
func TestBad(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "bad"})
	before := s.pods()
	const words = "Another team's words.\n"
	sha, err := s.Ship(t.Context(), "shop:v3", map[string]string{"README.md": words})
	s.must(err)

	h := s.ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHealthy)

	c := s.oneRevert(sha, "error-rate", "limit ", "failed at step 1/3 (10%)", "to shop:v1")
	if h.Commit != c.SHA {
		t.Errorf("the history names the commit %q, it is %s", h.Commit, c.SHA)
	}
	if readme, err := s.Repo.File(t.Context(), "main", "README.md"); err != nil || readme != words {
		t.Errorf("README.md is %q, %v", readme, err)
	}
	s.gitAgrees()
	s.atRest()
	s.samePods("v1", before, s.pods())
	s.oneRevert(sha)
	s.onlyFailed("v3")
}

// rolloutHistory says what `kubectl rollout history` reads: the Deployment's own ReplicaSets, with a revision number each.
func (s *story) rolloutHistory(images ...string) {
	s.t.Helper()
	var d appsv1.Deployment
	s.get(&d)
	var sets appsv1.ReplicaSetList
	s.must(s.World.Client.List(s.t.Context(), &sets, client.InNamespace(s.Name)))
	numbers := map[string]string{}
	for _, rs := range sets.Items {
		if metav1.IsControlledBy(&rs, &d) {
			numbers[rs.Spec.Template.Spec.Containers[0].Image] = rs.Annotations["deployment.kubernetes.io/revision"]
		}
	}
	if len(numbers) != len(images) {
		s.t.Errorf("the Deployment has the revisions %v, want %v", numbers, images)
	}
	newest := images[len(images)-1]
	if n := numbers[newest]; n == "" || n != d.Annotations["deployment.kubernetes.io/revision"] {
		s.t.Errorf("the newest revision is %q, %s has %q", d.Annotations["deployment.kubernetes.io/revision"], newest, n)
	}
}
