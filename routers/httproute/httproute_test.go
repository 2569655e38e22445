package httproute

import (
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
)

var ref = v1alpha1.RouteReference{Group: Group, Kind: "HTTPRoute", Name: "web"}

func route(t *testing.T, spec, status string) *unstructured.Unstructured {
	t.Helper()
	text := "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: web, namespace: shop, generation: 3}\n" + spec + status
	body, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(body); err != nil {
		t.Fatal(err)
	}
	return u
}

func store(objects ...client.Object) client.Client {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypeWithName(Kind(), &unstructured.Unstructured{})
	scheme.AddKnownTypeWithName(Kind().GroupVersion().WithKind("HTTPRouteList"), &unstructured.UnstructuredList{})
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
}

func observe(t *testing.T, c client.Client, canary string) routers.State {
	t.Helper()
	state, err := HTTPRoute{}.Observe(t.Context(), c, "shop", ref, "web", canary)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

const oneParent = "  parentRefs: [{name: public, namespace: infra}]\n"

func spec(rules string) string { return "spec:\n" + oneParent + "  rules:\n" + rules }

func TestObserveRules(t *testing.T) {
	const intent = "7.3/web/web-canary/5/100"
	tests := map[string]struct {
		rules, split, canary string
		sees                 func(routers.State) bool
	}{
		"at rest": {"  - backendRefs: [{name: web, port: 80}]\n", "", "", func(s routers.State) bool {
			return s.Found && s.Names && !s.Divided && s.Intent == nil && s.Clear() && s.Permille() == 0
		}},
		"divided": {"  - backendRefs: [{name: web, weight: 95}, {name: web-canary, weight: 5}]\n", intent, "web-canary", func(s routers.State) bool {
			return s.Names && s.Divided && s.Permille() == 50 && !s.Clear() && len(s.Unsplit) == 0
		}},
		"divided, canary not asked for": {"  - backendRefs: [{name: web, weight: 95}, {name: web-canary, weight: 5}]\n", intent, "", func(s routers.State) bool {
			return s.Divided && s.Intent != nil && s.Intent.Canary == "web-canary"
		}},
		"divided without an intent": {"  - backendRefs: [{name: web}, {name: web-canary}]\n", "", "web-canary", func(s routers.State) bool {
			return s.Divided && s.Intent == nil && !s.Clear()
		}},
		"another Rollout's": {"  - backendRefs: [{name: web}]\n", "7.3/api/api-canary/5/100", "web-canary", func(s routers.State) bool {
			return s.Intent == nil && s.Other != nil && s.Other.Service == "api" && s.Clear()
		}},
		"the same Service, another canary": {"  - backendRefs: [{name: web}]\n", "7.3/web/other/5/100", "web-canary", func(s routers.State) bool {
			return s.Intent == nil && s.Other != nil && s.Other.Canary == "other"
		}},
		"no intent at all": {"  - backendRefs: [{name: web}]\n", "7.3/web/web-canary/500/100", "web-canary", func(s routers.State) bool {
			return s.Intent == nil && s.Other == nil
		}},
		"rules left unsplit": {"  - name: api\n    backendRefs: [{name: web}]\n  - backendRefs: [{name: web}]\n  - backendRefs: [{name: web}, {name: web-canary}]\n  - backendRefs: [{name: other}]\n",
			intent, "web-canary", func(s routers.State) bool { return s.Divided && slices.Equal(s.Unsplit, []string{"api", "rule 2"}) }},
		"no room for a split": {"  - backendRefs: [{name: web}" + strings.Repeat(", {name: other}", 15) + "]\n  - backendRefs: [{name: web, weight: 10001}]\n",
			"", "web-canary", func(s routers.State) bool { return s.Clear() && slices.Equal(s.Unsplit, []string{"rule 1", "rule 2"}) }},
		"another Rollout's weights": {"  - backendRefs: [{name: web, weight: 90000}, {name: api, weight: 9500}, {name: api-canary, weight: 500}]\n",
			"7.3/api/api-canary/50/1000", "web-canary", func(s routers.State) bool { return s.Other != nil && len(s.Unsplit) == 0 }},
		"just room for a split": {"  - backendRefs: [{name: web, weight: 10000}" + strings.Repeat(", {name: other}", 14) + "]\n  - backendRefs: [" + strings.Repeat("{name: other}, ", 15) + "{name: other}]\n",
			"", "web-canary", func(s routers.State) bool { return s.Names && len(s.Unsplit) == 0 }},
		"other kinds and namespaces of that name": {"  - backendRefs: [{name: web, kind: Bucket}, {name: web, namespace: far}, {name: web, group: x.io}]\n  - {}\n",
			intent, "web-canary", func(s routers.State) bool { return !s.Names && !s.Divided && len(s.Unsplit) == 0 }},
		"written out": {"  - backendRefs: [{name: web, kind: Service, namespace: shop, group: \"\"}]\n", "", "", func(s routers.State) bool { return s.Names }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			object := route(t, spec(test.rules), "")
			if test.split != "" {
				object.SetAnnotations(map[string]string{"belay.dev/split": test.split, "belay.dev/contested-by": "alice"})
			}
			state := observe(t, store(object), test.canary)
			if !test.sees(state) {
				t.Errorf("saw %+v", state)
			}
			if test.split != "" && state.ContestedBy != "alice" {
				t.Errorf("contested by %q", state.ContestedBy)
			}
		})
	}
}

func TestObserveMissing(t *testing.T) {
	if state := observe(t, store(), "web-canary"); state.Found || state.Ref != ref || !state.Clear() {
		t.Errorf("saw %+v", state)
	}
}

func TestSplitAndClear(t *testing.T) {
	c := store(route(t, spec("  - backendRefs: [{name: web}]\n"), ""))
	want := routers.Split{Fence: routers.Fence{Attempt: 7, Sequence: 3}, Service: "web", Canary: "web-canary", Weight: 5, Scale: 100}
	before := observe(t, c, "web-canary")
	if err := (HTTPRoute{}).Split(t.Context(), c, "shop", ref, before.ResourceVersion, want); err != nil {
		t.Fatal(err)
	}
	after := observe(t, c, "web-canary")
	if after.Intent == nil || *after.Intent != want {
		t.Errorf("intent %+v", after.Intent)
	}
	// The route is not the one that was observed any more.
	if err := (HTTPRoute{}).Split(t.Context(), c, "shop", ref, before.ResourceVersion, want); !apierrors.IsConflict(err) {
		t.Errorf("split from an old copy: %v", err)
	}
	if err := (HTTPRoute{}).Clear(t.Context(), c, "shop", ref, before.ResourceVersion, routers.Fence{Attempt: 7, Sequence: 9}); !apierrors.IsConflict(err) {
		t.Errorf("cleared from an old copy: %v", err)
	}
	if err := (HTTPRoute{}).Clear(t.Context(), c, "shop", ref, after.ResourceVersion, routers.Fence{Attempt: 7, Sequence: 9}); err != nil {
		t.Fatal(err)
	}
	if state := observe(t, c, "web-canary"); state.Intent != nil {
		t.Errorf("intent %+v", state.Intent)
	}
	if err := (HTTPRoute{}).Split(t.Context(), store(), "shop", ref, "1", want); !apierrors.IsNotFound(err) {
		t.Errorf("split of a missing route: %v", err)
	}
}

const (
	good  = "{type: Accepted, status: \"True\", observedGeneration: 3}, {type: ResolvedRefs, status: \"True\", observedGeneration: 3}"
	stale = "{type: Accepted, status: \"True\", observedGeneration: 3}, {type: ResolvedRefs, status: \"True\", observedGeneration: 2}"
	bad   = "{type: Accepted, status: \"True\", observedGeneration: 3}, {type: ResolvedRefs, status: \"False\", observedGeneration: 3, reason: BackendNotFound, message: \"no\\n  Service web-canary\"}"
)

func report(parent, conditions string) string {
	return "  - {controllerName: x.io/gateway, parentRef: " + parent + ", conditions: [" + conditions + "]}\n"
}

func TestProgrammed(t *testing.T) {
	tests := map[string]struct{ parents, reports, why string }{
		"done":                  {"[{name: public, namespace: infra}]", report("{name: public, namespace: infra}", good), ""},
		"defaults written out":  {"[{name: public}]", report("{name: public, namespace: shop, group: gateway.networking.k8s.io, kind: Gateway}", good), ""},
		"a newer report":        {"[{name: public}]", report("{name: public}", strings.ReplaceAll(good, "n: 3", "n: 4")), ""},
		"one of two sections":   {"[{name: public, sectionName: a}, {name: public, sectionName: b}]", report("{name: public, sectionName: a}", good), "Gateway shop/public (b) has not reported on HTTPRoute web yet"},
		"another port":          {"[{name: public, port: 80}]", report("{name: public, port: 81}", good), "Gateway shop/public has not reported on HTTPRoute web yet"},
		"another namespace":     {"[{name: public}]", report("{name: public, namespace: infra}", good), "Gateway shop/public has not reported on HTTPRoute web yet"},
		"a mesh":                {"[{name: web, kind: Service, group: \"\"}]", report("{name: web, kind: Service, group: \"\"}", good), ""},
		"the core group":        {"[{name: web, kind: Service, group: \"\"}]", report("{name: web, kind: Service}", good), "Service shop/web has not reported on HTTPRoute web yet"},
		"no report":             {"[{name: public}]", "", "Gateway shop/public has not reported on HTTPRoute web yet"},
		"an old generation":     {"[{name: public}]", report("{name: public}", stale), "Gateway shop/public has not reported on the stored form of HTTPRoute web yet"},
		"half a report":         {"[{name: public}]", report("{name: public}", "{type: Accepted, status: \"True\", observedGeneration: 3}"), "Gateway shop/public has not reported ResolvedRefs of HTTPRoute web yet"},
		"refused":               {"[{name: public}]", report("{name: public}", bad), "Gateway shop/public says that HTTPRoute web is not ResolvedRefs: BackendNotFound: no Service web-canary"},
		"two controllers":       {"[{name: public}]", report("{name: public}", bad) + report("{name: public}", good), ""},
		"two controllers, late": {"[{name: public}]", report("{name: public}", good) + report("{name: public}", stale), ""},
		"no parents":            {"[]", "", "HTTPRoute web names no parent in spec.parentRefs"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			status := ""
			if test.reports != "" {
				status = "status:\n  parents:\n" + test.reports
			}
			object := route(t, "spec:\n  rules: [{backendRefs: [{name: web}]}]\n  parentRefs: "+test.parents+"\n", status)
			state := observe(t, store(object), "web-canary")
			if state.Programmed != (test.why == "") || state.Why != test.why {
				t.Errorf("programmed %v, because %q", state.Programmed, state.Why)
			}
		})
	}
}

func TestQuote(t *testing.T) {
	if got := []rune(quote(strings.Repeat("ä ", 500))); len(got) != maxQuote || got[maxQuote-1] != '…' {
		t.Errorf("quoted %d characters", len(got))
	}
}
