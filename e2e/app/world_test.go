package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
)

// world is a cluster with one Deployment and one Service, both named shop.
type world struct{ kubernetes.Interface }

func (w *world) create(t *testing.T) {
	t.Helper()
	labels, replicas, none, one := map[string]string{"app": "shop"}, int32(3), intstr.FromInt32(0), intstr.FromInt32(1)
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Strategy: appsv1.DeploymentStrategy{RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: &none, MaxSurge: &one}},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{
				Name: "shop", Image: "app:v1", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
				ReadinessProbe: &corev1.Probe{
					PeriodSeconds: 1,
					ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString("http")}},
				},
			}}}},
		},
	}
	if _, err := w.AppsV1().Deployments("default").Create(t.Context(), deployment, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "shop"}, Spec: corev1.ServiceSpec{
		Selector: labels, Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromString("http")}}}}
	if _, err := w.CoreV1().Services("default").Create(t.Context(), service, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (w *world) setImage(t *testing.T, image string) {
	t.Helper()
	w.patch(t, fmt.Sprintf(`{"spec":{"template":{"spec":{"containers":[{"name":"shop","image":%q}]}}}}`, image))
}

// complete is nil when three pods of image, and no others, are there and available.
func (w *world) complete(ctx context.Context, image string) error {
	d, err := w.AppsV1().Deployments("default").Get(ctx, "shop", metav1.GetOptions{})
	if err != nil {
		return err
	}
	s := d.Status
	if d.Spec.Template.Spec.Containers[0].Image != image || s.ObservedGeneration != d.Generation || s.UpdatedReplicas != 3 || s.AvailableReplicas != 3 || s.Replicas != 3 {
		return fmt.Errorf("%+v", s)
	}
	pods, err := w.CoreV1().Pods("default").List(ctx, metav1.ListOptions{LabelSelector: "app=shop"})
	if err == nil && len(pods.Items) != 3 {
		err = fmt.Errorf("%d pods", len(pods.Items))
	}
	return err
}

func (w *world) endpoints(ctx context.Context) (ready, terminating []string, err error) {
	list, err := w.DiscoveryV1().EndpointSlices("default").List(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=shop"})
	if err != nil {
		return nil, nil, err
	}
	for _, slice := range list.Items {
		for _, e := range slice.Endpoints {
			if e.Conditions.Ready != nil && *e.Conditions.Ready {
				ready = append(ready, e.Addresses...)
			}
			if e.Conditions.Terminating != nil && *e.Conditions.Terminating {
				terminating = append(terminating, e.Addresses...)
			}
		}
	}
	return ready, terminating, nil
}

// call plays a gateway: it asks one ready endpoint after the other and looks the endpoints up every few requests.
func (w *world) call(ctx context.Context, t *testing.T, answers *sync.Map) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		<-tick.C
		ready, _, err := w.endpoints(context.WithoutCancel(ctx))
		if err != nil || len(ready) == 0 {
			t.Errorf("endpoints: %v, %v", ready, err)
			return
		}
		revision, err := ask(context.WithoutCancel(ctx), ready[rand.IntN(len(ready))])
		if err != nil {
			t.Errorf("a request was lost: %v", err)
			return
		}
		answers.Store(revision, true)
	}
}

// ask sends one request to a pod and returns the revision that answered.
func ask(ctx context.Context, address string) (string, error) {
	return askURL(ctx, "http://"+address+":8080/")
}

func askURL(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("x"))
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d", resp.StatusCode)
	}
	return resp.Header.Get("X-Revision"), nil
}

// waitingFor is nil when a pending pod of image waits with one of reasons.
func (w *world) waitingFor(ctx context.Context, image string, reasons ...string) error {
	pods, err := w.CoreV1().Pods("default").List(ctx, metav1.ListOptions{LabelSelector: "app=shop"})
	if err != nil {
		return err
	}
	for _, pod := range pods.Items {
		for _, s := range pod.Status.ContainerStatuses {
			if s.Image == image && pod.Status.Phase == corev1.PodPending && s.State.Waiting != nil && slices.Contains(reasons, s.State.Waiting.Reason) {
				return nil
			}
		}
	}
	return fmt.Errorf("no pod waits for %s", image)
}

func eventually(t *testing.T, try func() error) {
	t.Helper()
	deadline, tick := time.Now().Add(time.Minute), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		<-tick.C
	}
}
