package outcomes

import (
	"bytes"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// What Git declares. One Rollout "web" governs all three.

func deploymentManifest(image string) string {
	return strings.ReplaceAll(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: IMAGE, resources: {requests: {cpu: 1000m}}}]
`, "IMAGE", image)
}

const serviceManifest = `
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
`

const routeManifest = `
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

// Parse reads one document; nil when it is empty.
func Parse(document []byte) (*unstructured.Unstructured, error) {
	content := map[string]any{}
	if err := yaml.Unmarshal(bytes.TrimSpace(document), &content); err != nil {
		return nil, err
	}
	if len(content) == 0 {
		return nil, nil
	}
	object := &unstructured.Unstructured{}
	text, err := yaml.YAMLToJSON(document)
	if err != nil {
		return nil, err
	}
	return object, object.UnmarshalJSON(text)
}

// mustParse reads a manifest written in a test.
func mustParse(t testing.TB, manifest string) *unstructured.Unstructured {
	t.Helper()
	object, err := Parse([]byte(manifest))
	if err != nil {
		t.Fatalf("the manifest does not parse: %v\n%s", err, manifest)
	}
	return object
}
