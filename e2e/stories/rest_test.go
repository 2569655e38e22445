package stories

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/agent"
	"github.com/belay-dev/belay/e2e/gitserver"
	"github.com/belay-dev/belay/e2e/tell"
	"github.com/belay-dev/belay/e2e/world"
)

// At rest Belay is invisible: after a release an agent without force finds nothing that is not its own, and for ten seconds
// the controller neither reads nor writes anything in the shop's namespace.
func TestAtRest(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "rest", Steps: "[{weight: 50, bake: 2s}]"})
	s.Ship("shop:v2")
	s.Promoted("shop:v2")
	s.AtRest()

	s.Agent.Pause()
	for _, file := range []string{"deployment.yaml", "service.yaml", "route.yaml"} {
		u := &unstructured.Unstructured{}
		s.Must(yaml.Unmarshal([]byte(s.Files[world.Path+"/"+file]), u))
		u.SetNamespace(s.Name)
		s.Must(s.World.Client.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(agent.FieldManager)))
	}
	s.Agent.Resume()

	from := time.Now()
	wait, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	<-wait.Done()
	for _, r := range s.requests(from) {
		t.Errorf("the controller asked at rest: %s", r)
	}
	s.NoRequestLost()
}

// requests that the controller made in the shop's namespace since a moment.
func (s *story) requests(since time.Time) []string {
	s.T.Helper()
	text, err := os.ReadFile(s.World.Cluster.AuditLog())
	s.Must(err)
	var out []string
	seen := 0
	// The API server is writing: what comes after the last end of a line is not all of a line yet.
	for line := range bytes.Lines(text[:bytes.LastIndexByte(text, '\n')+1]) {
		var e struct {
			Verb                     string
			RequestURI               string
			RequestReceivedTimestamp metav1.MicroTime
			User                     struct{ Username string }
			ObjectRef                struct{ Namespace string }
		}
		s.Must(json.Unmarshal(line, &e))
		if e.ObjectRef.Namespace != s.Name || e.User.Username != "system:serviceaccount:"+world.Namespace+":belay" {
			continue
		}
		seen++
		if e.RequestReceivedTimestamp.After(since) {
			out = append(out, e.Verb+" "+e.RequestURI)
		}
	}
	if seen == 0 {
		s.T.Error("the audit log tells nothing of the controller at all")
	}
	return out
}

// The Rollout is deleted in the middle of a release. Users are back on stable, everything of ours goes, and the Deployment
// stays paused with a sentence that says how to go on: nobody judged that release, so nobody finishes it but a person.
func TestDeletedMidCanary(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "deleted"})
	stable := s.Pods()
	s.Ship("shop:v2")
	s.Step("shop:v2", "2/3")
	sha := s.withoutRollout()
	s.deleteRollout()

	s.Eventually(20*time.Second, func(context.Context) error {
		if share := s.share(); share != 0 {
			return fmt.Errorf("the canary has %g of the traffic", share)
		}
		return nil
	})
	s.gone()

	s.SamePods("v1", stable, s.Pods())
	d := s.deployment()
	if sentence := d.Annotations[v1alpha1.AnnotationHeld]; !d.Spec.Paused || !strings.Contains(sentence, "kubectl rollout resume deployment/shop -n deleted") {
		t.Errorf("paused is %t, and the annotation says %q", d.Spec.Paused, sentence)
	}
	s.noTrace(v1alpha1.AnnotationHeld)
	s.NoCommit(sha)
	s.Told("kubectl rollout resume deployment/shop -n deleted")

	// What the sentence says works, and what is left is a plain Deployment.
	resume := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"paused":null}}`))
	s.Must(s.World.Client.Patch(t.Context(), d, resume, client.FieldOwner("kubectl-rollout")))
	s.Eventually(time.Minute, func(ctx context.Context) error {
		pods, err := s.Shop.Pods(ctx)
		if err == nil && (len(pods) != 3 || len(world.PodsOf(pods, "shop:v2")) != 3) {
			err = fmt.Errorf("the pods are %v", pods)
		}
		return err
	})
	s.NoRequestLost()
}

// At rest a Rollout goes and nobody notices.
func TestDeletedAtRest(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "deleted-rest"})
	before, spec := s.Pods(), s.deployment().Spec
	s.withoutRollout()
	s.deleteRollout()

	s.gone()

	s.noTrace()
	s.GitAgrees()
	s.SamePods("v1", before, s.Pods())
	if now := s.deployment().Spec; !equality.Semantic.DeepEqual(spec, now) {
		t.Errorf("the Deployment's spec was\n%+v\nand is\n%+v", spec, now)
	}
	s.NoRequestLost()
}

// withoutRollout takes the Rollout out of Git and waits until the agent knows.
func (s *story) withoutRollout() string {
	s.T.Helper()
	sha, err := s.Repo.Commit(s.T.Context(), "main", gitserver.Change{Message: "no Rollout", Delete: []string{world.Path + "/rollout.yaml"}})
	s.Must(err)
	ctx, cancel := context.WithTimeout(s.T.Context(), 20*time.Second)
	defer cancel()
	s.Must(s.Agent.WaitApplied(ctx, sha))
	return sha
}

func (s *story) deleteRollout() {
	s.T.Helper()
	s.Must(s.World.Client.Delete(s.T.Context(), s.Rollout()))
}

// gone waits until the Rollout is.
func (s *story) gone() {
	s.T.Helper()
	s.Eventually(2*time.Minute, func(ctx context.Context) error {
		r, err := s.Shop.Rollout(ctx)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(err, fmt.Errorf("the Rollout is there: %s", r.Status.Message))
	})
}

// noTrace says that no label, annotation, object or pod of ours is left, but for some annotations on the Deployment.
func (s *story) noTrace(but ...string) {
	s.T.Helper()
	s.Eventually(20*time.Second, func(ctx context.Context) error {
		if err := errors.Join(s.noOwned(ctx), s.CleanPods(ctx)); err != nil {
			return err
		}
		for _, d := range tell.Declared() {
			u := tell.Object(d.APIVersion, d.Kind)
			if err := s.World.Client.Get(ctx, client.ObjectKey{Namespace: s.Name, Name: "shop"}, u); err != nil {
				return err
			}
			for key := range u.GetLabels() {
				if strings.HasPrefix(key, "belay.dev/") {
					return fmt.Errorf("%s has the label %s", d.Kind, key)
				}
			}
			notes := u.GetAnnotations()
			for _, key := range but {
				delete(notes, key)
			}
			for key, value := range notes {
				if strings.HasPrefix(key, "belay.dev/") {
					return fmt.Errorf("%s has the annotation %s: %s", d.Kind, key, value)
				}
			}
		}
		return nil
	})
}

// noOwned says that nothing in the namespace belongs to a Rollout.
func (s *story) noOwned(ctx context.Context) error {
	for _, list := range []client.ObjectList{&corev1.ServiceList{}, &corev1.ConfigMapList{}, &appsv1.ReplicaSetList{}} {
		if err := s.World.Client.List(ctx, list, client.InNamespace(s.Name)); err != nil {
			return err
		}
		err := eachItem(list, func(o client.Object) error {
			for _, ref := range o.GetOwnerReferences() {
				if ref.Kind == "Rollout" {
					return fmt.Errorf("%T %s is there", o, o.GetName())
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func eachItem(list client.ObjectList, look func(client.Object) error) error {
	return meta.EachListItem(list, func(o runtime.Object) error { return look(o.(client.Object)) })
}
