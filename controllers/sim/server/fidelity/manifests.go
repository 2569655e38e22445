package fidelity

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// versions of the kinds that scripts name.
var versions = map[string]string{
	"Deployment": "apps/v1", "ReplicaSet": "apps/v1", "Pod": "v1", "Service": "v1", "ConfigMap": "v1", "Secret": "v1", "Event": "v1",
	"Namespace": "v1", "EndpointSlice": "discovery.k8s.io/v1", "HTTPRoute": "gateway.networking.k8s.io/v1",
	"Rollout": "belay.dev/v1alpha1", "AnalysisTemplate": "belay.dev/v1alpha1", "ClusterAnalysisTemplate": "belay.dev/v1alpha1",
	"Repository": "belay.dev/v1alpha1",
}

// Documents reads all objects of a file.
func Documents(text []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := yaml.YAMLToJSON(document)
		if err != nil {
			return nil, err
		}
		if string(content) == "null" {
			continue
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(content); err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
}

const (
	deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:v1"}]}
`
	service = `
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
`
	route = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: gateway}]
  rules:
  - matches: [{path: {type: PathPrefix, value: /}}]
    backendRefs:
    - {name: web, port: 80, weight: 90}
    - {name: other, port: 80, weight: 10}
`
	rollout = `
apiVersion: belay.dev/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  workloadRef: {kind: Deployment, name: web}
  services: [{name: web}]
  routes: [{kind: HTTPRoute, name: web}]
  strategy: {canary: {steps: [{weight: 5, bake: 1m}]}}
`
	configMap = `{apiVersion: v1, kind: ConfigMap, metadata: {name: notes}, data: {a: "1"}}`
)
