package gather

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/cmd/kubectl-belay/view"
)

// Tree reads a Rollout with all that hangs on it. The error is the API server's when the Rollout itself cannot be read.
func Tree(ctx context.Context, c client.Reader, namespace, name string, now time.Time) (view.Tree, error) {
	r := &v1alpha1.Rollout{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, r); err != nil {
		return view.Tree{}, err
	}
	t := view.Tree{Rollout: r, Now: now}
	if r.Spec.WorkloadRef.Kind != "Deployment" {
		return t, nil
	}
	d := &appsv1.Deployment{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: r.Spec.WorkloadRef.Name}, d); err != nil {
		t.Notes = append(t.Notes, unreadable("Deployment "+r.Spec.WorkloadRef.Name, err))
		return t, nil
	}
	t.Workload = workload(d)
	addGroups(ctx, c, &t, d)
	return t, nil
}

func workload(d *appsv1.Deployment) *view.Workload {
	w := &view.Workload{Kind: "Deployment", Name: d.Name, Replicas: 1, Held: Held(d)}
	if d.Spec.Replicas != nil {
		w.Replicas = *d.Spec.Replicas
	}
	if reason := d.Annotations[v1alpha1.AnnotationBypass]; reason != d.Annotations[v1alpha1.AnnotationBypassed] {
		w.Bypass = reason
	}
	return w
}

// Held says whether a workload accepts its template but starts no pods of it.
func Held(d *appsv1.Deployment) bool {
	return d.Annotations[v1alpha1.AnnotationHold] != "" && d.Spec.Paused
}

func addGroups(ctx context.Context, c client.Reader, t *view.Tree, d *appsv1.Deployment) {
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		t.Notes = append(t.Notes, fmt.Sprintf("Deployment %s: %v", d.Name, err))
		return
	}
	selected := []client.ListOption{client.InNamespace(d.Namespace), client.MatchingLabelsSelector{Selector: selector}}
	var sets appsv1.ReplicaSetList
	if err := c.List(ctx, &sets, selected...); err != nil {
		t.Notes = append(t.Notes, unreadable("ReplicaSets", err))
		return
	}
	var pods corev1.PodList
	if err := c.List(ctx, &pods, selected...); err != nil {
		t.Notes = append(t.Notes, unreadable("Pods", err))
	}
	t.Stable = group(t.Rollout.Status.Stable, sets.Items, pods.Items)
	t.Canary = group(t.Rollout.Status.Canary, sets.Items, pods.Items)
}

// group finds the ReplicaSet of a revision and its pods; nil when there is none.
func group(revision *v1alpha1.RevisionStatus, sets []appsv1.ReplicaSet, pods []corev1.Pod) *view.Group {
	if revision == nil || revision.Revision == "" {
		return nil
	}
	i := slices.IndexFunc(sets, func(s appsv1.ReplicaSet) bool {
		return s.Labels[appsv1.DefaultDeploymentUniqueLabelKey] == revision.Revision
	})
	if i < 0 {
		return nil
	}
	set := sets[i]
	g := &view.Group{Name: set.Name, Replicas: set.Status.Replicas, Ready: set.Status.ReadyReplicas}
	if set.Spec.Replicas != nil {
		g.Replicas = *set.Spec.Replicas
	}
	for i := range pods {
		if owner := metav1.GetControllerOf(&pods[i]); owner != nil && owner.UID == set.UID {
			g.Pods = append(g.Pods, pod(&pods[i]))
		}
	}
	slices.SortFunc(g.Pods, func(a, b view.Pod) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name))
	})
	return g
}

func pod(p *corev1.Pod) view.Pod {
	out := view.Pod{Name: p.Name, State: podState(p), Created: p.CreationTimestamp.Time}
	for _, s := range p.Status.ContainerStatuses {
		out.Restarts += s.RestartCount
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			out.Ready = c.Status == corev1.ConditionTrue && p.DeletionTimestamp == nil
		}
	}
	return out
}

// podState is the first thing that keeps a pod from working, in the words that kubectl uses.
func podState(p *corev1.Pod) string {
	if p.DeletionTimestamp != nil {
		return "Terminating"
	}
	if p.Status.Reason != "" {
		return p.Status.Reason
	}
	for _, statuses := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for _, s := range statuses {
			switch {
			case s.State.Waiting != nil && s.State.Waiting.Reason != "" && s.State.Waiting.Reason != "PodInitializing":
				return s.State.Waiting.Reason
			case s.State.Terminated != nil && s.State.Terminated.ExitCode != 0:
				return cmp.Or(s.State.Terminated.Reason, fmt.Sprintf("exit code %d", s.State.Terminated.ExitCode))
			}
		}
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason != "" {
			return c.Reason
		}
	}
	return cmp.Or(string(p.Status.Phase), "Unknown")
}

func unreadable(what string, err error) string {
	switch {
	case apierrors.IsNotFound(err):
		return what + " does not exist"
	case apierrors.IsForbidden(err):
		return what + ": not shown, you may not read them here"
	default:
		return what + ": not shown: " + err.Error()
	}
}
