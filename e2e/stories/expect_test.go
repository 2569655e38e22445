package stories

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/agent"
	"github.com/belay-dev/belay/e2e/gitserver"
	"github.com/belay-dev/belay/e2e/world"
)

// noRequestLost sends the users home: every request of theirs was answered, and well.
func (s *story) noRequestLost() {
	s.t.Helper()
	s.Users.Stop()
	total := s.Users.Snapshot()
	if total.Failed != 0 || total.Answered == 0 {
		s.t.Errorf("%d of %d requests failed: %v %v", total.Failed, total.Answered, total.By, total.Errors)
	}
}

// onlyFailed sends the users home: a bad revision failed some requests with its own answers, and nothing else failed.
func (s *story) onlyFailed(revision string) {
	s.t.Helper()
	s.Users.Stop()
	total := s.Users.Snapshot()
	own := total.FailedOf(revision)
	if own == 0 || total.Failed != own {
		s.t.Errorf("%d of %d requests failed, %d of them by %s: %v %v", total.Failed, total.Answered, own, revision, total.By, total.Errors)
	}
}

// samePods says that pods are the very ones that they were, none restarted.
func (s *story) samePods(what string, before, after map[string]world.Pod) {
	s.t.Helper()
	if len(before) == 0 || !maps.Equal(before, after) {
		s.t.Errorf("%s: the pods were\n%v\nand are\n%v", what, before, after)
	}
}

// since lists the commits that came after one, the newest first.
func (s *story) since(sha string) []gitserver.Commit {
	s.t.Helper()
	log, err := s.Repo.Log(s.t.Context(), sha+"..main", 50)
	s.must(err)
	return log
}

// noCommit says that nobody has written to Git since a commit.
func (s *story) noCommit(sha string) {
	s.t.Helper()
	if log := s.since(sha); len(log) != 0 {
		s.t.Errorf("%d commits came after %s: %q", len(log), sha, log[0].Message)
	}
}

// oneRevert says that one commit came after the failed one, that it takes the shop's files back to what they were and
// touches nothing else, and that it tells why. says are texts that the message must have.
func (s *story) oneRevert(failed string, says ...string) gitserver.Commit {
	s.t.Helper()
	log := s.since(failed)
	if len(log) != 1 {
		s.t.Fatalf("%d commits came after %s, want one", len(log), failed)
	}
	s.isRevert(log[0], failed, says...)
	return log[0]
}

// isRevert says that a commit takes the shop's files back to what they were before the failed one and touches nothing
// else, and that it tells why.
func (s *story) isRevert(c gitserver.Commit, failed string, says ...string) {
	s.t.Helper()
	s.t.Logf("%s", c.Message)
	if want := []string{world.Path + "/deployment.yaml"}; !slices.Equal(c.ChangedFiles, want) {
		s.t.Errorf("the revert changes %v, want %v", c.ChangedFiles, want)
	}
	if c.Name != "belay" || c.Email != "belay@example.com" {
		s.t.Errorf("the revert is by %s <%s>", c.Name, c.Email)
	}
	says = append(says, "This reverts commit "+failed, "Belay-Reverts: "+failed, "Belay-Revert-Key: ", "Belay-Rollout: local/"+s.Name+"/shop",
		"Traffic went back to the stable revision at ")
	for _, text := range says {
		if !strings.Contains(c.Message, text) {
			s.t.Errorf("the revert's message lacks %q:\n%s", text, c.Message)
		}
	}
	for _, path := range c.ChangedFiles {
		was, err := s.Repo.File(s.t.Context(), failed+"~1", path)
		s.must(err)
		is, err := s.Repo.File(s.t.Context(), "main", path)
		s.must(err)
		if was != is {
			s.t.Errorf("%s was\n%s\nand is\n%s", path, was, is)
		}
	}
}

// gitAgrees says that the agent has applied the head of the branch and would change nothing.
func (s *story) gitAgrees() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	head, err := s.Repo.Head(ctx, "main")
	s.must(err)
	s.must(s.Agent.WaitApplied(ctx, head))
	s.noDiff()
}

// noDiff says that the agent's dry run finds nothing to change.
func (s *story) noDiff() {
	s.t.Helper()
	diff, err := s.Agent.Diff(s.t.Context())
	s.must(err)
	if len(diff) != 0 {
		s.t.Errorf("the agent would change:\n%s", strings.Join(diff, "\n"))
	}
}

// told says that an Event about the Rollout has a text.
func (s *story) told(text string) {
	s.t.Helper()
	s.eventually(5*time.Second, func(ctx context.Context) error {
		var events eventsv1.EventList
		if err := s.World.Client.List(ctx, &events, client.InNamespace(s.Name)); err != nil {
			return err
		}
		var notes []string
		for _, e := range events.Items {
			if e.Regarding.Kind == "Rollout" && strings.Contains(e.Note, text) {
				return nil
			}
			notes = append(notes, e.Note)
		}
		return fmt.Errorf("no Event says %q, they are %q", text, notes)
	})
}

// atRest waits until the canary's Service is gone, a minute after the split, and says that nothing of ours is left.
func (s *story) atRest() {
	s.t.Helper()
	s.eventually(100*time.Second, func(ctx context.Context) error {
		var list corev1.ServiceList
		if err := s.World.Client.List(ctx, &list, client.InNamespace(s.Name), client.HasLabels{v1alpha1.LabelCanaryOf}); err != nil {
			return err
		}
		if len(list.Items) > 0 {
			return fmt.Errorf("the Service %s is there", list.Items[0].Name)
		}
		return nil
	})
	s.until(5*time.Second, "healthy", func(r *v1alpha1.Rollout) bool {
		return r.Status.Phase == v1alpha1.PhaseHealthy && r.Status.Canary == nil && r.Status.Weight == "" &&
			r.Status.Progress.Retiring == nil && strings.HasSuffix(r.Status.Message, " is stable")
	})
	s.gitAgrees()
	s.nothingLeft()
}

// nothingLeft says that no intent, no parameters and no pods of ours are there, and that nobody owns what Git declares
// but the agent.
func (s *story) nothingLeft() {
	s.t.Helper()
	s.eventually(5*time.Second, func(ctx context.Context) error {
		var maps corev1.ConfigMapList
		if err := s.World.Client.List(ctx, &maps, client.InNamespace(s.Name), client.HasLabels{v1alpha1.LabelAttempt}); err != nil {
			return err
		}
		if len(maps.Items) > 0 {
			return fmt.Errorf("ConfigMap %s is there", maps.Items[0].Name)
		}
		return errors.Join(s.cleanPods(ctx), s.cleanObjects(ctx))
	})
}

// cleanPods: pods of one revision, as many as wanted, all of them the Deployment's.
func (s *story) cleanPods(ctx context.Context) error {
	var d appsv1.Deployment
	if err := s.World.Client.Get(ctx, client.ObjectKey{Namespace: s.Name, Name: "shop"}, &d); err != nil {
		return err
	}
	app := client.MatchingLabels(d.Spec.Selector.MatchLabels) // a story may have a second application
	var sets appsv1.ReplicaSetList
	var pods corev1.PodList
	if err := errors.Join(s.World.Client.List(ctx, &sets, client.InNamespace(s.Name), app), s.World.Client.List(ctx, &pods, client.InNamespace(s.Name), app)); err != nil {
		return err
	}
	full := 0
	for _, rs := range sets.Items {
		owner := metav1.GetControllerOf(&rs)
		if owner == nil {
			return fmt.Errorf("ReplicaSet %s has no owner", rs.Name)
		}
		if rs.Status.Replicas == 0 && *rs.Spec.Replicas == 0 {
			continue
		}
		if full++; owner.Kind != "Deployment" || rs.Status.ReadyReplicas != *d.Spec.Replicas {
			return fmt.Errorf("ReplicaSet %s of %s %s has %d ready pods, want %d", rs.Name, owner.Kind, owner.Name, rs.Status.ReadyReplicas, *d.Spec.Replicas)
		}
	}
	if full != 1 || len(pods.Items) != int(*d.Spec.Replicas) {
		return fmt.Errorf("%d ReplicaSets have pods, %d in all, want one with %d", full, len(pods.Items), *d.Spec.Replicas)
	}
	return nil
}

// declared are the kinds that Git declares and Belay puts an intent on.
var declared = []struct{ apiVersion, kind, intent string }{
	{"apps/v1", "Deployment", v1alpha1.AnnotationHold},
	{"v1", "Service", v1alpha1.AnnotationPin},
	{"gateway.networking.k8s.io/v1", "HTTPRoute", v1alpha1.AnnotationSplit},
}

func (s *story) cleanObjects(ctx context.Context) error {
	for _, d := range declared {
		u := object(d.apiVersion, d.kind)
		if err := s.World.Client.Get(ctx, client.ObjectKey{Namespace: s.Name, Name: "shop"}, u); err != nil {
			return err
		}
		for _, key := range []string{d.intent, v1alpha1.AnnotationContestedBy, v1alpha1.AnnotationHeld} {
			if value, ok := u.GetAnnotations()[key]; ok {
				return fmt.Errorf("%s has the annotation %s: %s", d.kind, key, value)
			}
		}
		for _, m := range u.GetManagedFields() {
			// The Deployment's own controller writes its revision number into an annotation, and people may write too.
			its := m.Subresource != "" || m.Manager == "kube-controller-manager" || m.Manager == agent.FieldManager || strings.HasPrefix(m.Manager, "kubectl")
			if !its || m.Manager == "belay" {
				return fmt.Errorf("%s has fields owned by %s %s: %s", d.kind, m.Manager, m.Subresource, m.FieldsV1)
			}
		}
	}
	return nil
}

func object(apiVersion, kind string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetAPIVersion(apiVersion)
	u.SetKind(kind)
	return u
}
