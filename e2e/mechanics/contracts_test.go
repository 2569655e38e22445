package mechanics

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers/httproute"
	"github.com/belay-dev/belay/routers/routertest"
	"github.com/belay-dev/belay/workloads/deployment"
	"github.com/belay-dev/belay/workloads/workloadtest"
)

func TestDeployment(t *testing.T) {
	workloadtest.Run(t, func(t *testing.T) *workloadtest.Fixture {
		s := newScene(t).withDeployment()
		return &workloadtest.Fixture{
			Workload: deployment.Deployment{}, Client: shared.ours, Target: s.target,
			Ship: func(t *testing.T, version string) { s.ship(version) },
		}
	})
}

func TestHTTPRoute(t *testing.T) {
	routertest.Run(t, func(t *testing.T) *routertest.Fixture {
		s := newScene(t)
		s.apply(routeManifest)
		return &routertest.Fixture{
			Router: httproute.HTTPRoute{}, Client: shared.ours, Namespace: s.namespace,
			Ref:     v1alpha1.RouteReference{Kind: "HTTPRoute", Name: "web"},
			Reapply: func(*testing.T) { s.apply(routeManifest) },
			Report:  func(*testing.T) { s.report("True") },
			Form:    func(*testing.T) string { return backends(s.get(routeManifest)) },
		}
	})
}

// report is what a gateway says of the stored route.
func (s *scene) report(resolved string) {
	s.t.Helper()
	route := s.get(routeManifest)
	condition := func(kind, status string) map[string]any {
		return map[string]any{
			"type": kind, "status": status, "reason": kind, "message": "", "observedGeneration": route.GetGeneration(),
			"lastTransitionTime": "2026-01-01T00:00:00Z",
		}
	}
	patch, err := json.Marshal(map[string]any{"status": map[string]any{"parents": []any{map[string]any{
		"controllerName": "example.com/gateway",
		"parentRef":      map[string]any{"name": "public"},
		"conditions":     []any{condition("Accepted", "True"), condition("ResolvedRefs", resolved)},
	}}}})
	must(s.t, err)
	must(s.t, shared.person.Status().Patch(s.t.Context(), route, client.RawPatch(types.MergePatchType, patch)))
}

// backends tells each backend with its weight; rules are separated by " | ".
func backends(route *unstructured.Unstructured) string {
	var rules []string
	all, _, _ := unstructured.NestedSlice(route.Object, "spec", "rules")
	for _, rule := range all {
		var refs []string
		list, _, _ := unstructured.NestedSlice(rule.(map[string]any), "backendRefs")
		for _, item := range list {
			ref := item.(map[string]any)
			refs = append(refs, fmt.Sprintf("%v %v", ref["name"], ref["weight"]))
		}
		rules = append(rules, strings.Join(refs, ", "))
	}
	return strings.Join(rules, " | ")
}
