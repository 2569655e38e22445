package cluster_test

import (
	"maps"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/belay-dev/belay/controllers/sim/cluster"
)

var podKind = schema.GroupKind{Kind: "Pod"}

// conditions that the gateway reported to the route's one parent.
func conditions(route *unstructured.Unstructured) []map[string]any {
	parents, _, _ := unstructured.NestedSlice(route.Object, "status", "parents")
	if len(parents) != 1 {
		return nil
	}
	items, _, _ := unstructured.NestedSlice(parents[0].(map[string]any), "conditions")
	var out []map[string]any
	for _, item := range items {
		out = append(out, item.(map[string]any))
	}
	return out
}

func (s *scene) reportedGeneration() int64 {
	s.Helper()
	all := conditions(s.get("HTTPRoute", "web"))
	if len(all) == 0 {
		return 0
	}
	generation, _ := all[0]["observedGeneration"].(int64)
	return generation
}

func TestGatewayModes(t *testing.T) {
	for mode, want := range map[cluster.GatewayMode]struct {
		// soon and later: what is reported after two and after fifty seconds, of generation 2; v2 of a hundred requests then.
		soon, later int64
		resolved    string
		v2          int
	}{
		cluster.Prompt:   {2, 2, "True", 5},
		cluster.Late:     {1, 2, "True", 5},
		cluster.Stuck:    {1, 1, "True", 0},
		cluster.Stale:    {1, 1, "True", 0},
		cluster.Refusing: {2, 2, "False", 0},
	} {
		t.Run("mode "+string(mode), func(t *testing.T) {
			s := newScene(t, 11).withShop().withCanary()
			s.SetGateway(mode)
			s.weights(95, 5)
			s.run(2 * time.Second)
			if got := s.reportedGeneration(); got != want.soon {
				t.Errorf("after two seconds generation %d is reported, not %d", got, want.soon)
			}
			s.run(48 * time.Second)
			last := conditions(s.get("HTTPRoute", "web"))[1]
			if got := s.reportedGeneration(); got != want.later || last["status"] != want.resolved {
				t.Errorf("later %v of generation %d is reported", last, got)
			}
			if got := tally(s.Requests(100), byImage)["web:v2"]; got != want.v2 {
				t.Errorf("v2 got %d of a hundred", got)
			}
			s.Calm()
			s.settle()
			if got := tally(s.Requests(100), byImage)["web:v2"]; s.reportedGeneration() != 2 || !s.reports("True") || got != 5 {
				t.Errorf("calmed, generation %d is reported, and v2 got %d of a hundred", s.reportedGeneration(), got)
			}
		})
	}
}

// A backend that is not there is reported, and so is that it has come.
func TestMissingBackend(t *testing.T) {
	s := newScene(t, 12).withShop()
	s.patch("HTTPRoute", "web", `{"spec":{"rules":[{"backendRefs":[{"name":"web","port":80},{"name":"new","port":80}]}]}}`)
	s.settle()
	if !s.reports("False") {
		t.Errorf("reported is %v", conditions(s.get("HTTPRoute", "web")))
	}
	s.create(`
apiVersion: v1
kind: Service
metadata: {name: new, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
`)
	s.settle()
	if !s.reports("True") {
		t.Errorf("reported is %v", conditions(s.get("HTTPRoute", "web")))
	}
}

// A route that is deleted sends nothing any more.
func TestRouteDeleted(t *testing.T) {
	s := newScene(t, 13).withShop()
	must(t, s.person.Delete(t.Context(), object("HTTPRoute", "web")))
	s.settle()
	if got := tally(s.Requests(100), byOutcome); len(got) != 0 {
		t.Errorf("outcomes are %v", got)
	}
	s.create(routeManifest)
	s.settle()
	if got := tally(s.Requests(100), byOutcome); !maps.Equal(got, map[string]int{"served": 100}) {
		t.Errorf("created again: %v", got)
	}
}

// Only what changes a route's spec is programmed again.
func TestAnnotationsAreNothingToTheGateway(t *testing.T) {
	s := newScene(t, 14).withShop()
	before := s.schedule.Ran()
	s.patch("HTTPRoute", "web", `{"metadata":{"annotations":{"belay.dev/split":"7.3/web/web-canary/0/100"}}}`)
	s.settle()
	if ran := s.schedule.Ran() - before; ran != 0 {
		t.Errorf("%d events", ran)
	}
}
