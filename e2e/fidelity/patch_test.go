package fidelity

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

func patching(s *script) {
	old := s.create(deployment).GetResourceVersion()
	s.patch("Deployment", "web", merging, `{}`)
	s.patch("Deployment", "web", merging, `{"spec":{"replicas":1}}`)
	s.patch("Deployment", "web", merging, `{"metadata":{"labels":{"a":"b"}}}`)
	s.patch("Deployment", "web", merging, `{"metadata":{"annotations":{"a":"b","c":null}}}`)
	s.patch("Deployment", "web", merging, `{"metadata":{"annotations":{"a":null}}}`)
	s.patch("Deployment", "web", merging, `{"metadata":{"annotations":null,"labels":{}}}`)
	s.patch("Deployment", "web", merging, `{"spec":{"paused":true,"strange":1}}`)
	s.patch("Deployment", "web", merging, `{"spec":{"paused":null}}`, client.FieldOwner("other"))
	s.patch("Deployment", "web", merging, `{"metadata":{"resourceVersion":"`+old+`"},"spec":{"replicas":2}}`)
	s.patch("Deployment", "web", merging, `{"metadata":{"name":"other"}}`)
	s.patch("Deployment", "web", merging, `{"metadata":{"namespace":"other"}}`)
	s.patch("Deployment", "web", merging, `{"metadata":{"uid":"other"}}`)
	s.patch("Deployment", "web", merging, `{"metadata":{"generation":99,"creationTimestamp":null,"deletionTimestamp":"2030-01-01T00:00:00Z"}}`)
	s.patch("Deployment", "web", merging, `{"spec":{"replicas":"many"}}`)
	s.patch("Deployment", "web", merging, `{"spec":{"replicas":null}}`)
	s.patch("Deployment", "web", merging, `{"status":{"replicas":7}}`)
	s.patch("Deployment", "web", merging, `{"kind":"ReplicaSet"}`)
	s.patch("Deployment", "web", merging, `[]`)
	s.patch("Deployment", "web", merging, `{"spec"`)
	s.patch("Deployment", "web", merging, `{"spec":{"template":{"spec":{"containers":[{"name":"other"}]}}}}`)
	s.patch("Deployment", "web", merging, `{"spec":{"replicas":5}}`, client.DryRunAll)
	s.patch("Deployment", "web", merging, `{"spec":{"strange":5}}`, client.FieldValidation("Strict"))
	s.patch("Deployment", "web", merging, `{"spec":{"replicas":5}}`, client.ForceOwnership)
	s.patch("Deployment", "nothing", merging, `{"spec":{"replicas":5}}`)
	s.get("Deployment", "web")
}

func patchingOtherwise(s *script) {
	s.create(deployment)
	s.patch("Deployment", "web", strategic, `{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"side:v1"}]}}}}`)
	s.patch("Deployment", "web", strategic, `{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"web:v2"}]}}}}`)
	s.patch("Deployment", "web", strategic, `{"spec":{"template":{"spec":{"containers":[{"name":"side","$patch":"delete"}]}}}}`)
	s.patch("Deployment", "web", strategic, `{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}}`)
	s.patch("Deployment", "web", strategic, `{"spec":{"template":{"spec":{"containers":[{"image":"web:v3"}]}}}}`)
	s.patch("Deployment", "web", strategic, `{"metadata":{"finalizers":["example.com/a"]}}`)
	s.patch("Deployment", "web", strategic, `{"metadata":{"finalizers":["example.com/b"]}}`)
	s.patch("Deployment", "web", strategic, `{"metadata":{"$deleteFromPrimitiveList/finalizers":["example.com/a"]}}`)
	s.patch("Deployment", "web", strategic, `{"spec":{"replicas":"many"}}`)
	s.patch("Deployment", "web", editing, `[{"op":"test","path":"/spec/replicas","value":9},{"op":"replace","path":"/spec/replicas","value":2}]`)
	s.patch("Deployment", "web", editing, `[{"op":"test","path":"/spec/replicas","value":1},{"op":"replace","path":"/spec/replicas","value":2}]`)
	s.patch("Deployment", "web", editing, `[{"op":"remove","path":"/spec/nothing"}]`)
	s.patch("Deployment", "web", editing, `[{"op":"add","path":"/metadata/annotations/a","value":"b"}]`)
	s.patch("Deployment", "web", editing, `[{"op":"add","path":"/metadata/annotations","value":{"a":"b"}}]`)
	s.patch("Deployment", "web", editing, `{"op":"add"}`)
	s.patch("Deployment", "web", editing, `[{"op":"replace","path":"/metadata/managedFields","value":[{}]}]`)
	s.patch("Deployment", "web", editing, `[{"op":"replace","path":"/metadata/name","value":"other"}]`)
	s.create(rollout)
	s.patch("Rollout", "web", strategic, `{"spec":{"suspend":true}}`)
	s.patch("Rollout", "web", merging, `{"spec":{"suspend":true}}`)
	s.patch("Rollout", "web", merging, `{"spec":{"strange":true}}`)
	s.patch("Rollout", "web", merging, `{"spec":{"strange":true}}`, client.FieldValidation("Strict"))
	s.patch("Rollout", "web", merging, `{"spec":{"suspend":"yes"}}`)
	s.patch("Rollout", "web", editing, `[{"op":"remove","path":"/spec/suspend"}]`)
	s.patch("Rollout", "web", merging, `{"metadata":{"labels":{"a":1}}}`)
	s.patch("Rollout", "web", merging, `{"metadata":{"generation":7,"uid":"other"}}`)
	s.patch("Rollout", "web", merging, `{"apiVersion":"belay.dev/v9"}`)
	s.create(route)
	s.patch("HTTPRoute", "web", merging, `{"spec":{"rules":[{"backendRefs":[{"name":"web","port":80}]}]}}`)
	s.patch("HTTPRoute", "web", merging, `{"spec":{"rules":[{"backendRefs":[{"name":"web"}]}]}}`)
	s.patch("HTTPRoute", "web", merging, `{"spec":{"rules":[{"backendRefs":[{"name":"web","port":80,"weight":-1}]}]}}`)
	s.create(service)
	s.patch("Service", "web", strategic, `{"spec":{"ports":[{"port":81}]}}`)
	s.patch("Service", "web", merging, `{"spec":{"selector":{"pod-template-hash":"a"}}}`)
}

func TestPatch(t *testing.T) {
	both(t, map[string]func(*script){"merging": patching, "otherwise": patchingOtherwise})
}
