package cluster_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/controllers/sim/cluster"
)

// tally sums requests by what a function tells of their answers.
func tally(answers []cluster.Answer, what func(cluster.Answer) string) map[string]int {
	out := map[string]int{}
	for _, a := range answers {
		if key := what(a); key != "" {
			out[key] += a.Count
		}
	}
	return out
}

func byImage(a cluster.Answer) string {
	if a.Inside {
		return ""
	}
	return a.Image
}

func byOutcome(a cluster.Answer) string {
	if a.Inside {
		return ""
	}
	return string(a.Outcome)
}

// withCanary adds a canary of two pods of v2, its Service, and a pin on the other.
func (s *scene) withCanary() *scene {
	s.Helper()
	stable := s.Pods()[0].Revision
	s.paused("web:v2")
	s.beside("canary", 2)
	s.patch("Service", "web", `{"spec":{"selector":{"pod-template-hash":"`+stable+`"}}}`)
	s.create(`
apiVersion: v1
kind: Service
metadata: {name: web-canary, namespace: shop, labels: {belay.dev/canary-of: web}}
spec:
  selector: {app: web, pod-template-hash: canary}
  ports: [{name: http, port: 80, targetPort: 8080}]
`)
	s.settle()
	return s
}

func (s *scene) weights(stable, canary int) {
	s.Helper()
	s.patch("HTTPRoute", "web", fmt.Sprintf(`{"spec":{"rules":[{"backendRefs":[
		{"name":"web","port":80,"weight":%d},{"name":"web-canary","port":80,"weight":%d}]}]}}`, stable, canary))
}

// Requests are divided as the weights say.
func TestWeights(t *testing.T) {
	s := newScene(t, 1).withShop().withCanary()
	for _, tc := range []struct{ stable, canary, v1, v2 int }{
		{100, 0, 1000, 0}, {95, 5, 950, 50}, {1, 1, 500, 500}, {0, 100, 0, 1000}, {8550, 450, 950, 50},
	} {
		s.weights(tc.stable, tc.canary)
		s.settle()
		answers := s.Requests(1000)
		want := map[string]int{"web:v1": tc.v1, "web:v2": tc.v2}
		maps.DeleteFunc(want, func(_ string, n int) bool { return n == 0 })
		if got := tally(answers, byImage); !maps.Equal(got, want) {
			t.Errorf("weights %d and %d: %v", tc.stable, tc.canary, got)
		}
		inside := func(a cluster.Answer) string {
			if !a.Inside {
				return ""
			}
			return a.Via + " " + a.Image
		}
		if got := tally(answers, inside); !maps.Equal(got, map[string]int{"Service web web:v1": 1000}) {
			t.Errorf("from inside: %v", got)
		}
	}
	if record := s.Record(); record.Lost() != 0 || record.Total != 10000 || record.Revision("canary").Served != 1600 {
		t.Errorf("the record is %+v, the canary's %+v", record, record.Revision("canary"))
	}
}

// A small share reaches every pod in the end.
func TestFewRequestsAreSpreadByChance(t *testing.T) {
	s := newScene(t, 1).withShop().withCanary()
	s.weights(95, 5)
	s.settle()
	total := map[string]int{}
	for range 100 {
		for image, n := range tally(s.Requests(10), byImage) {
			total[image] += n
		}
	}
	if n := total["web:v2"]; n < 30 || n > 70 || total["web:v1"]+n != 1000 {
		t.Errorf("of a thousand: %v", total)
	}
}

// A single request reaches any of the pods.
func TestOneRequestAtATime(t *testing.T) {
	s := newScene(t, 2).withShop()
	s.paused("web:v2")
	s.beside("canary", 4)
	total := map[string]int{}
	for range 100 {
		for image, n := range tally(s.Requests(1), byImage) {
			total[image] += n
		}
	}
	if n := total["web:v2"]; n < 30 || n > 70 || total["web:v1"]+n != 100 {
		t.Errorf("of a hundred: %v", total)
	}
}

// What the gateway reports is in force within the bound: before it is reported, or later; and what happens to a route and
// to a Service at one moment arrives in any order.
func TestDataPlaneLags(t *testing.T) {
	early, late, routeFirst := 0, 0, 0
	for seed := range uint64(30) {
		s := newScene(t, seed).withShop().withCanary()
		sees := func() bool { return tally(s.Requests(100), byImage)["web:v2"] > 0 }
		s.weights(95, 5)
		s.until("programmed", func() bool { return s.reports("True") })
		reported := s.schedule.Now()
		if sees() {
			early++
		}
		s.until("in force", sees)
		switch lag := s.schedule.Now().Sub(reported); {
		case lag > 2*time.Second:
			t.Errorf("seed %d: in force after %s", seed, lag)
		case lag > time.Second:
			late++
		}
		s.settle()
		// Another weight and a Service that is gone, at the same moment.
		s.weights(100, 0)
		must(t, s.person.Delete(t.Context(), object("Service", "web-canary")))
		lost := 0
		s.until("settled", func() bool {
			lost += tally(s.Requests(100), byOutcome)[string(cluster.NoBackend)]
			return s.Quiet()
		})
		if lost == 0 {
			routeFirst++
		}
	}
	if early < 1 || late < 3 || routeFirst < 3 || routeFirst > 27 {
		t.Errorf("of 30: %d early, %d late, %d saw the route first", early, late, routeFirst)
	}
}

// reports says whether the gateway reported the stored form of the route, with backends that can be resolved or not.
func (s *scene) reports(resolved string) bool {
	route := s.get("HTTPRoute", "web")
	for _, c := range conditions(route) {
		if c["observedGeneration"] != route.GetGeneration() || c["type"] == "ResolvedRefs" && c["status"] != resolved {
			return false
		}
	}
	return len(conditions(route)) == 2
}

func TestLosses(t *testing.T) {
	for name, tc := range map[string]struct {
		harm func(s *scene)
		want map[string]int
	}{
		"a Service that is not there": {
			func(s *scene) { must(s, s.person.Delete(s.Context(), object("Service", "web-canary"))) },
			map[string]int{"served": 95, "no backend": 5},
		},
		"a Service without pods": {
			func(s *scene) {
				s.patch("ReplicaSet", "web-canary", `{"spec":{"replicas":0}}`)
			},
			map[string]int{"served": 95, "no endpoint": 5},
		},
		"no weight at all": {
			func(s *scene) { s.weights(0, 0) },
			map[string]int{"no backend": 100},
		},
		"no rule sends anywhere": {
			func(s *scene) { s.patch("HTTPRoute", "web", `{"spec":{"rules":[{}]}}`) },
			map[string]int{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, 9).withShop().withCanary()
			s.weights(95, 5)
			s.settle()
			tc.harm(s)
			s.settle()
			if got := tally(s.Requests(100), byOutcome); !maps.Equal(got, tc.want) {
				t.Errorf("outcomes are %v", got)
			}
		})
	}
}

// A pod whose node is lost is still asked until the data plane hears of it; one that is not ready any more answers badly.
func TestBadEndpoints(t *testing.T) {
	s := newScene(t, 10).withShop()
	s.Vanish(s.Pods()[0].NamespacedName)
	if got := tally(s.Requests(100), byOutcome); !maps.Equal(got, map[string]int{"served": 75, "pod gone": 25}) {
		t.Errorf("with one gone: %v", got)
	}
	if s.Vanish(types.NamespacedName{Namespace: "shop", Name: "nobody"}) {
		t.Error("a pod vanished that never was")
	}
	s.settle()
	s.SetHealth("web:v1", cluster.Flapping)
	s.until("unready", func() bool { return s.Record().Outcomes[cluster.Unready] > 0 || len(s.Requests(100)) == 0 })
	if tally := s.Record().Revision(s.Pods()[0].Revision); tally.Unready == 0 || tally.ThroughRoutes == 0 || !tally.First.Before(tally.Last) {
		t.Errorf("the record is %+v", tally)
	}
}

// The same seed gives the same run, to the last write and the last request.
func TestSameSeedSameRun(t *testing.T) {
	run := func(seed uint64) string {
		s := newScene(t, seed).withShop().withCanary()
		s.SetHealth("web:v3", cluster.Flapping)
		s.weights(90, 10)
		s.ship("web:v3")
		s.patch("Deployment", "web", `{"spec":{"paused":false}}`)
		var told string
		for range 60 {
			s.run(time.Second)
			told += fmt.Sprintln(s.Requests(7))
		}
		s.Calm()
		s.run(time.Minute)
		list := s.api.Objects().All(podKind, "shop")
		for _, pod := range list {
			told += fmt.Sprintln(client.ObjectKeyFromObject(pod), pod.GetResourceVersion(), pod.GetUID())
		}
		return told
	}
	for seed := range uint64(5) {
		if a, b := run(seed), run(seed); a != b {
			t.Fatalf("seed %d:\n%s\nand then\n%s", seed, a, b)
		}
	}
	if run(1) == run(2) {
		t.Error("two seeds give the same run")
	}
}
