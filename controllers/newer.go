package controllers

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
)

// standBack reports on a Rollout whose record a newer controller wrote. It writes the sentence and what kstatus reads, and
// nothing else: a whole status of this controller's types would drop every field that it does not know.
func (r *Reporter) standBack(ctx context.Context, s *observe.Scene, p plan.Plan) (time.Time, error) {
	next := s.Rollout.DeepCopy()
	next.Status.Phase, next.Status.Message = p.Phase, p.Reason
	readiness(func(kind string, status metav1.ConditionStatus, reason, message string) {
		meta.SetStatusCondition(&next.Status.Conditions, metav1.Condition{
			Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: s.Generation,
		})
	}, p, &s.Progress)
	key := client.ObjectKeyFromObject(next)
	due := r.due(key, &s.Rollout.Status, &next.Status, s.Now)
	if due.IsZero() || due.After(s.Now) {
		return due, nil
	}
	patch := client.MergeFromWithOptions(s.Rollout.DeepCopy(), client.MergeFromWithOptimisticLock{})
	told := next.Status.DeepCopy()
	if err := r.Client.Status().Patch(ctx, next, patch); err != nil {
		return time.Time{}, fmt.Errorf("writing the status: %w", err)
	}
	r.remember(key, s.Now)
	r.events(s, p, told)
	return time.Time{}, nil
}
