package observe

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/api/v1alpha1"
)

func container(state corev1.ContainerState, ready bool) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: "app", Image: "shop:v2", State: state, Ready: ready}
}

func waitingFor(reason string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}
}

func exited(code int32) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code}}
}

func TestTroubles(t *testing.T) {
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	now := metav1.Now()
	condition := func(kind corev1.PodConditionType, status corev1.ConditionStatus, reason string) corev1.PodCondition {
		return corev1.PodCondition{Type: kind, Status: status, Reason: reason}
	}
	tests := map[string]struct {
		pod  corev1.Pod
		want []string
	}{
		"just made": {corev1.Pod{}, nil},
		"ready": {corev1.Pod{Status: corev1.PodStatus{
			Conditions:        []corev1.PodCondition{condition(corev1.PodReady, corev1.ConditionTrue, "")},
			ContainerStatuses: []corev1.ContainerStatus{container(running, false)},
		}}, nil},
		"going": {corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &now},
			Status:     corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{container(exited(1), false)}},
		}, nil},
		"unschedulable": {
			corev1.Pod{Status: corev1.PodStatus{Conditions: []corev1.PodCondition{condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable")}}},
			[]string{"not scheduled: Unschedulable"},
		},
		"being made":  {corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{container(waitingFor("ContainerCreating"), false)}}}, nil},
		"init first":  {corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{container(waitingFor("PodInitializing"), false)}}}, nil},
		"crash loop":  {corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{container(waitingFor("CrashLoopBackOff"), false)}}}, []string{"container app of image shop:v2: CrashLoopBackOff"}},
		"ended badly": {corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{container(exited(137), false)}}}, []string{"container app of image shop:v2 ended with exit code 137"}},
		"ended well":  {corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{container(exited(0), false)}}}, nil},
		"runs":        {corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{container(running, true)}}}, nil},
		"not ready":   {corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{container(running, false)}}}, []string{"container app of image shop:v2 runs but is not ready"}},
		"init fails": {
			corev1.Pod{Status: corev1.PodStatus{
				InitContainerStatuses: []corev1.ContainerStatus{container(waitingFor("ImagePullBackOff"), false)},
				ContainerStatuses:     []corev1.ContainerStatus{container(waitingFor("PodInitializing"), false)},
			}},
			[]string{"container app of image shop:v2: ImagePullBackOff"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := troubles(&tc.pod); !slices.Equal(got, tc.want) {
				t.Errorf("troubles %q, want %q", got, tc.want)
			}
		})
	}
}

// What is wrong is said once, whatever number of pods say it, and in the same order every time.
func TestPods(t *testing.T) {
	pod := func(name, revision string, statuses ...corev1.ContainerStatus) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: map[string]string{"pod-template-hash": revision}},
			Status:     corev1.PodStatus{ContainerStatuses: statuses},
		}
	}
	o := &Observer{Reader: reader(t,
		pod("a", "v2", container(waitingFor("CrashLoopBackOff"), false)),
		pod("b", "v2", container(waitingFor("CrashLoopBackOff"), false)),
		pod("c", "v2", container(waitingFor("Bad"), false)),
		pod("d", "v1", container(exited(1), false)),
	)}
	canary := &v1alpha1.RevisionRecord{Revision: "v2"}
	tests := map[string]struct {
		stage  v1alpha1.Stage
		canary *v1alpha1.RevisionRecord
		want   []string
	}{
		"in flight":  {v1alpha1.StageStepping, canary, []string{"container app of image shop:v2: Bad", "container app of image shop:v2: CrashLoopBackOff"}},
		"held":       {v1alpha1.StageHeld, canary, nil},
		"at rest":    {v1alpha1.StageResting, nil, nil},
		"not begun":  {v1alpha1.StageStepping, nil, nil},
		"being held": {v1alpha1.StageDraining, canary, []string{"container app of image shop:v2: Bad", "container app of image shop:v2: CrashLoopBackOff"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := sceneOf(tc.stage, "")
			s.Progress.Canary = tc.canary
			must(t, o.pods(t.Context(), s))
			if !slices.Equal(s.Pods, tc.want) {
				t.Errorf("pods say %q, want %q", s.Pods, tc.want)
			}
		})
	}
}

func TestFirstReady(t *testing.T) {
	key := types.NamespacedName{Namespace: "shop", Name: "web"}
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	var f firstReady
	for i, step := range []struct {
		revision string
		ready    bool
		at, want int
	}{{"v2", false, 1, 0}, {"v2", true, 2, 2}, {"v2", true, 5, 2}, {"v3", true, 6, 6}, {"v3", false, 7, 0}, {"v3", true, 8, 8}} {
		got := f.since(key, step.revision, step.ready, noon.Add(time.Duration(step.at)*time.Second))
		if want := noon.Add(time.Duration(step.want) * time.Second); step.want == 0 && !got.IsZero() || step.want > 0 && !got.Equal(want) {
			t.Errorf("look %d: since %s, want %s", i+1, got, want)
		}
	}
	if f.forget(key); !f.since(key, "v3", true, noon).Equal(noon) {
		t.Error("a Rollout that is gone is remembered")
	}
}
