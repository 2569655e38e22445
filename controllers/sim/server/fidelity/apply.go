package fidelity

import (
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// with replaces a part of a manifest.
func with(manifest string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(manifest)
}

func applying(s *run) {
	s.apply(agent, deployment)
	s.apply(agent, deployment)
	s.apply(agent, with(deployment, "web:v1", "web:v2"))
	s.apply(agent, with(deployment, "web:v1", "web:v2", "{name: web}\nspec:", "{name: web, labels: {a: b}}\nspec:\n  replicas: 2"))
	s.apply(agent, with(deployment, "web:v1", "web:v2"))
	s.apply("other", with(deployment, "web:v1", "web:v3"))
	s.apply("other", with(deployment, "web:v1", "web:v2"))
	s.apply("other", with(deployment, "web:v1", "web:v2"))
	s.apply("other", with(deployment, "web:v1", "web:v3"), client.ForceOwnership)
	s.apply(agent, with(deployment, "web:v1", "web:v2"))
	s.apply(agent, with(deployment, "web:v1", "web:v3"))
	s.apply("other", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, annotations: {a: b}}}")
	s.patch("Deployment", "web", merging, `{"spec":{"replicas":5}}`, client.FieldOwner("hpa"))
	s.apply(agent, with(deployment, "web:v1", "web:v3", "spec:\n  selector", "spec:\n  replicas: 3\n  selector"))
	s.apply(agent, with(deployment, "web:v1", "web:v3", "spec:\n  selector", "spec:\n  replicas: 3\n  selector"), client.ForceOwnership)
	s.patch("Deployment", "web", merging, `{"spec":{"paused":true},"metadata":{"annotations":{"x":"y"}}}`, client.FieldOwner("belay"))
	s.patch("Deployment", "web", merging, `{"spec":{"paused":null},"metadata":{"annotations":{"x":null}}}`, client.FieldOwner("belay"))
	d := s.get("Deployment", "web")
	d = s.update(d, set(int64(7), "spec", "replicas"), client.FieldOwner(agent))
	s.update(d, unset("metadata", "managedFields"), client.FieldOwner("put"))
	s.update(d, set([]any{}, "metadata", "managedFields"), client.FieldOwner("put"))
	s.get("Deployment", "web")
	s.apply(agent, deployment)
	s.apply(agent, deployment, client.ForceOwnership)
	s.delete("Deployment", "web")
	s.apply(agent, deployment, client.DryRunAll)
	s.get("Deployment", "web")
}

func applyingOddly(s *run) {
	s.apply("", configMap)
	s.apply(agent, with(configMap, "notes}", "notes, resourceVersion: \"1\"}"))
	s.apply(agent, with(configMap, "notes}", "notes, uid: 00000000-1111-4000-8000-000000000000}"))
	s.apply(agent, with(configMap, "notes}", "notes, managedFields: [{manager: a}]}"))
	s.apply(agent, configMap)
	s.apply(agent, with(configMap, "notes}", "notes, resourceVersion: \"1\"}"))
	s.apply(agent, with(configMap, "notes}", "notes, managedFields: [{manager: a}]}"))
	s.apply(agent, with(configMap, "data: {a: \"1\"}", "strange: {}"))
	s.apply(agent, with(configMap, "data: {a: \"1\"}", "data: {a: 1}"))
	s.apply(agent, with(configMap, "{a: \"1\"}", "{a: null}"))
	s.apply(agent, with(configMap, ", data: {a: \"1\"}", ""))
	s.apply(agent, with(deployment, "name: web, image: \"web:v1\"", "image: x"))
	s.apply(agent, with(deployment, `{name: web, image: "web:v1"}`, `{name: web, image: a}, {name: web, image: b}`))
	s.apply(agent, with(deployment, "  selector: {matchLabels: {app: web}}\n", ""))
	s.create(deployment)
	s.patch("Deployment", "web", merging, `{"metadata":{"managedFields":[{}]}}`)
	s.apply(agent, deployment)
	s.apply(agent, with(deployment, "web:v1", "web:v2"))
	s.apply("kubectl", with(deployment, "metadata: {name: web}", `metadata: {name: web, annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}"}}`), client.ForceOwnership)
	s.apply("kubectl", deployment, client.ForceOwnership)
}

func applyingOthers(s *run) {
	s.apply(agent, service)
	s.patch("Service", "web", merging, `{"spec":{"selector":{"pod-template-hash":"a"}}}`, client.FieldOwner("belay"))
	s.apply(agent, service)
	s.apply(agent, service, client.ForceOwnership)
	s.apply(agent, with(service, "ports: [{port: 80, targetPort: 8080}]", "ports: [{port: 80, targetPort: 8080, name: a}, {port: 81, name: b}]"))
	s.apply(agent, service)
	s.apply(agent, route)
	s.apply(agent, route)
	s.patch("HTTPRoute", "web", merging, `{"metadata":{"annotations":{"belay.dev/split":"x"}}}`, client.FieldOwner("belay"))
	s.apply(agent, with(route, "weight: 90", "weight: 80"))
	s.apply("other", with(route, "weight: 90", "weight: 70"))
	s.applyStatus("gateway", `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
status: {parents: [{parentRef: {name: gateway}, controllerName: example.com/gateway, conditions: [{type: Accepted, status: "True", reason: Accepted, message: "", lastTransitionTime: "2026-01-01T00:00:00Z"}]}]}
`)
	s.apply(agent, with(route, "weight: 90", "weight: 80"))
	s.apply(agent, rollout)
	s.apply(agent, rollout)
	s.apply(agent, with(rollout, "weight: 5", "weight: 500"))
	s.apply(agent, with(rollout, "  services: [{name: web}]", "  services: [{name: web}, {name: api}]"))
	s.apply("other", with(rollout, "  services: [{name: web}]", "  services: [{name: third}]"))
	s.apply(agent, rollout)
	s.apply("other", with(rollout, "  services: [{name: web}]\n", "  suspend: true\n"))
	s.patch("Rollout", "web", merging, `{"metadata":{"finalizers":["belay.dev/rollout"]}}`, client.FieldOwner("belay"))
	s.applyStatus("belay", `{apiVersion: belay.dev/v1alpha1, kind: Rollout, metadata: {name: web}, status: {phase: Held, message: waits}}`)
	s.applyStatus("other", `{apiVersion: belay.dev/v1alpha1, kind: Rollout, metadata: {name: web}, status: {phase: Aborted}}`)
	s.apply(agent, with(rollout, "spec:", "status: {phase: Held}\nspec:"))
	s.apply(agent, with(rollout, "  strategy", "  strange: 1\n  strategy"))
	s.apply(agent, with(rollout, "belay.dev/v1alpha1", "belay.dev/v1alpha1"), client.DryRunAll)
	s.apply(agent, "{apiVersion: v1, kind: Namespace, metadata: {name: "+s.namespace+", labels: {a: b}}}")
	s.apply(agent, "{apiVersion: v1, kind: Namespace, metadata: {name: "+s.namespace+"}}")
}
