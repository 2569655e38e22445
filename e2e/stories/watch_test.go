package stories

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/e2e/world"
)

// watch follows the shop's objects of a kind until the test ends.
func (s *story) watch(list client.ObjectList, look func(client.Object)) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.t.Context()))
	ended, err := s.Watch(ctx, list, look)
	if err != nil {
		cancel()
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Error(err)
		}
	})
}

// everyPod collects all pods of an image that there ever are.
func (s *story) everyPod(image string) func() map[string]world.Pod {
	s.t.Helper()
	var mu sync.Mutex
	ever := map[string]world.Pod{}
	s.watch(&corev1.PodList{}, func(o client.Object) {
		pod := world.PodOf(o.(*corev1.Pod))
		if pod.Image != image {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		ever[o.GetName()] = pod
	})
	return func() map[string]world.Pod {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(ever)
	}
}

// moment is a change of who gets the shop's traffic, as the API server told it.
type moment struct {
	at time.Time
	// share of the canary, "10%"; "open" when the Service selects pods of every revision.
	share string
	// programmed: every gateway reports the route as it is stored.
	programmed bool
}

// everyWeight records who gets the shop's traffic, from its route and its Service.
func (s *story) everyWeight() func() []moment {
	s.t.Helper()
	var mu sync.Mutex
	var moments []moment
	add := func(m moment) {
		mu.Lock()
		defer mu.Unlock()
		m.at = time.Now()
		moments = append(moments, m)
	}
	routes := &unstructured.UnstructuredList{}
	routes.SetAPIVersion("gateway.networking.k8s.io/v1")
	routes.SetKind("HTTPRouteList")
	s.watch(routes, func(o client.Object) {
		route := o.(*unstructured.Unstructured)
		add(moment{share: shareIn(route), programmed: programmed(route)})
	})
	pinned := false
	s.watch(&corev1.ServiceList{}, func(o client.Object) {
		if o.GetName() != "shop" {
			return
		}
		_, now := o.(*corev1.Service).Spec.Selector["pod-template-hash"]
		if pinned && !now {
			add(moment{share: "open"})
		}
		pinned = now
	})
	return func() []moment {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(moments)
	}
}

// shareIn is the canary's share in the route's only rule.
func shareIn(route *unstructured.Unstructured) string {
	rules, _, _ := unstructured.NestedSlice(route.Object, "spec", "rules")
	refs, _, _ := unstructured.NestedSlice(rules[0].(map[string]any), "backendRefs")
	var canary, all int64
	for _, ref := range refs {
		weight := ref.(map[string]any)["weight"].(int64)
		all += weight
		if ref.(map[string]any)["name"] == "shop-canary" {
			canary += weight
		}
	}
	return fmt.Sprintf("%d%%", 100*canary/all)
}

// programmed says that every gateway that reports on the route has accepted what is stored.
func programmed(route *unstructured.Unstructured) bool {
	parents, _, _ := unstructured.NestedSlice(route.Object, "status", "parents")
	for _, p := range parents {
		conditions, _, _ := unstructured.NestedSlice(p.(map[string]any), "conditions")
		for _, c := range conditions {
			c := c.(map[string]any)
			if c["status"] != string(metav1.ConditionTrue) || c["observedGeneration"] != route.GetGeneration() {
				return false
			}
		}
	}
	return len(parents) > 0
}

// rung of a ladder, and the least time from the moment in which its weight is programmed to the next weight.
type rung struct {
	share string
	least time.Duration
}

// kept says that the canary got these shares and no other, in this order, and each for as long as it has to be.
func (s *story) kept(moments []moment, ladder []rung) {
	s.t.Helper()
	// Both moments are taken when this process hears of them, the first may come late.
	const late = 200 * time.Millisecond
	var shares []string
	var since time.Time
	for i, m := range moments {
		if i == 0 || m.share != moments[i-1].share {
			s.leaves(shares, since, m.at.Add(late), ladder)
			shares, since = append(shares, m.share), time.Time{}
		}
		if m.share == "open" {
			break // handed over
		}
		if m.programmed && since.IsZero() {
			since = m.at
		}
	}
	want := []string{"0%"}
	for _, r := range ladder {
		want = append(want, r.share)
	}
	want = append(want, "open")
	if !slices.Equal(shares, want) {
		s.t.Errorf("the canary's shares were %v, want %v", shares, want)
	}
}

// leaves says that the last share was kept long enough.
func (s *story) leaves(shares []string, since, now time.Time, ladder []rung) {
	s.t.Helper()
	i := slices.IndexFunc(ladder, func(r rung) bool { return len(shares) > 0 && r.share == shares[len(shares)-1] })
	if i < 0 {
		return
	}
	took := now.Sub(since)
	s.t.Logf("%s for %s", ladder[i].share, took.Round(time.Millisecond))
	if since.IsZero() || took < ladder[i].least {
		s.t.Errorf("%s lasted %s from the moment in which it was programmed, want at least %s", ladder[i].share, took, ladder[i].least)
	}
}
