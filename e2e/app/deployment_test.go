package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/belay-dev/belay/e2e/cluster"
)

// TestDeployment is what every story relies on: pods of a Deployment serve, a rolling update loses no request, deletions
// are graceful, and an image that is not there keeps a pod pending. Real control plane, real processes.
func TestDeployment(t *testing.T) {
	ctx := t.Context()
	c := cluster.ForTest(t, cluster.Options{Node: &cluster.NodeOptions{Images: imagesFile(t, "v1", "v2")}})
	w := &world{Interface: kubernetes.NewForConfigOrDie(c.Config())}
	w.create(t)

	t.Run("becomes available", func(t *testing.T) {
		eventually(t, func() error { return w.complete(ctx, "app:v1") })
		ready, _, err := w.endpoints(ctx)
		if err != nil || len(ready) != 3 {
			t.Fatalf("ready endpoints = %v, %v", ready, err)
		}
		for _, address := range ready {
			if !netip.MustParsePrefix("10.244.0.0/16").Contains(netip.MustParseAddr(address)) {
				t.Errorf("%s is not an address of the node's range", address)
			}
		}
	})

	t.Run("a rolling update loses no request", func(t *testing.T) {
		load, stop := context.WithCancel(ctx)
		var callers sync.WaitGroup
		var answers sync.Map
		for range 4 {
			callers.Go(func() { w.call(load, t, &answers) })
		}
		w.setImage(t, "app:v2")
		eventually(t, func() error { return w.complete(ctx, "app:v2") })
		stop()
		callers.Wait()
		for _, revision := range []string{"v1", "v2"} {
			if _, ok := answers.Load(revision); !ok {
				t.Errorf("no answer of %s was seen", revision)
			}
		}
	})

	t.Run("a deletion is graceful", func(t *testing.T) { w.deletion(t) })

	t.Run("an image that is not there", func(t *testing.T) {
		w.setImage(t, "app:v9")
		eventually(t, func() error { return w.waitingFor(ctx, "app:v9", "ErrImagePull", "ImagePullBackOff") })
	})
}

// deletion watches one pod from its deletion on: unready endpoint at once, still answering, gone after the drain.
func (w *world) deletion(t *testing.T) {
	ctx := t.Context()
	pods, err := w.CoreV1().Pods("default").List(ctx, metav1.ListOptions{LabelSelector: "app=shop"})
	if err != nil {
		t.Fatal(err)
	}
	victim := pods.Items[0]
	if err := w.CoreV1().Pods("default").Delete(ctx, victim.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	eventually(t, func() error {
		ready, terminating, err := w.endpoints(ctx)
		if err == nil && (slices.Contains(ready, victim.Status.PodIP) || !slices.Contains(terminating, victim.Status.PodIP)) {
			err = fmt.Errorf("%s: ready %v, terminating %v", victim.Status.PodIP, ready, terminating)
		}
		return err
	})
	if _, err := ask(ctx, victim.Status.PodIP); err != nil {
		t.Errorf("a terminating pod must go on serving: %v", err)
	}
	eventually(t, func() error {
		if _, err := w.CoreV1().Pods("default").Get(ctx, victim.Name, metav1.GetOptions{}); err == nil {
			return errors.New("the pod is still there")
		}
		return nil
	})
	if took := time.Since(began); took < time.Second {
		t.Errorf("gone after %s, before its drain of a second was over", took)
	}
	if _, err := ask(ctx, victim.Status.PodIP); err == nil {
		t.Error("the process outlived its pod")
	}
}
