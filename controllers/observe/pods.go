package observe

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// pods says in sentences what is wrong with canary pods. Sentences name no pod, so that they are the same for all of
// them and do not rewrite the status at every restart.
func (o *Observer) pods(ctx context.Context, s *Scene) error {
	if s.Progress.Canary == nil || !s.running() {
		return nil
	}
	var list corev1.PodList
	err := o.Reader.List(ctx, &list, client.InNamespace(s.Namespace), client.MatchingLabels{"pod-template-hash": s.Progress.Canary.Revision})
	if err != nil {
		return fmt.Errorf("listing canary pods: %w", err)
	}
	for i := range list.Items {
		if list.Items[i].DeletionTimestamp == nil {
			s.CanaryPods++
		}
		if at := readySince(&list.Items[i]); !at.IsZero() && (s.CanaryReadySince.IsZero() || at.Before(s.CanaryReadySince)) {
			s.CanaryReadySince = at
		}
		for _, text := range troubles(&list.Items[i]) {
			if !slices.Contains(s.Pods, text) {
				s.Pods = append(s.Pods, text)
			}
		}
	}
	slices.Sort(s.Pods)
	return nil
}

// readySince is when a pod became ready, to the second; zero: it is not.
func readySince(pod *corev1.Pod) time.Time {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil {
			return c.LastTransitionTime.Time
		}
	}
	return time.Time{}
}

// troubles of a pod that is not ready.
func troubles(pod *corev1.Pod) []string {
	if pod.DeletionTimestamp != nil {
		return nil
	}
	var out []string
	for _, c := range pod.Status.Conditions {
		switch {
		case c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse:
			out = append(out, fmt.Sprintf("not scheduled: %s", c.Reason))
		case c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue:
			return nil
		}
	}
	for _, c := range append(slices.Clone(pod.Status.InitContainerStatuses), pod.Status.ContainerStatuses...) {
		switch {
		case c.State.Waiting != nil && c.State.Waiting.Reason != "ContainerCreating" && c.State.Waiting.Reason != "PodInitializing":
			out = append(out, fmt.Sprintf("container %s of image %s: %s", c.Name, c.Image, c.State.Waiting.Reason))
		case c.State.Terminated != nil && c.State.Terminated.ExitCode != 0:
			out = append(out, fmt.Sprintf("container %s of image %s ended with exit code %d", c.Name, c.Image, c.State.Terminated.ExitCode))
		case c.State.Running != nil && !c.Ready:
			out = append(out, fmt.Sprintf("container %s of image %s runs but is not ready", c.Name, c.Image))
		}
	}
	return out
}
