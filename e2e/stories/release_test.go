package stories

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/world"
)

// A good release goes up the ladder, and the Deployment takes its pods over: not one restarts, no request is lost.
func TestGood(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "good"})
	ever := s.EveryPod("shop:v2")
	sha := s.Ship("shop:v2")

	s.Promoted("shop:v2")

	full := s.Pods()
	s.SamePods("v2, and all that ever were", ever(), full)
	if h := s.Rollout().Status.History; len(h) != 1 || h[0].Outcome != v1alpha1.OutcomePromoted || h[0].Step != "3/3" {
		t.Errorf("the history is %+v", h)
	}
	s.rolloutHistory("shop:v1", "shop:v2")
	s.AtRest()
	s.SamePods("v2 at rest", full, s.Pods())
	s.NoCommit(sha)
	s.NoRequestLost()
}

// A bad release loses its traffic and leaves Git by one commit. What else came with it stays; no stable pod restarts.
func TestBad(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "bad"})
	before := s.Pods()
	const words = "Another team's words.\n"
	sha, err := s.Shop.Ship(t.Context(), "shop:v3", map[string]string{"README.md": words})
	s.Must(err)

	h := s.Ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHealthy)

	c := s.OneRevert(sha, "error-rate", "limit ", "failed at step ", "Revert bad/shop to v1: ")
	if h.Commit != c.SHA {
		t.Errorf("the history names the commit %q, it is %s", h.Commit, c.SHA)
	}
	if readme, err := s.Repo.File(t.Context(), "main", "README.md"); err != nil || readme != words {
		t.Errorf("README.md is %q, %v", readme, err)
	}
	s.GitAgrees()
	s.AtRest()
	s.SamePods("v1", before, s.Pods())
	s.OneRevert(sha)
	s.OnlyFailed("v3")
}

// rolloutHistory says what `kubectl rollout history` reads: the Deployment's own ReplicaSets, with a revision number each.
func (s *story) rolloutHistory(images ...string) {
	s.T.Helper()
	var d appsv1.Deployment
	s.Get(&d)
	var sets appsv1.ReplicaSetList
	s.Must(s.World.Client.List(s.T.Context(), &sets, client.InNamespace(s.Name)))
	numbers := map[string]string{}
	for _, rs := range sets.Items {
		if metav1.IsControlledBy(&rs, &d) {
			numbers[rs.Spec.Template.Spec.Containers[0].Image] = rs.Annotations["deployment.kubernetes.io/revision"]
		}
	}
	if len(numbers) != len(images) {
		s.T.Errorf("the Deployment has the revisions %v, want %v", numbers, images)
	}
	newest := images[len(images)-1]
	if n := numbers[newest]; n == "" || n != d.Annotations["deployment.kubernetes.io/revision"] {
		s.T.Errorf("the newest revision is %q, %s has %q", d.Annotations["deployment.kubernetes.io/revision"], newest, n)
	}
}

// There is nothing to protect at a first deployment: it comes up by itself, and what came up is stable.
func TestFirstDeployment(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "first"})

	r := s.Rollout()
	if r.Status.Progress.Attempt != 0 || len(r.Status.History) != 0 || r.Status.Stable.Image != "shop:v1" {
		t.Errorf("attempt %d, history %+v, stable %+v", r.Status.Progress.Attempt, r.Status.History, r.Status.Stable)
	}
	var sets appsv1.ReplicaSetList
	s.Must(s.World.Client.List(t.Context(), &sets, client.InNamespace(s.Name)))
	if len(sets.Items) != 1 {
		t.Errorf("there are %d ReplicaSets", len(sets.Items))
	}
	s.AtRest()
	s.NoRequestLost()
}

// A first deployment never gets ready. Nothing is stable yet, so its fix is let through at once and is stable then.
func TestFirstDeploymentBroken(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "first-broken", Image: "shop:never-ready", Unhurried: true})
	s.Until(20*time.Second, "the first deployment is waited for", func(r *v1alpha1.Rollout) bool {
		return r.Status.Phase == v1alpha1.PhasePending && r.Status.Waiting != nil && len(r.Finalizers) > 0
	})
	s.Eventually(20*time.Second, func(ctx context.Context) error {
		if d := s.deployment(); d.Labels[v1alpha1.LabelRollout] != "shop" {
			return errors.New("the Deployment is not under guard")
		}
		return nil
	})
	sha := s.Ship("shop:v2")

	s.Promoted("shop:v2")

	if r := s.Rollout(); r.Status.Progress.Attempt != 0 || len(r.Status.History) != 0 {
		t.Errorf("attempt %d, history %+v", r.Status.Progress.Attempt, r.Status.History)
	}
	s.AtRest()
	s.NoCommit(sha)
}

// A Rollout comes to a Deployment that has long been running. It touches nothing.
func TestAdoption(t *testing.T) {
	t.Parallel()
	o := world.ShopOptions{Name: "adoption", WithoutRollout: true}
	s := open(t, shared, o)
	before, spec := s.Pods(), s.deployment().Spec
	s.Commit("guard it", map[string]string{world.Path + "/rollout.yaml": world.Rollout(o)})

	s.Until(time.Minute, "v1 is stable and guarded", func(r *v1alpha1.Rollout) bool {
		return r.Status.Phase == v1alpha1.PhaseHealthy && meta.IsStatusConditionTrue(r.Status.Conditions, v1alpha1.ConditionGuarded)
	})

	r := s.Rollout()
	if r.Status.Stable.Image != "shop:v1" || r.Status.Progress.Attempt != 0 || len(r.Status.History) != 0 {
		t.Errorf("stable %+v, attempt %d, history %+v", r.Status.Stable, r.Status.Progress.Attempt, r.Status.History)
	}
	if now := s.deployment().Spec; !equality.Semantic.DeepEqual(spec, now) {
		t.Errorf("the Deployment's spec was\n%+v\nand is\n%+v", spec, now)
	}
	s.AtRest()
	s.SamePods("v1", before, s.Pods())
	s.NoRequestLost()
}

// The commonest case there is: an old version comes back, and goes again. Each time its old ReplicaSet is taken over, and
// each time the pods that were the canary's are the pods that stay.
func TestBackAndForth(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "back", Steps: "[{weight: 50, bake: 2s}, {weight: 100, bake: 2s}]"})
	first := s.replicaSets()
	sets := first
	var sha string
	for i, image := range []string{"shop:v2", "shop:v1", "shop:v2"} {
		sha = s.Ship(image)
		s.Step(image, "2/2")
		full := s.PodsOf(image)
		s.Promoted(image)
		s.SamePods(fmt.Sprintf("release %d, %s", i+1, image), full, s.Pods())
		if i == 0 {
			sets = s.replicaSets()
		}
	}
	if now := s.replicaSets(); len(first) != 1 || len(sets) != 2 || !maps.Equal(sets, now) {
		t.Errorf("the ReplicaSets were %v, then %v, and are %v", first, sets, now)
	}
	s.rolloutHistory("shop:v1", "shop:v2")
	s.AtRest()
	s.NoCommit(sha)
	s.NoRequestLost()
}

// The pods of a release never get ready. The attempt ends at its deadline, and the pods' own reason is in the condition and
// in the commit. No user ever saw it.
func TestNeverReady(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "never-ready", Edit: shortDeadline})
	s.failsBy("shop:never-ready", "container shop of image shop:never-ready runs but is not ready")
}

func TestCrashing(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "crashing", Edit: shortDeadline})
	s.failsBy("shop:crashing", "container shop of image shop:crashing")
}

// shortDeadline bounds the wait for pods.
func shortDeadline(files map[string]string) {
	files[world.Path+"/rollout.yaml"] = strings.Replace(files[world.Path+"/rollout.yaml"], "progressDeadline: 1m", "progressDeadline: 10s", 1)
}

// failsBy ships an image whose pods do not get ready, and says that they are the reason of its end.
func (s *story) failsBy(image, trouble string) {
	s.T.Helper()
	before, shares := s.Pods(), s.EveryWeight()
	sha := s.Ship(image)
	s.Until(time.Minute, "the pods are the reason", func(r *v1alpha1.Rollout) bool {
		c := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ConditionStalled)
		return c != nil && c.Status == metav1.ConditionTrue && strings.Contains(c.Message, trouble)
	})

	s.Ended(image, v1alpha1.OutcomeFailed, v1alpha1.PhaseHealthy)

	s.OneRevert(sha, trouble, "0 of 1 canary pods are ready after 10s")
	for _, m := range shares() {
		if m.Share != "0%" && m.Share != "open" {
			s.T.Errorf("pods that are not ready got %s of the traffic", m.Share)
		}
	}
	s.GitAgrees()
	s.AtRest()
	s.SamePods("v1", before, s.Pods())
	s.NoRequestLost()
}

func (s *story) deployment() *appsv1.Deployment {
	s.T.Helper()
	d := &appsv1.Deployment{}
	s.Get(d)
	return d
}

// replicaSets of the shop, their UIDs by name.
func (s *story) replicaSets() map[string]types.UID {
	s.T.Helper()
	var sets appsv1.ReplicaSetList
	s.Must(s.World.Client.List(s.T.Context(), &sets, client.InNamespace(s.Name)))
	out := map[string]types.UID{}
	for _, rs := range sets.Items {
		out[rs.Name] = rs.UID
	}
	return out
}
