package stories

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/tell"
	"github.com/belay-dev/belay/e2e/world"
)

// Another version is pushed while one is at 50 %. The first loses its traffic and its pods before a pod of the second
// exists; the second begins at its own first step; and when that one is bad, the way back is to what was stable before both.
func TestNewerVersionMidCanary(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "newer"})
	v1, stable := s.Files[world.Path+"/deployment.yaml"], s.Pods()
	second := s.EveryPod("shop:v3")
	v2 := s.Ship("shop:v2")
	s.Step("shop:v2", "2/3")
	v3 := s.Ship("shop:v3")

	drained := s.Until(20*time.Second, "v2 drains", func(r *v1alpha1.Rollout) bool { return r.Status.Progress.Stage == v1alpha1.StageDraining })
	s.Must(world.Throughout(t.Context(), 25*time.Second, func(context.Context) error {
		if share := s.share(); share != 0 || len(second()) > 0 {
			return fmt.Errorf("v2 is not gone, and the canary has %g of the traffic and v3 the pods %v", share, second())
		}
		return nil
	}))
	s.Ended("shop:v2", v1alpha1.OutcomeSuperseded, v1alpha1.PhaseProgressing)
	first := s.Step("shop:v3", "1/3")
	if since := first.Status.Progress.StartedAt.Sub(drained.Status.Progress.ClearedAt.Time); since < 30*time.Second {
		t.Errorf("v3 began %s after v2's traffic was gone, want the time to settle and drain", since)
	}
	if first.Status.Stable.Image != "shop:v1" {
		t.Errorf("v3 is judged beside %s, want shop:v1", first.Status.Stable.Image)
	}

	s.Ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHealthy)
	c := s.Since(v3)
	if len(c) != 1 || !strings.Contains(c[0].Message, "Belay-Reverts: "+v2) || !strings.Contains(c[0].Message, "Belay-Reverts: "+v3) {
		t.Errorf("the commits after v3 are %+v, want one that takes v2 and v3 back", c)
	}
	if now, err := s.Repo.File(t.Context(), "main", world.Path+"/deployment.yaml"); err != nil || now != v1 {
		t.Errorf("Git declares\n%s\n%v", now, err)
	}
	s.GitAgrees()
	s.SamePods("v1", stable, s.Pods())
	s.OnlyFailed("v3")
}

// A person reverts in Git while a canary runs. It is withdrawn, nothing restarts, and there is nothing for us to write.
func TestHumanReverts(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "human"})
	stable, v1 := s.Pods(), s.Files[world.Path+"/deployment.yaml"]
	s.Ship("shop:v2")
	s.Step("shop:v2", "2/3")
	sha := s.Commit("I do not like v2", map[string]string{world.Path + "/deployment.yaml": v1})

	s.Ended("shop:v2", v1alpha1.OutcomeWithdrawn, v1alpha1.PhaseHealthy)

	s.GitAgrees()
	s.SamePods("v1", stable, s.Pods())
	s.AtRest()
	s.SamePods("v1 at rest", stable, s.Pods())
	s.NoCommit(sha)
	if h := s.Rollout().Status.History; len(h) != 1 {
		t.Errorf("the history is %+v", h)
	}
	s.NoRequestLost()
}

// The fix is in Git before the failure is seen, but the agent has not applied it. The failed revision is not reverted: a
// newer one is about to take its place.
func TestFixAlreadyPushed(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "fixed"})
	s.Ship("shop:v3")
	s.Step("shop:v3", "1/3")
	s.Agent.Pause()
	sha := s.Ship("shop:v4")

	s.Until(time.Minute, "the revert waits for the agent", waitsForAgent)
	if image := s.image(); image != "shop:v3" {
		t.Fatalf("the cluster has %s at the moment of failure, the story wants shop:v3", image)
	}
	s.NoCommit(sha)
	s.Agent.Resume()

	s.Until(time.Minute, "the revert is superseded", func(r *v1alpha1.Rollout) bool {
		c := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ConditionGitReverted)
		return c != nil && c.Reason == "Superseded"
	})
	s.Promoted("shop:v4")
	s.NoCommit(sha)
	h := s.Rollout().Status.History
	if len(h) != 2 || h[1].Image != "shop:v3" || h[1].Outcome != v1alpha1.OutcomeFailed || h[1].Commit != "" {
		t.Errorf("the history is %+v", h)
	}
	s.GitAgrees()
	s.OnlyFailed("v3")
}

// The same with pods that never get ready, so that the fix is in Git long before the deadline.
func TestFixPushedWhilePodsAreWaitedFor(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "fixed-early", Edit: shortDeadline})
	stable := s.Pods()
	failed := s.Ship("shop:never-ready")
	s.Until(20*time.Second, "it is known where the release came from", func(r *v1alpha1.Rollout) bool {
		return r.Status.Canary != nil && r.Status.Canary.SourceRevision == failed && r.Status.Step == "1/3"
	})
	s.Agent.Pause()
	sha := s.Ship("shop:v4")

	s.Until(time.Minute, "the revert waits for the agent", waitsForAgent)
	s.NoCommit(sha)
	s.SamePods("v1", stable, s.PodsOf("shop:v1"))
	s.Agent.Resume()

	s.Promoted("shop:v4")
	s.NoCommit(sha)
	s.GitAgrees()
	s.NoRequestLost()
}

// waitsForAgent says that the failed revision is not reverted before the agent has applied what is newer in Git.
func waitsForAgent(r *v1alpha1.Rollout) bool {
	c := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ConditionGitReverted)
	return c != nil && c.Reason == "Reverting" && strings.Contains(c.Message, "newer change")
}

// The workload grows in the middle of a release because Git says so. Stable follows at once, the canary when it is full.
func TestScaledByGit(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "scaled", Replicas: 2})
	stable := s.Pods()
	s.Ship("shop:v2")
	s.Step("shop:v2", "2/3")
	sha := s.Commit("more of them", map[string]string{world.Path + "/deployment.yaml": s.Edited(world.Path+"/deployment.yaml", "replicas: 2", "replicas: 4")})

	s.Eventually(20*time.Second, func(ctx context.Context) error {
		pods, err := s.Shop.Pods(ctx)
		if n := len(world.PodsOf(pods, "shop:v1")); err == nil && n != 4 {
			err = fmt.Errorf("there are %d stable pods, want 4", n)
		}
		return err
	})
	now := s.PodsOf("shop:v1")
	for name, pod := range stable {
		if now[name] != pod {
			t.Errorf("the stable pod %s was %v and is %v", name, pod, now[name])
		}
	}
	s.Step("shop:v2", "3/3")
	full := s.PodsOf("shop:v2")
	s.Promoted("shop:v2")

	if len(full) != 4 {
		t.Errorf("the canary was full with %d pods, want 4", len(full))
	}
	s.SamePods("v2", full, s.Pods())
	s.GitAgrees()
	s.NoCommit(sha)
	s.NoRequestLost()
}

// Git leaves the number of replicas to others, who use the scale subresource: before, in the middle and after a release.
// And a restart at rest is no release.
func TestScaledBySubresource(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "scale", Edit: func(files map[string]string) {
		files[world.Path+"/deployment.yaml"] = strings.Replace(files[world.Path+"/deployment.yaml"], "  replicas: 3\n", "", 1)
	}})
	s.scale(3)
	sha := s.Ship("shop:v2")
	s.Step("shop:v2", "2/3")
	s.scale(2)
	s.Step("shop:v2", "3/3")
	full := s.PodsOf("shop:v2")
	s.Promoted("shop:v2")
	if len(full) != 2 {
		t.Errorf("the canary was full with %d pods, want 2", len(full))
	}
	s.SamePods("v2", full, s.Pods())

	s.scale(3)
	history, revision := s.Rollout().Status.History, s.Rollout().Status.Stable.Revision
	s.restart()
	s.Until(time.Minute, "the restarted pods are stable", func(r *v1alpha1.Rollout) bool {
		return r.Status.Phase == v1alpha1.PhaseHealthy && r.Status.Stable.Revision != revision
	})
	if now := s.Rollout().Status; len(now.History) != len(history) || now.Stable.Image != "shop:v2" || now.Progress.Attempt != 1 {
		t.Errorf("a restart is taken for a release: %+v, the stable image is %s", now.History, now.Stable.Image)
	}
	for name := range full {
		if _, still := s.Pods()[name]; still {
			t.Errorf("pod %s was not restarted", name)
		}
	}
	s.AtRest()
	s.NoCommit(sha)
	s.NoRequestLost()
}

// A person lets one change through unheld. It is the Deployment's own roll, and stable afterwards; the next change is a
// release as any other, although the reason is still there.
func TestBypass(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "bypass"})
	const file, reason = world.Path + "/deployment.yaml", "the house is on fire"
	text := s.Edited(file, "metadata:\n  name: shop\n", "metadata:\n  name: shop\n  annotations: {belay.dev/bypass: "+reason+"}\n")
	s.Commit("now", map[string]string{file: world.WithImage(text, "shop:v2")})

	s.Promoted("shop:v2")

	r := s.Rollout()
	if r.Status.Progress.Attempt != 0 || len(s.PodsOf("shop:v2")) != 3 {
		t.Errorf("there were %d attempts, and the pods are %v", r.Status.Progress.Attempt, s.Pods())
	}
	if h := r.Status.History; len(h) != 1 || h[0].Outcome != v1alpha1.OutcomeBypassed || !strings.Contains(h[0].Reason, reason) {
		t.Errorf("the history is %+v", h)
	}
	s.restart()
	s.Until(time.Minute, "the restarted pods are stable", func(now *v1alpha1.Rollout) bool {
		return now.Status.Phase == v1alpha1.PhaseHealthy && now.Status.Stable.Revision != r.Status.Stable.Revision
	})
	if h := s.Rollout().Status.History; len(h) != 1 {
		t.Errorf("a restart is taken for another bypass: %+v", h)
	}

	sha := s.Ship("shop:v4")
	s.Step("shop:v4", "3/3")
	full := s.PodsOf("shop:v4")
	s.Promoted("shop:v4")
	s.SamePods("v4", full, s.Pods())
	s.AtRest()
	s.NoCommit(sha)
	s.NoRequestLost()
}

// share is the canary's share of the traffic as it is written, 0…1.
func (s *story) share() float64 {
	s.T.Helper()
	route := tell.Object("gateway.networking.k8s.io/v1", "HTTPRoute")
	s.Get(route)
	rules, _, _ := unstructured.NestedSlice(route.Object, "spec", "rules")
	var canary, all float64
	for _, ref := range backends(rules[0]) {
		all += float64(ref.Weight)
		if ref.Name != "shop" {
			canary += float64(ref.Weight)
		}
	}
	return canary / all
}

// image that the Deployment declares.
func (s *story) image() string {
	s.T.Helper()
	var d appsv1.Deployment
	s.Get(&d)
	return d.Spec.Template.Spec.Containers[0].Image
}

// scale does what `kubectl scale` does, and waits until the stable pods have followed.
func (s *story) scale(replicas int) {
	s.T.Helper()
	d := &appsv1.Deployment{}
	s.Get(d)
	image := s.Rollout().Status.Stable.Image
	patch := client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas))
	s.Must(s.World.Client.SubResource("scale").Patch(s.T.Context(), d, patch, client.FieldOwner("kubectl")))
	s.Eventually(30*time.Second, func(ctx context.Context) error {
		var list corev1.PodList
		if err := s.World.Client.List(ctx, &list, client.InNamespace(s.Name)); err != nil {
			return err
		}
		ready := 0
		for _, p := range list.Items {
			for _, c := range p.Status.Conditions {
				if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue && p.DeletionTimestamp == nil && p.Spec.Containers[0].Image == image {
					ready++
				}
			}
		}
		if ready != replicas {
			return fmt.Errorf("%d pods of %s are ready, want %d", ready, image, replicas)
		}
		return nil
	})
}

// restart does what `kubectl rollout restart` does.
func (s *story) restart() {
	s.T.Helper()
	d := &appsv1.Deployment{}
	s.Get(d)
	patch := client.RawPatch("application/strategic-merge-patch+json", []byte(
		`{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"2026-01-02T03:04:05Z"}}}}}`))
	s.Must(s.World.Client.Patch(s.T.Context(), d, patch, client.FieldOwner("kubectl-rollout")))
}
