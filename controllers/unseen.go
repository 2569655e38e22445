package controllers

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
)

// unseen looks past the cache for the canary of an attempt that ended, before its Services are unpinned: another leader may
// have made it, or its pods, while this one's cache stood still, and an unpinned Service selects them. It is a conflict.
// Pods that the workload has taken over are its own, and nobody waits for them. Only what retires waits: where the pods of
// the pinned revision are gone, Services are unpinned at once.
func (r *Reconciler) unseen(ctx context.Context, s *observe.Scene, effects []plan.Effect) error {
	unpins := slices.ContainsFunc(effects, func(e plan.Effect) bool { _, ok := e.(plan.Unpin); return ok })
	if !unpins || s.Progress.Stage != v1alpha1.StageRetiring || s.Progress.Canary == nil {
		return nil
	}
	canary := s.Progress.Canary
	var set appsv1.ReplicaSet
	err := r.Live.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: canary.ReplicaSet}, &set)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("looking for the canary once more: %w", err)
	}
	if err == nil && !metav1.IsControlledBy(&set, s.Rollout) {
		return nil
	}
	if err == nil && set.Spec.Replicas != nil && *set.Spec.Replicas > 0 {
		return running(s, fmt.Sprintf("ReplicaSet %s wants %d pods", set.Name, *set.Spec.Replicas))
	}
	var pods corev1.PodList
	if err := r.Live.List(ctx, &pods, client.InNamespace(s.Namespace), client.MatchingLabels{"pod-template-hash": canary.Revision}); err != nil {
		return fmt.Errorf("looking for the canary's pods once more: %w", err)
	}
	for i := range pods.Items {
		if pods.Items[i].DeletionTimestamp == nil {
			return running(s, fmt.Sprintf("pod %s of the canary runs", pods.Items[i].Name))
		}
	}
	return nil
}

func running(s *observe.Scene, what string) error {
	return apierrors.NewConflict(appsv1.Resource("replicasets"), s.Progress.Canary.ReplicaSet, fmt.Errorf("%s, and the plan was made without it", what))
}
