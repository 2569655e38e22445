package main

import (
	"context"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	corev1listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

func storedPod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "new", Labels: map[string]string{"role": "live"}},
		Status: corev1.PodStatus{
			QOSClass:   corev1.PodQOSBestEffort,
			Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}},
		},
	}
}

func clientFor(t *testing.T, pod *corev1.Pod, end func(types.NamespacedName, types.UID) error) podClient {
	t.Helper()
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	if err := indexer.Add(pod); err != nil {
		t.Fatal(err)
	}
	return podClient{
		PodsGetter: fake.NewClientset(pod).CoreV1(),
		lister:     corev1listers.NewPodLister(indexer),
		end:        func(_ context.Context, key types.NamespacedName, uid types.UID) error { return end(key, uid) },
	}
}

func TestStatusUpdateTouchesOnlyWhatTheNodeKnows(t *testing.T) {
	client := clientFor(t, storedPod(), nil)
	stale := storedPod()
	stale.Labels = map[string]string{"role": "long ago"}
	stale.Status = corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}
	if _, err := client.Pods("shop").UpdateStatus(context.Background(), stale, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	got, err := client.PodsGetter.Pods("shop").Get(context.Background(), "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Labels["role"] != "live" || got.Status.Phase != corev1.PodRunning || got.Status.QOSClass != corev1.PodQOSBestEffort {
		t.Errorf("pod = %+v", got)
	}
	for _, kind := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodReady} {
		if !slices.ContainsFunc(got.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == kind }) {
			t.Errorf("condition %s is missing: %+v", kind, got.Status.Conditions)
		}
	}
}

func TestStatusOfAnotherPodOfThatName(t *testing.T) {
	client := clientFor(t, storedPod(), nil)
	old := storedPod()
	old.UID = "old"
	if _, err := client.Pods("shop").UpdateStatus(context.Background(), old, metav1.UpdateOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("error = %v, want not found", err)
	}
}

func TestDeleteWaitsForProcesses(t *testing.T) {
	var client podClient
	client = clientFor(t, storedPod(), func(key types.NamespacedName, uid types.UID) error {
		if key.String() != "shop/web" || uid != "new" {
			t.Errorf("ended %s with UID %s", key, uid)
		}
		_, err := client.PodsGetter.Pods("shop").Get(context.Background(), "web", metav1.GetOptions{})
		if err != nil {
			t.Errorf("the object went before the processes: %v", err)
		}
		return nil
	})
	options := metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions("new")}
	if err := client.Pods("shop").Delete(context.Background(), "web", options); err != nil {
		t.Fatal(err)
	}
	if _, err := client.PodsGetter.Pods("shop").Get(context.Background(), "web", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("error = %v, want that the object is gone", err)
	}
}
