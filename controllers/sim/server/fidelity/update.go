package fidelity

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// set changes one field.
func set(value any, path ...string) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		if err := unstructured.SetNestedField(o.Object, value, path...); err != nil {
			panic(err)
		}
	}
}

func unset(path ...string) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) { unstructured.RemoveNestedField(o.Object, path...) }
}

func updating(s *run) {
	first := s.create(deployment)
	s.update(first, nil)
	second := s.update(first, set(int64(3), "spec", "replicas"))
	s.update(first, set(int64(4), "spec", "replicas"))
	third := s.update(second, set("b", "metadata", "annotations", "a"))
	third = s.update(third, set("b", "metadata", "labels", "a"))
	third = s.update(third, unset("metadata", "annotations"))
	third = s.update(third, set(int64(9), "status", "replicas"))
	s.update(third, unset("metadata", "resourceVersion"), client.FieldOwner("careless"))
	third = s.get("Deployment", "web")
	s.update(third, set("00000000-1111-4000-8000-000000000000", "metadata", "uid"))
	s.update(third, set("other", "spec", "selector", "matchLabels", "app"))
	s.update(third, set("other", "spec", "template", "metadata", "labels", "app"))
	s.update(third, set(int64(-1), "spec", "replicas"))
	s.update(third, set([]any{}, "spec", "template", "spec", "containers"))
	third = s.update(third, set(int64(77), "metadata", "generation"))
	third = s.update(third, set("2020-01-01T00:00:00Z", "metadata", "creationTimestamp"))
	s.update(third, set("x", "metadata", "resourceVersion"))
	s.update(third, set(int64(5), "spec", "replicas"), client.DryRunAll)
	s.get("Deployment", "web")
	s.update(third, unset("spec", "replicas"))
	s.update(s.named("Deployment", "nothing"), nil)
}

func updatingOthers(s *run) {
	m := s.create(configMap)
	m = s.update(m, set("x", "data", "a"), client.FieldOwner("one"))
	m = s.update(m, set("y", "data", "b"), client.FieldOwner("two"))
	m = s.update(m, unset("data", "a"), client.FieldOwner("two"))
	m = s.update(m, unset("metadata", "uid"))
	m = s.update(m, set(true, "immutable"))
	s.update(m, set("z", "data", "b"))
	svc := s.create(service)
	svc = s.update(svc, set("v2", "spec", "selector", "version"))
	svc = s.update(svc, unset("spec", "clusterIP"))
	svc = s.update(svc, unset("spec", "clusterIPs"))
	s.update(svc, set("10.96.200.200", "spec", "clusterIP"))
	s.update(svc, unset("spec", "ports"))
	rs := s.create(`
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web-1}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:v1"}]}
`)
	rs = s.update(rs, set("b", "metadata", "annotations", "a"))
	rs = s.update(rs, set(int64(3), "spec", "replicas"))
	s.update(rs, set("other", "spec", "selector", "matchLabels", "app"))
	slice := s.create(`
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.1]}]
ports: [{name: http, port: 80}]
`)
	slice = s.update(slice, set("b", "metadata", "annotations", "a"))
	slice = s.update(slice, set("b", "metadata", "labels", "a"))
	slice = s.update(slice, unset("endpoints"))
	s.update(slice, set("IPv6", "addressType"))
	p := s.create(pod)
	p = s.update(p, set("v2", "metadata", "labels", "version"))
	s.update(p, set("node", "spec", "nodeName"))
	s.update(p, set(int64(5), "spec", "terminationGracePeriodSeconds"))
	r := s.create(rollout)
	r = s.update(r, set(true, "spec", "suspend"))
	r = s.update(r, set("b", "metadata", "annotations", "a"))
	r = s.update(r, set("Held", "status", "phase"))
	s.update(r, unset("metadata", "resourceVersion"))
	s.update(r, unset("spec", "workloadRef"))
	h := s.create(route)
	h = s.update(h, set([]any{map[string]any{"name": "other"}}, "spec", "parentRefs"))
	s.update(h, nil)
	e := s.create(`
apiVersion: v1
kind: Event
metadata: {name: told.1}
involvedObject: {kind: Deployment, name: web, namespace: ` + s.namespace + `}
reason: Step
message: went on
type: Normal
`)
	s.update(e, set(int64(2), "count"))
}
