package tell

import (
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Moment is a change of who gets the shop's traffic, as the API server told it.
type Moment struct {
	At time.Time
	// Share of the canary, "10%"; "open" when the Service selects pods of every revision.
	Share string
	// Programmed: every gateway reports the route as it is stored.
	Programmed bool
}

// EveryWeight records who gets the shop's traffic, from its route and its Service.
func (s *Story) EveryWeight() func() []Moment {
	s.T.Helper()
	var mu sync.Mutex
	var moments []Moment
	add := func(m Moment) {
		mu.Lock()
		defer mu.Unlock()
		m.At = time.Now()
		moments = append(moments, m)
	}
	routes := &unstructured.UnstructuredList{}
	routes.SetAPIVersion("gateway.networking.k8s.io/v1")
	routes.SetKind("HTTPRouteList")
	s.Watch(routes, func(o client.Object) {
		route := o.(*unstructured.Unstructured)
		add(Moment{Share: ShareIn(route), Programmed: programmed(route)})
	})
	pinned := false
	s.Watch(&corev1.ServiceList{}, func(o client.Object) {
		if o.GetName() != "shop" {
			return
		}
		_, now := o.(*corev1.Service).Spec.Selector["pod-template-hash"]
		if pinned && !now {
			add(Moment{Share: "open"})
		}
		pinned = now
	})
	return func() []Moment {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(moments)
	}
}

// ShareIn is the canary's share in the route's only rule.
func ShareIn(route *unstructured.Unstructured) string {
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

// Rung of a ladder, and the least time from the moment in which its weight is programmed to the next weight.
type Rung struct {
	Share string
	Least time.Duration
}

// Kept says that the canary got these shares and no other, in this order, and each for as long as it has to be.
func (s *Story) Kept(moments []Moment, ladder []Rung) {
	s.T.Helper()
	// Both moments are taken when this process hears of them, the first may come late.
	const late = 200 * time.Millisecond
	var shares []string
	var since time.Time
	for i, m := range moments {
		if i == 0 || m.Share != moments[i-1].Share {
			s.leaves(shares, since, m.At.Add(late), ladder)
			shares, since = append(shares, m.Share), time.Time{}
		}
		if m.Share == "open" {
			break // handed over
		}
		if m.Programmed && since.IsZero() {
			since = m.At
		}
	}
	want := []string{"0%"}
	for _, r := range ladder {
		want = append(want, r.Share)
	}
	want = append(want, "open")
	if !slices.Equal(shares, want) {
		s.T.Errorf("the canary's shares were %v, want %v", shares, want)
	}
}

// leaves says that the last share was kept long enough.
func (s *Story) leaves(shares []string, since, now time.Time, ladder []Rung) {
	s.T.Helper()
	i := slices.IndexFunc(ladder, func(r Rung) bool { return len(shares) > 0 && r.Share == shares[len(shares)-1] })
	if i < 0 {
		return
	}
	took := now.Sub(since)
	s.T.Logf("%s for %s", ladder[i].Share, took.Round(time.Millisecond))
	if since.IsZero() || took < ladder[i].Least {
		s.T.Errorf("%s lasted %s from the moment in which it was programmed, want at least %s", ladder[i].Share, took, ladder[i].Least)
	}
}

// Shares are the canary's shares one after the other, as "0%", "50%", and "open" when the Service selects pods of every
// revision again.
func Shares(moments []Moment) []string {
	var out []string
	for _, m := range moments {
		if len(out) == 0 || out[len(out)-1] != m.Share {
			out = append(out, m.Share)
		}
	}
	return out
}
