package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/belay-dev/belay/e2e/cluster"
)

// TestPodsThatComeBackUnderTheirName is about pods whose name is used again: the new one has another address and process,
// also when the old one was deleted by force and its object went before its process.
func TestPodsThatComeBackUnderTheirName(t *testing.T) {
	ctx := t.Context()
	c := cluster.ForTest(t, cluster.Options{Node: &cluster.NodeOptions{Images: imagesFile(t, "v1")}})
	w := &world{Interface: kubernetes.NewForConfigOrDie(c.Config())}
	labels, one := map[string]string{"app": "cart"}, int32(1)
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "cart"}, Spec: appsv1.StatefulSetSpec{
		Replicas: &one,
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "cart", Image: "app:v1"}}}},
	}}
	if _, err := w.AppsV1().StatefulSets("default").Create(ctx, set, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	old := w.serving(t, "cart-0", "")
	now := int64(0)
	for name, options := range map[string]metav1.DeleteOptions{"gracefully": {}, "by force": {GracePeriodSeconds: &now}} {
		t.Run(name, func(t *testing.T) {
			if err := w.CoreV1().Pods("default").Delete(ctx, "cart-0", options); err != nil {
				t.Fatal(err)
			}
			next := w.serving(t, "cart-0", old.UID)
			if next.Status.PodIP == old.Status.PodIP {
				t.Errorf("both pods have the address %s", old.Status.PodIP)
			}
			eventually(t, func() error {
				if _, err := ask(ctx, old.Status.PodIP); err == nil {
					return errors.New("the old process still serves")
				}
				return nil
			})
			old = next
		})
	}
}

// serving waits for a pod of that name, other than the one with the UID not, that answers.
func (w *world) serving(t *testing.T, name string, not any) *corev1.Pod {
	t.Helper()
	var pod *corev1.Pod
	eventually(t, func() error {
		var err error
		if pod, err = w.CoreV1().Pods("default").Get(t.Context(), name, metav1.GetOptions{}); err != nil {
			return err
		}
		if pod.UID == not || pod.Status.PodIP == "" {
			return fmt.Errorf("pod %s %s has the address %q", pod.Name, pod.UID, pod.Status.PodIP)
		}
		_, err = ask(context.WithoutCancel(t.Context()), pod.Status.PodIP)
		return err
	})
	return pod
}
