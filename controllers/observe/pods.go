package observe

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
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
		for _, text := range troubles(&list.Items[i]) {
			if !slices.Contains(s.Pods, text) {
				s.Pods = append(s.Pods, text)
			}
		}
	}
	slices.Sort(s.Pods)
	s.CanaryReadySince = o.ready.since(client.ObjectKeyFromObject(s.Rollout), s.Progress.Canary.Revision, s.Canary.Ready > 0, s.Now)
	return nil
}

// firstReady remembers since when a canary has been seen with a ready endpoint. Pods say themselves when they became ready,
// but by the clock of their node, and what is measured with two clocks may be no time at all. A controller that starts
// anew begins to count anew.
type firstReady struct {
	mu   sync.Mutex
	seen map[types.NamespacedName]sighting
}

type sighting struct {
	revision string
	at       time.Time
}

func (f *firstReady) since(key types.NamespacedName, revision string, ready bool, now time.Time) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !ready {
		delete(f.seen, key)
		return time.Time{}
	}
	if s, ok := f.seen[key]; ok && s.revision == revision {
		return s.at
	}
	if f.seen == nil {
		f.seen = map[types.NamespacedName]sighting{}
	}
	f.seen[key] = sighting{revision, now}
	return now
}

func (f *firstReady) forget(key types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.seen, key)
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
