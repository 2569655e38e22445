package tell

import (
	"context"
	"errors"
	"fmt"
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
)

// Told says that an Event about the Rollout has a text.
func (s *Story) Told(text string) {
	s.T.Helper()
	s.Eventually(5*time.Second, func(ctx context.Context) error {
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

// AtRest waits until the canary's Service is gone, a minute after the split, and says that nothing of ours is left.
func (s *Story) AtRest() {
	s.T.Helper()
	s.Eventually(100*time.Second, func(ctx context.Context) error {
		var list corev1.ServiceList
		if err := s.World.Client.List(ctx, &list, client.InNamespace(s.Name), client.HasLabels{v1alpha1.LabelCanaryOf}); err != nil {
			return err
		}
		if len(list.Items) > 0 {
			return fmt.Errorf("the Service %s is there", list.Items[0].Name)
		}
		return nil
	})
	s.Until(5*time.Second, "healthy", func(r *v1alpha1.Rollout) bool {
		return r.Status.Phase == v1alpha1.PhaseHealthy && r.Status.Canary == nil && r.Status.Weight == "" &&
			r.Status.Progress.Retiring == nil && strings.HasSuffix(r.Status.Message, " is stable")
	})
	s.GitAgrees()
	s.NothingLeft()
}

// NothingLeft says that no intent, no parameters and no pods of ours are there, and that nobody owns what Git declares
// but the agent.
func (s *Story) NothingLeft() {
	s.T.Helper()
	s.Eventually(5*time.Second, func(ctx context.Context) error {
		var maps corev1.ConfigMapList
		if err := s.World.Client.List(ctx, &maps, client.InNamespace(s.Name), client.HasLabels{v1alpha1.LabelAttempt}); err != nil {
			return err
		}
		if len(maps.Items) > 0 {
			return fmt.Errorf("ConfigMap %s is there", maps.Items[0].Name)
		}
		return errors.Join(s.CleanPods(ctx), s.cleanObjects(ctx))
	})
}

// CleanPods says that there are pods of one revision, as many as wanted, all of them the Deployment's.
func (s *Story) CleanPods(ctx context.Context) error {
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

// Governed is a kind that Git declares and Belay puts an intent on.
type Governed struct{ APIVersion, Kind, Intent string }

// Declared are those kinds. Each of a shop's objects is called shop.
func Declared() []Governed {
	return []Governed{
		{"apps/v1", "Deployment", v1alpha1.AnnotationHold},
		{"v1", "Service", v1alpha1.AnnotationPin},
		{"gateway.networking.k8s.io/v1", "HTTPRoute", v1alpha1.AnnotationSplit},
	}
}

func (s *Story) cleanObjects(ctx context.Context) error {
	for _, d := range Declared() {
		u := Object(d.APIVersion, d.Kind)
		if err := s.World.Client.Get(ctx, client.ObjectKey{Namespace: s.Name, Name: "shop"}, u); err != nil {
			return err
		}
		for _, key := range []string{d.Intent, v1alpha1.AnnotationContestedBy, v1alpha1.AnnotationHeld} {
			if value, ok := u.GetAnnotations()[key]; ok {
				return fmt.Errorf("%s has the annotation %s: %s", d.Kind, key, value)
			}
		}
		for _, m := range u.GetManagedFields() {
			// The Deployment's own controller writes its revision number into an annotation, and people may write too.
			its := m.Subresource != "" || m.Manager == "kube-controller-manager" || m.Manager == agent.FieldManager || strings.HasPrefix(m.Manager, "kubectl")
			if !its || m.Manager == "belay" {
				return fmt.Errorf("%s has fields owned by %s %s: %s", d.Kind, m.Manager, m.Subresource, m.FieldsV1)
			}
		}
	}
	return nil
}

// Object is an empty one of a kind, to be read into.
func Object(apiVersion, kind string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetAPIVersion(apiVersion)
	u.SetKind(kind)
	return u
}
