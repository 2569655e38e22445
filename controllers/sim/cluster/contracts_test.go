package cluster_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers/httproute"
	"github.com/belay-dev/belay/routers/routertest"
	"github.com/belay-dev/belay/workloads"
	"github.com/belay-dev/belay/workloads/deployment"
	"github.com/belay-dev/belay/workloads/workloadtest"
)

// passing lets a second pass before every look at a Deployment: the contract waits for a cluster that runs by itself.
type passing struct {
	client.Client
	*scene
}

func (p passing) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if o.GetObjectKind().GroupVersionKind().Kind == "Deployment" {
		p.run(time.Second)
	}
	return p.Client.Get(ctx, key, o, opts...)
}

// What is promised of Deployments on the real controllers holds on the played ones: the same contract, word for word.
func TestDeployment(t *testing.T) {
	workloadtest.Run(t, func(t *testing.T) *workloadtest.Fixture {
		s := newGuarded(t, 1).withDeployment()
		return &workloadtest.Fixture{
			Workload: deployment.Deployment{}, Client: passing{s.ours, s}, Target: s.target(),
			Ship: func(_ *testing.T, version string) { s.apply(versioned(version)) },
		}
	})
}

// The gateway reports what the contract of routes expects of one.
func TestHTTPRoute(t *testing.T) {
	routertest.Run(t, func(t *testing.T) *routertest.Fixture {
		s := newGuarded(t, 1)
		for _, name := range []string{"web", "other", "web-canary"} {
			s.apply(strings.Replace(serviceManifest, "name: web,", "name: "+name+",", 1))
		}
		s.settle()
		s.apply(dividedManifest)
		return &routertest.Fixture{
			Router: httproute.HTTPRoute{}, Client: s.ours, Namespace: "shop",
			Ref:     v1alpha1.RouteReference{Kind: "HTTPRoute", Name: "web"},
			Reapply: func(*testing.T) { s.apply(dividedManifest) },
			Report:  func(*testing.T) { s.settle() },
			Form:    func(*testing.T) string { return backends(s.get("HTTPRoute", "web")) },
		}
	})
}

const dividedManifest = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: shop}
spec:
  parentRefs: [{name: public}]
  rules:
  - backendRefs: [{name: web, port: 80, weight: 90}, {name: other, port: 80, weight: 10}]
`

// versioned is the Deployment of three pods that the tests on the real cluster have.
func versioned(version string) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec: {containers: [{name: web, image: "web:%s"}]}
`, version)
}

// apply is a server-side apply without force, as an agent does it.
func (s *scene) apply(manifest string) {
	s.Helper()
	object := parse(s, manifest)
	must(s, s.person.Apply(s.Context(), client.ApplyConfigurationFromUnstructured(object), client.FieldOwner("agent")))
}

// withDeployment adds a Rollout that nobody works on and a Deployment of three pods of v1, settled.
func (s *scene) withDeployment() *scene {
	s.Helper()
	s.SetHealth("web:unready", "never ready")
	s.create(`
apiVersion: belay.dev/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop}
spec:
  workloadRef: {kind: Deployment, name: web}
  services: [{name: web}]
  routes: [{kind: HTTPRoute, name: web}]
  strategy: {canary: {steps: [{weight: 5, bake: 1m}, {weight: 100, bake: 1m}]}}
`)
	s.apply(versioned("v1"))
	s.settle()
	return s
}

func (s *scene) target() workloads.Target {
	s.Helper()
	uid := s.get("Rollout", "web").GetUID()
	return workloads.Target{Namespace: "shop", Name: "web", Rollout: "web", RolloutUID: string(uid)}
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
