package fidelity

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// all makes several changes one.
func all(changes ...func(*unstructured.Unstructured)) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		for _, change := range changes {
			change(o)
		}
	}
}

func reporting(s *run) {
	d := s.create(deployment)
	seen := set(int64(1), "status", "observedGeneration")
	d2 := s.updateStatus(d, all(seen, set(int64(5), "spec", "replicas"), set("b", "metadata", "labels", "a"), set("b", "metadata", "annotations", "a")))
	s.updateStatus(d2, seen)
	s.updateStatus(d, set(int64(2), "status", "observedGeneration"))
	s.updateStatus(d2, all(unset("metadata", "resourceVersion"), set(int64(3), "status", "replicas")))
	s.patchStatus("Deployment", "web", merging, `{"status":{"readyReplicas":1,"availableReplicas":1},"spec":{"replicas":9}}`, client.FieldOwner("controller"))
	s.patchStatus("Deployment", "web", strategic, `{"status":{"conditions":[{"type":"Available","status":"True"}]}}`, client.FieldOwner("controller"))
	s.patchStatus("Deployment", "web", strategic, `{"status":{"conditions":[{"type":"Progressing","status":"True"}]}}`, client.FieldOwner("other"))
	s.patchStatus("Deployment", "web", merging, `{"status":{"conditions":null}}`)
	s.patchStatus("Deployment", "web", merging, `{"status":{"readyReplicas":2}}`, client.DryRunAll)
	s.updateStatus(s.named("Deployment", "nothing"), nil)
	s.create(configMap)
	s.patchStatus("ConfigMap", "notes", merging, `{"status":{}}`)
	r := s.create(rollout)
	r2 := s.updateStatus(r, all(set("Held", "status", "phase"), set("b", "metadata", "labels", "a"), set(true, "spec", "suspend")))
	s.updateStatus(r2, set("Held", "status", "phase"))
	s.updateStatus(r, set("Resting", "status", "phase"))
	r2 = s.updateStatus(r2, set([]any{map[string]any{
		"type": "Ready", "status": "True", "reason": "Resting", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z",
	}}, "status", "conditions"))
	s.updateStatus(r2, set([]any{map[string]any{"type": "Ready", "status": "Perhaps"}}, "status", "conditions"))
	s.updateStatus(r2, set(int64(1), "status", "phase"))
	s.updateStatus(r2, set("strange", "status", "strange"))
	s.updateStatus(r2, unset("metadata", "resourceVersion"))
	s.updateStatus(r2, unset("spec"))
	s.patchStatus("Rollout", "web", merging, `{"status":{"message":"waits"},"metadata":{"finalizers":["belay.dev/x"]}}`, client.FieldOwner("belay"))
	s.patch("Rollout", "web", merging, `{"status":{"message":"main"}}`)
	s.patchStatus("Rollout", "web", merging, `{"status":null}`)
	s.create(route)
	s.patchStatus("HTTPRoute", "web", merging, `{"status":{"parents":[{"parentRef":{"name":"gateway"},"controllerName":"example.com/gateway","conditions":[{"type":"Accepted","status":"True","reason":"Accepted","message":"","observedGeneration":1,"lastTransitionTime":"2026-01-01T00:00:00Z"}]}]}}`, client.FieldOwner("gateway"))
	s.patchStatus("HTTPRoute", "web", merging, `{"status":{"parents":[{"parentRef":{"name":"gateway"}}]}}`)
	s.create(pod)
	s.patchStatus("Pod", "web-1", strategic, `{"status":{"phase":"Running","podIP":"10.1.1.1","podIPs":[{"ip":"10.1.1.1"}],"conditions":[{"type":"Ready","status":"True"}]},"metadata":{"labels":{"a":"b"},"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"notes","uid":"x"}]}}`)
	s.patchStatus("Pod", "web-1", merging, `{"status":{"phase":"Strange"}}`)
	s.create(service)
	s.patchStatus("Service", "web", merging, `{"status":{"conditions":[{"type":"A","status":"True","reason":"B","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]},"metadata":{"annotations":{"a":"b"}}}`)
}
