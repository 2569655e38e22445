package httproute

import (
	"context"
	"math/big"
	"reflect"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
)

// only reads one route, whatever it says.
type only struct {
	client.Reader
	route *unstructured.Unstructured
}

func (o only) Get(_ context.Context, _ client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	into.(*unstructured.Unstructured).Object = o.route.DeepCopy().Object
	return nil
}

func (o only) List(_ context.Context, into client.ObjectList, _ ...client.ListOption) error {
	into.(*unstructured.UnstructuredList).Items = []unstructured.Unstructured{*o.route.DeepCopy()}
	return nil
}

// written is a route of arbitrary parts; nil: one of them is no JSON.
func written(rules, parents, reports, split string, generation int64) *unstructured.Unstructured {
	object := map[string]any{"metadata": map[string]any{"generation": generation}, "spec": map[string]any{}, "status": map[string]any{}}
	for text, at := range map[string][2]string{rules: {"spec", "rules"}, parents: {"spec", "parentRefs"}, reports: {"status", "parents"}} {
		var value any
		if json.Unmarshal([]byte(text), &value) != nil {
			return nil
		}
		object[at[0]].(map[string]any)[at[1]] = value
	}
	route := &unstructured.Unstructured{Object: object}
	route.SetGroupVersionKind(Kind())
	route.SetNamespace("shop")
	route.SetName("web")
	if split != "" {
		route.SetAnnotations(map[string]string{v1alpha1.AnnotationSplit: split})
	}
	return route
}

func seedRoutes(f *testing.F) {
	const rule, parents, none = `[{"backendRefs":[{"name":"web","port":80}]}]`, `[{"name":"public"}]`, `null`
	const programmed = `[{"parentRef":{"name":"public"},"conditions":[{"type":"Accepted","status":"True","observedGeneration":3},{"type":"ResolvedRefs","status":"True","observedGeneration":3}]}]`
	f.Add(rule, parents, programmed, "", int64(3), "web", "web-canary")
	f.Add(`[{"name":"api","backendRefs":[{"name":"web","weight":95},{"name":"web-canary","weight":5}]}]`, parents, none, "7.3/web/web-canary/5/100", int64(4), "web", "")
	f.Add(`[{"backendRefs":[{"name":"web","weight":1000000},{"kind":"Service","group":"","name":"web","namespace":"shop"}]},7,{"backendRefs":{}}]`, `[{"name":"a","port":80},{"name":"a","port":80.5,"group":""}]`, programmed, "7.3/web/web-canary/0/1000", int64(0), "web", "web-canary")
	f.Add(`[{"filters":[{"requestMirror":{"backendRef":{"name":"web-canary"}}}]}]`, `{}`, `[{"parentRef":null,"conditions":[null,{"type":7}]}]`, "7.3/api/api-canary/5/100", int64(1), "web", "web-canary")
	f.Add(`[{"backendRefs":[{"name":"web","weight":92233720368547759},{"name":"web","weight":-1},{"weight":1e9}]}]`, none, none, "", int64(1), "web", "web")
	f.Add(`[]`, `[{"name":"public","sectionName":"a"}]`, `[{"parentRef":{"name":"public","sectionName":"a"},"conditions":[{"type":"Accepted","status":"False","observedGeneration":1,"reason":"","message":"a\n\n b"}]}]`, "x", int64(1), "", "")
}

// FuzzObserve reads routes that say anything: the share stays within its bounds, an intent is this Service's, nothing is
// programmed without a report, and what is read stands there.
func FuzzObserve(f *testing.F) {
	seedRoutes(f)
	f.Fuzz(func(t *testing.T, rules, parents, reports, split string, generation int64, service, canary string) {
		route := written(rules, parents, reports, split, generation)
		if route == nil {
			return
		}
		before := route.DeepCopy()
		state, err := HTTPRoute{}.Observe(t.Context(), only{route: route}, "shop", ref, service, canary)
		if err != nil || !state.Found {
			t.Fatalf("found %t, %v", state.Found, err)
		}
		if !reflect.DeepEqual(before, route) {
			t.Error("reading changed the route")
		}
		sound(t, state, service, canary)
		if state.Programmed != (state.Why == "") {
			t.Errorf("programmed %t, because %q", state.Programmed, state.Why)
		}
		for i, rule := range rulesOf(route) {
			if names := rule.names("shop", service); names != (rule.count("shop", service) > 0) || names && !state.Names {
				t.Errorf("rule %d names %s: %t, the route: %t", i, service, names, state.Names)
			}
		}
		unstructured.RemoveNestedField(route.Object, "status")
		if ok, why := programmed(route); ok || why == "" {
			t.Errorf("without a report it is programmed: %t %q", ok, why)
		}
	})
}

func sound(t *testing.T, s routers.State, service, canary string) {
	t.Helper()
	if share := s.Permille(); share < 0 || share > 1000 || share > 0 && !s.Divided {
		t.Errorf("a share of %d", share)
	}
	if s.Intent != nil && (s.Intent.Service != service || canary != "" && s.Intent.Canary != canary || s.Other != nil) {
		t.Errorf("the intent %s is not that of %s and %s, beside %v", s.Intent, service, canary, s.Other)
	}
	if s.Other != nil && s.Other.Service == service && (canary == "" || s.Other.Canary == canary) {
		t.Errorf("the intent %s is taken for another Rollout's", s.Other)
	}
	for _, title := range s.Unsplit {
		if title == "" {
			t.Error("a rule without a title")
		}
	}
}

// FuzzNaming says that whatever a route divides is found by the name of its canary, and that room for a split is counted
// as the bounds of the Gateway API say.
func FuzzNaming(f *testing.F) {
	seedRoutes(f)
	f.Fuzz(func(t *testing.T, rules, parents, reports, split string, generation int64, service, canary string) {
		route := written(rules, parents, reports, split, generation)
		if route == nil {
			return
		}
		state, err := HTTPRoute{}.Observe(t.Context(), only{route: route}, "shop", ref, service, canary)
		if err != nil {
			t.Fatal(err)
		}
		if state.Intent != nil {
			canary = state.Intent.Canary
		}
		for name, named := range map[string]bool{service: state.Names, canary: state.Divided} {
			refs, err := HTTPRoute{}.Naming(t.Context(), only{route: route}, "shop", name)
			if err != nil || named && len(refs) != 1 {
				t.Errorf("%s is named by %v, %v", name, refs, err)
			}
		}
		for _, rule := range rulesOf(route) {
			if got, want := rule.overfull("shop", service), tooMuch(rule, rule.count("shop", service)); got != want {
				t.Errorf("%v is overfull: %t, want %t", rule, got, want)
			}
		}
	})
}

// tooMuch is overfull in numbers that have no end.
func tooMuch(r rule, more int) bool {
	refs := listIn(r, "backendRefs")
	for _, ref := range refs {
		weight, ok := ref["weight"].(int64)
		if scaled := new(big.Int).Mul(big.NewInt(weight), big.NewInt(smallestScale)); ok && scaled.Cmp(big.NewInt(maxWeight)) > 0 {
			return true
		}
	}
	return len(refs)+more > maxBackends
}
