package gather

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/belay-dev/belay/api/v1alpha1"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func named(name, hash string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(name), CreationTimestamp: metav1.NewTime(noon),
		Labels: map[string]string{"app": "checkout", "pod-template-hash": hash}}
}

func replicaSet(name, hash string, replicas, ready int32) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{ObjectMeta: named(name, hash), Spec: appsv1.ReplicaSetSpec{Replicas: &replicas}, Status: appsv1.ReplicaSetStatus{ReadyReplicas: ready}}
}

func podOf(set, name, hash string, change func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: named(name, hash), Status: corev1.PodStatus{Phase: corev1.PodRunning}}
	p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: set, UID: types.UID(set), Controller: ptr.To(true)}}
	if change != nil {
		change(p)
	}
	return p
}

func objects() []client.Object {
	return []client.Object{
		&v1alpha1.Rollout{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "checkout"},
			Spec:       v1alpha1.RolloutSpec{WorkloadRef: v1alpha1.WorkloadReference{Kind: "Deployment", Name: "checkout"}},
			Status: v1alpha1.RolloutStatus{
				Stable: &v1alpha1.RevisionStatus{Revision: "aaa"}, Canary: &v1alpha1.RevisionStatus{Revision: "bbb"},
			},
		},
		&appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "checkout", Annotations: map[string]string{
				v1alpha1.AnnotationHold: "1.2/false", v1alpha1.AnnotationBypass: "fire"}},
			Spec: appsv1.DeploymentSpec{Replicas: ptr.To[int32](4), Paused: true, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "checkout"}}},
		},
		replicaSet("checkout-aaa", "aaa", 4, 3), replicaSet("checkout-bbb", "bbb", 1, 0), replicaSet("checkout-old", "old", 0, 0),
		podOf("checkout-aaa", "a2", "aaa", nil), podOf("checkout-aaa", "a1", "aaa", nil), podOf("checkout-bbb", "b1", "bbb", nil),
		podOf("checkout-old", "o1", "old", nil), podOf("another", "x1", "aaa", nil),
	}
}

func reader(t *testing.T, funcs interceptor.Funcs, objects ...client.Object) client.Client {
	t.Helper()
	scheme, err := Scheme()
	if err != nil {
		t.Fatal(err)
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithInterceptorFuncs(funcs).Build()
}

func TestTree(t *testing.T) {
	tree, err := Tree(t.Context(), reader(t, interceptor.Funcs{}, objects()...), "shop", "checkout", noon)
	if err != nil {
		t.Fatal(err)
	}
	if w := tree.Workload; w == nil || !w.Held || w.Replicas != 4 || w.Bypass != "fire" {
		t.Errorf("workload %+v", w)
	}
	if s := tree.Stable; s == nil || s.Name != "checkout-aaa" || s.Replicas != 4 || s.Ready != 3 || len(s.Pods) != 2 || s.Pods[0].Name != "a1" {
		t.Errorf("stable %+v", s)
	}
	if c := tree.Canary; c == nil || c.Name != "checkout-bbb" || len(c.Pods) != 1 || c.Pods[0].Name != "b1" {
		t.Errorf("canary %+v", c)
	}
	if len(tree.Notes) > 0 {
		t.Errorf("notes %q", tree.Notes)
	}
}

func TestTreeSaysWhatItCouldNotRead(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", nil)
	failList := func(fails func(client.ObjectList) bool, err error) interceptor.Funcs {
		return interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, l client.ObjectList, o ...client.ListOption) error {
			if fails(l) {
				return err
			}
			return c.List(ctx, l, o...)
		}}
	}
	for name, c := range map[string]struct {
		funcs   interceptor.Funcs
		objects []client.Object
		note    string
		stable  bool
	}{
		"no Deployment": {objects: objects()[:1], note: "Deployment checkout does not exist"},
		"no pods": {objects: objects(), stable: true, note: "Pods: not shown, you may not read them here",
			funcs: failList(func(l client.ObjectList) bool { _, is := l.(*corev1.PodList); return is }, forbidden)},
		"no sets": {objects: objects(), note: "ReplicaSets: not shown: broken",
			funcs: failList(func(l client.ObjectList) bool { _, is := l.(*appsv1.ReplicaSetList); return is }, errors.New("broken"))},
	} {
		t.Run(name, func(t *testing.T) {
			tree, err := Tree(t.Context(), reader(t, c.funcs, c.objects...), "shop", "checkout", noon)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(tree.Notes, []string{c.note}) {
				t.Errorf("notes %q, want %q", tree.Notes, c.note)
			}
			if (tree.Stable != nil) != c.stable {
				t.Errorf("stable %+v", tree.Stable)
			}
		})
	}
	if _, err := Tree(t.Context(), reader(t, interceptor.Funcs{}), "shop", "checkout", noon); !apierrors.IsNotFound(err) {
		t.Errorf("without the Rollout: %v", err)
	}
}

func TestPodState(t *testing.T) {
	waiting := func(reason string) corev1.ContainerStatus {
		return corev1.ContainerStatus{RestartCount: 2, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}}
	}
	ready := []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	for name, c := range map[string]struct {
		pod      corev1.Pod
		state    string
		ready    bool
		restarts int32
	}{
		"ready":     {pod: corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: ready}}, state: "Running", ready: true},
		"not ready": {pod: corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning}}, state: "Running"},
		"leaving": {pod: corev1.Pod{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &metav1.Time{Time: noon}},
			Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: ready}}, state: "Terminating"},
		"crashing":  {pod: corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{waiting("CrashLoopBackOff")}}}, state: "CrashLoopBackOff", restarts: 2},
		"init pull": {pod: corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodPending, InitContainerStatuses: []corev1.ContainerStatus{waiting("ImagePullBackOff")}, ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "PodInitializing"}}}}}}, state: "ImagePullBackOff"},
		"failed":    {pod: corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 3}}}}}}, state: "exit code 3"},
		"no room": {pod: corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable"}}}}, state: "Unschedulable"},
		"evicted": {pod: corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted"}}, state: "Evicted"},
		"new":     {pod: corev1.Pod{}, state: "Unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			got := pod(&c.pod)
			if got.State != c.state || got.Ready != c.ready || got.Restarts != c.restarts {
				t.Errorf("%+v, want %s, ready %v, %d restarts", got, c.state, c.ready, c.restarts)
			}
		})
	}
}
