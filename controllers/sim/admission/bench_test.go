package admission_test

import (
	"syscall"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiserver "k8s.io/apiserver/pkg/admission"
	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/controllers/sim/admission"
)

func parse(t testing.TB, text string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	js, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = object.UnmarshalJSON(js)
	}
	if err != nil {
		t.Fatal(err)
	}
	return object
}

func BenchmarkCompile(b *testing.B) {
	documents := shipped(b)
	for b.Loop() {
		if _, err := admission.Compile(documents...); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAdmit(b *testing.B) {
	policies := compiled(b)
	for name, request := range benchmarked(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before := cpu()
			for b.Loop() {
				if _, err := policies.Admit(b.Context(), request, nil, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpu is what the process has used of it; on a busy machine it says more than the time that went by.
func cpu() int64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: v1, resources: {requests: {cpu: 1000m}}}]
`
const route = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: shop}
spec:
  parentRefs: [{name: gateway}]
  rules:
  - matches: [{path: {type: PathPrefix, value: /}}]
    backendRefs:
    - {name: web, port: 80, weight: 90, group: "", kind: Service}
    - {name: other, port: 80, weight: 10, group: "", kind: Service}
`

func benchmarked(b testing.TB) map[string]admission.Request {
	foreign := admission.Request{Operation: apiserver.Update, User: "alice", Namespace: "shop", Name: "web",
		Kind:     schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"},
		Resource: schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}}
	plain := foreign
	plain.Old, plain.Object = parse(b, deployment), parse(b, deployment)
	governed := foreign
	governed.Old, governed.Object = parse(b, deployment), parse(b, deployment)
	governed.Old.SetLabels(map[string]string{"belay.dev/rollout": "web"})
	governed.Object.SetLabels(map[string]string{"belay.dev/rollout": "web"})
	held := governed
	held.Object = held.Object.DeepCopy()
	unstructured.SetNestedField(held.Object.Object, "v2", "spec", "template", "metadata", "labels", "version")
	pods := plain
	pods.Resource.Resource, pods.Resource.Group = "pods", ""

	split := admission.Request{Operation: apiserver.Update, User: "system:serviceaccount:belay-system:belay", Namespace: "shop", Name: "web",
		Kind:     schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"},
		Resource: schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"}}
	split.Old, split.Object = parse(b, route), parse(b, route)
	split.Object.SetAnnotations(map[string]string{"belay.dev/split": "1.1/web/web-canary/5/100"})
	return map[string]admission.Request{"plain": plain, "governed": governed, "held": held, "other": pods, "split": split}
}
