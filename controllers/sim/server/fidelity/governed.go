package fidelity

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Scripts under the policies.

func holding(s *run) {
	hold := func(value any) { s.annotate("Deployment", "annotations", "belay.dev/hold", value) }
	v2 := with(deployment, "web:v1", "web:v2")
	s.create(with(deployment, "{name: web}\n", "{name: forged, labels: {belay.dev/rollout: web}, annotations: {belay.dev/hold: 1.1/false}}\n"))
	s.apply(agent, deployment)
	s.patch("Deployment", "web", merging, `{"metadata":{"labels":{"belay.dev/rollout":"web"}}}`)
	s.annotate("Deployment", "labels", "belay.dev/rollout", "web")
	before := s.get("Deployment", "web")
	s.patch("Deployment", "web", merging, `{"spec":{"template":{"metadata":{"annotations":{"belay.dev/probe":"x"}}}}}`, client.DryRunAll)
	s.apply(agent, v2)
	s.apply(agent, v2)
	s.apply(agent, v2, client.DryRunAll)
	hold("7.1/false")
	during := s.get("Deployment", "web")
	s.apply(agent, v2)
	s.apply(agent, with(v2, "spec:\n  selector", "spec:\n  paused: false\n  selector"), client.ForceOwnership)
	s.apply(agent, v2)
	s.patch("Deployment", "web", merging, `{"spec":{"paused":null}}`)
	s.patch("Deployment", "web", merging, `{"metadata":{"annotations":null}}`)
	s.patch("Deployment", "web", merging, `{"metadata":{"annotations":{"belay.dev/hold":"9.9/true"}}}`)
	s.patch("Deployment", "web", merging, `{"metadata":{"labels":null}}`)
	s.patch("Deployment", "web", merging, `{"spec":{"replicas":3}}`)
	s.patchStatus("Deployment", "web", merging, `{"metadata":{"annotations":{"belay.dev/hold":null}},"status":{"replicas":1}}`)
	s.put(before)
	s.put(during)
	s.patch("Deployment", "web", editing, `[{"op":"remove","path":"/metadata/annotations/belay.dev~1hold"}]`)
	s.patch("Deployment", "web", strategic, `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"now"}}}}}`)
	hold("7.0/false")
	hold("6.9/false")
	hold("nonsense")
	s.apply(agent, with(deployment, "web:v1", "web:v3"))
	hold("8.0/false")
	hold(nil)
	s.patch("Deployment", "web", merging, `{"metadata":{"annotations":{"belay.dev/bypass":"hotfix"}},"spec":{"template":{"spec":{"terminationGracePeriodSeconds":1}}}}`)
	s.apply(agent, deployment, client.ForceOwnership)
	s.annotate("Deployment", "labels", "belay.dev/rollout", nil)
	s.get("Deployment", "web")
	s.delete("Deployment", "web")
}

// put replaces an object by a copy, as a client does that insists.
func (s *run) put(copied *unstructured.Unstructured) {
	s.t.Helper()
	now := s.get(copied.GetKind(), copied.GetName())
	s.update(copied, set(now.GetResourceVersion(), "metadata", "resourceVersion"), client.FieldOwner("tool"))
}

func pinning(s *run) {
	pin := func(value any) { s.annotate("Service", "annotations", "belay.dev/pin", value) }
	s.apply(agent, service)
	before := s.get("Service", "web")
	pin("7.1/pod-template-hash=abc12")
	during := s.get("Service", "web")
	s.apply(agent, service)
	s.apply(agent, service, client.DryRunAll)
	s.apply(agent, with(service, "selector: {app: web}", "selector: {app: web, tier: front}"), client.ForceOwnership)
	s.apply(agent, service)
	s.patch("Service", "web", merging, `{"spec":{"selector":{"pod-template-hash":"forged"}}}`)
	s.patch("Service", "web", merging, `{"spec":{"selector":{"pod-template-hash":null}}}`)
	s.patch("Service", "web", merging, `{"spec":{"selector":null}}`)
	s.patch("Service", "web", merging, `{"spec":{"selector":{"app":"web"}}}`)
	s.patch("Service", "web", merging, `{"metadata":{"annotations":null}}`)
	s.annotate("Service", "annotations", "belay.dev/contested-by", nil)
	s.patch("Service", "web", strategic, `{"spec":{"ports":[{"port":80,"targetPort":9090}]}}`)
	s.patchStatus("Service", "web", merging, `{"metadata":{"annotations":null}}`)
	s.put(before)
	s.put(during)
	pin("7.0/pod-template-hash=abc12")
	pin("7.2/pod-template-hash=def34")
	pin("7.3/pod-template-hash=NO")
	pin(nil)
	s.patch("Service", "web", merging, `{"metadata":{"annotations":{"belay.dev/pin":"9.9/pod-template-hash=forged"}}}`)
	s.apply(agent, service, client.ForceOwnership)
}

func splitting(s *run) {
	split := func(value any) { s.annotate("HTTPRoute", "annotations", "belay.dev/split", value) }
	s.apply(agent, route)
	before := s.get("HTTPRoute", "web")
	split("7.1/web/web-canary/0/100")
	split("7.2/web/web-canary/5/100")
	during := s.get("HTTPRoute", "web")
	s.apply(agent, route)
	s.apply(agent, route, client.DryRunAll)
	s.apply(agent, with(route, "weight: 90", "weight: 70", "weight: 10", "weight: 30"), client.ForceOwnership)
	s.apply(agent, with(route, "    backendRefs:", "    timeouts: {request: 5s}\n    backendRefs:"))
	s.apply(agent, route)
	s.patch("HTTPRoute", "web", merging, `{"spec":{"rules":[{"backendRefs":[{"name":"web-canary","port":80}]}]}}`)
	s.patch("HTTPRoute", "web", merging, `{"metadata":{"annotations":null}}`)
	s.patchStatus("HTTPRoute", "web", merging, `{"status":{"parents":[]}}`)
	s.patch("HTTPRoute", "web", merging, `{"spec":{"rules":[{"backendRefs":[{"name":"web","port":80,"weight":-1}]}]}}`)
	s.put(before)
	s.put(during)
	split("7.1/web/web-canary/50/100")
	split("7.9/web/web-canary/1/1000")
	split("8.0/nonsense")
	split(nil)
	s.patch("HTTPRoute", "web", merging, `{"metadata":{"annotations":{"belay.dev/split":"9.9/web/web-canary/100/100"}}}`)
	s.apply(agent, route, client.ForceOwnership)
	s.get("HTTPRoute", "web")
}

func recreating(s *run) {
	s.create(with(attempt, "routes: again", "routes: web"))
	s.apply(agent, service)
	s.apply(agent, route)
	s.apply(agent, service)
	s.apply(agent, route)
	s.create(with(service, "{name: web}", "{name: other}", "{app: web}", "{app: other}"))
	s.create(with(route, "{name: web}\n", "{name: other}\n"))
	s.annotate("Service", "annotations", "belay.dev/pin", nil)
	s.annotate("HTTPRoute", "annotations", "belay.dev/split", nil)
	s.delete("Service", "web")
	s.delete("HTTPRoute", "web")
	s.create(with(service, "{name: web}", "{name: web, annotations: {belay.dev/pin: 9.9/pod-template-hash=forged}}"))
	s.create(with(route, "{name: web}\n", "{name: web, annotations: {belay.dev/split: 9.9/web/forged/100/100}}\n"))
	s.delete("ConfigMap", "belay-web")
}

func asking(s *run) {
	s.create(rollout)
	ask := func(user, request string) {
		s.patchAs(user, "Rollout", "web", merging, `{"metadata":{"annotations":{"belay.dev/request":"`+request+`"}}}`)
	}
	for _, verb := range []string{"promote", "promote-full", "abort", "pause", "resume", "retry", "approve"} {
		ask(person, verb+" abc12 t-"+verb)
		ask(Guest, verb+" abc12 u-"+verb)
	}
	ask(person, "nonsense")
	ask(person, "")
	s.patch("Rollout", "web", merging, `{"metadata":{"annotations":{"belay.dev/requested-by":"somebody"}}}`)
	s.patch("Rollout", "web", merging, `{"metadata":{"annotations":{"a":"b"}}}`)
	s.patch("Rollout", "web", merging, `{"metadata":{"annotations":{"belay.dev/request":null}}}`)
	s.create(with(rollout, "{name: web}\nspec", "{name: asks, annotations: {belay.dev/request: abort - t1, belay.dev/requested-by: somebody}}\nspec"))
	s.create(deployment)
	s.annotate("Deployment", "labels", "belay.dev/rollout", "web")
	s.patchAs(Guest, "Deployment", "web", merging, `{"metadata":{"annotations":{"belay.dev/bypass":"hotfix"}}}`)
	s.patchAs(Guest, "Deployment", "web", merging, `{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":1}}}}`)
	s.patch("Deployment", "web", merging, `{"metadata":{"annotations":{"belay.dev/bypass":"hotfix"}}}`)
}
