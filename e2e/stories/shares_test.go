package stories

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/belay-dev/belay/e2e/tell"
	"github.com/belay-dev/belay/e2e/world"
)

// One route has several rules, one of them with a backend of another team. That backend keeps its exact share during the
// release, rules that are none of our business stay as they are, and afterwards the route is what Git says.
func TestForeignBackendKeepsItsShare(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "shares", Edit: twoTeams})
	other := s.Visit(t.Context(), "/both", 100)
	before := s.route()
	s.Ship("shop:v2")
	s.stepWith("1/3", []backend{{"shop", 8100}, {"shop-canary", 900}, {"other", 1000}}, []backend{{"shop", 90}, {"shop-canary", 10}})
	s.stepWith("2/3", []backend{{"shop", 4500}, {"shop-canary", 4500}, {"other", 1000}}, []backend{{"shop", 50}, {"shop-canary", 50}})
	s.stepWith("3/3", []backend{{"shop", 0}, {"shop-canary", 9000}, {"other", 1000}}, []backend{{"shop", 0}, {"shop-canary", 100}})
	s.Promoted("shop:v2")
	other.Stop()

	if after := s.route(); !reflect.DeepEqual(before, after) {
		t.Errorf("the route's rules were\n%v\nand are\n%v", before, after)
	}
	s.AtRest()
	total := other.Snapshot()
	share, all := float64(total.Of("v6"))/float64(total.Answered), float64(total.Answered)
	if band := 4 * math.Sqrt(0.1*0.9/all); total.Failed != 0 || math.Abs(share-0.1) > band {
		t.Errorf("the other team got %.1f%% of %d requests, want 10%%; %d failed", 100*share, total.Answered, total.Failed)
	}
	s.NoRequestLost()
}

// stepWith waits for a step and says how the rule of both teams and our own rule are divided, and that the third is not.
func (s *story) stepWith(step string, both, own []backend) {
	s.T.Helper()
	s.Step("shop:v2", step)
	rules := s.route()
	for i, want := range [][]backend{both, own, {{"other", 1}}} {
		if got := backends(rules[i]); !reflect.DeepEqual(got, want) {
			s.T.Errorf("step %s: rule %d has the backends %v, want %v", step, i, got, want)
		}
	}
	for _, ref := range refsOf(rules[1]) {
		if _, kept := ref["filters"]; !kept {
			s.T.Errorf("step %s: a backend of our rule has lost its filter: %v", step, ref)
		}
	}
}

// route gives the rules as they are stored.
func (s *story) route() []any {
	s.T.Helper()
	u := tell.Object("gateway.networking.k8s.io/v1", "HTTPRoute")
	s.Get(u)
	rules, _, err := unstructured.NestedSlice(u.Object, "spec", "rules")
	s.Must(err)
	return rules
}

// backend of a rule and its weight.
type backend struct {
	Name   string
	Weight int64
}

func refsOf(rule any) []map[string]any {
	refs, _, _ := unstructured.NestedSlice(rule.(map[string]any), "backendRefs")
	out := make([]map[string]any, len(refs))
	for i, ref := range refs {
		out[i] = ref.(map[string]any)
	}
	return out
}

func backends(rule any) []backend {
	var out []backend
	for _, ref := range refsOf(rule) {
		name, _, _ := unstructured.NestedString(ref, "name")
		weight, _, _ := unstructured.NestedInt64(ref, "weight")
		out = append(out, backend{name, weight})
	}
	return out
}

// twoTeams adds another team's application and a route with three rules.
func twoTeams(files map[string]string) {
	rename := strings.NewReplacer("name: shop\n", "name: other\n", "app: shop", "app: other")
	files[world.Path+"/other.yaml"] = world.WithImage(rename.Replace(files[world.Path+"/deployment.yaml"]), "shop:v6") +
		"---\n" + rename.Replace(files[world.Path+"/service.yaml"])
	const rules = `  rules:
  - matches:
    - path: {type: PathPrefix, value: /both}
    backendRefs:
    - {name: shop, port: 80, weight: 90}
    - {name: other, port: 80, weight: 10}
  - backendRefs:
    - name: shop
      port: 80
      filters:
      - type: RequestHeaderModifier
        requestHeaderModifier: {set: [{name: x-team, value: shop}]}
  - matches:
    - path: {type: PathPrefix, value: /other}
    backendRefs:
    - {name: other, port: 80}
`
	route := files[world.Path+"/route.yaml"]
	files[world.Path+"/route.yaml"] = route[:strings.Index(route, "  rules:")] + rules
}
