package mechanics

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/workloads"
	"github.com/belay-dev/belay/workloads/deployment"
)

// scene is a namespace of its own, in which objects are applied as Git declares them.
type scene struct {
	t         *testing.T
	namespace string
	target    workloads.Target
}

func newScene(t *testing.T) *scene {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "scene-"}}
	must(t, shared.person.Create(t.Context(), namespace))
	// Its pods are processes; the namespace itself goes with the cluster.
	t.Cleanup(func() {
		if err := shared.person.Delete(context.WithoutCancel(t.Context()), namespace); err != nil {
			t.Error(err)
		}
	})
	return &scene{t: t, namespace: namespace.Name}
}

// withDeployment adds a Rollout that nobody works on and a Deployment of three pods of v1, and waits until it is settled.
func (s *scene) withDeployment() *scene {
	s.t.Helper()
	rollout := s.apply(`
apiVersion: belay.dev/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  workloadRef: {kind: Deployment, name: web}
  services: [{name: web}]
  routes: [{kind: HTTPRoute, name: web}]
  strategy: {canary: {steps: [{weight: 5, bake: 1m}, {weight: 100, bake: 1m}]}}
`)
	s.target = workloads.Target{Namespace: s.namespace, Name: "web", Rollout: "web", RolloutUID: string(rollout.GetUID())}
	s.ship("v1")
	eventually(s.t, func() error {
		if state := s.observe(); !state.Settled {
			return fmt.Errorf("not settled: %+v", state)
		}
		return nil
	})
	return s
}

func (s *scene) ship(version string) *unstructured.Unstructured {
	s.t.Helper()
	probe := ""
	if version == "unready" {
		probe = ", readinessProbe: {periodSeconds: 1, httpGet: {port: 1}}"
	}
	return s.apply(fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: "web:%s"%s}]
`, version, probe))
}

func (s *scene) observe() workloads.State {
	s.t.Helper()
	state, err := deployment.Deployment{}.Observe(s.t.Context(), shared.ours, s.target)
	must(s.t, err)
	return state
}

const serviceManifest = `
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
`

const routeManifest = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: public}]
  rules:
  - backendRefs: [{name: web, port: 80, weight: 90}, {name: other, port: 80, weight: 10}]
`

// apply is a server-side apply without force, as an agent does it.
func (s *scene) apply(manifest string) *unstructured.Unstructured {
	s.t.Helper()
	object, err := parse(manifest)
	must(s.t, err)
	object.SetNamespace(s.namespace)
	must(s.t, shared.person.Apply(s.t.Context(), client.ApplyConfigurationFromUnstructured(object), client.FieldOwner("agent")))
	return object
}

// get reads what an object of that manifest has become.
func (s *scene) get(manifest string) *unstructured.Unstructured {
	s.t.Helper()
	object, err := parse(manifest)
	must(s.t, err)
	object.SetNamespace(s.namespace)
	must(s.t, shared.person.Get(s.t.Context(), client.ObjectKeyFromObject(object), object))
	return object
}

// recreate deletes an object and creates it again as Git declares it.
func (s *scene) recreate(manifest string) {
	s.t.Helper()
	must(s.t, shared.person.Delete(s.t.Context(), s.get(manifest)))
	s.apply(manifest)
}

// owner is the reference to the scene's Rollout.
func (s *scene) owner() metav1.OwnerReference {
	s.t.Helper()
	rollout := &unstructured.Unstructured{}
	rollout.SetAPIVersion("belay.dev/v1alpha1")
	rollout.SetKind("Rollout")
	must(s.t, shared.ours.Get(s.t.Context(), client.ObjectKey{Namespace: s.namespace, Name: "web"}, rollout))
	return *metav1.NewControllerRef(rollout, rollout.GroupVersionKind())
}

// untraced fails if Belay owns a field of the object, or left an annotation.
func (s *scene) untraced(manifest string) {
	s.t.Helper()
	object := s.get(manifest)
	for _, entry := range object.GetManagedFields() {
		if entry.Manager == "belay" {
			s.t.Errorf("%s has fields of Belay: %s", object.GetKind(), entry.FieldsV1)
		}
	}
	for key := range object.GetAnnotations() {
		if len(key) > 10 && key[:10] == "belay.dev/" {
			s.t.Errorf("%s has the annotation %s", object.GetKind(), key)
		}
	}
}
