package cluster_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/controllers/sim/admission"
	"github.com/belay-dev/belay/controllers/sim/cluster"
	"github.com/belay-dev/belay/controllers/sim/schedule"
	"github.com/belay-dev/belay/controllers/sim/server"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// scene is a cluster with one namespace.
type scene struct {
	testing.TB
	*cluster.Cluster
	schedule *schedule.Schedule
	api      *server.Server
	// person writes as anybody, ours as Belay's controller.
	person, ours client.Client
	// written counts writes by kind.
	written map[string]int
}

// newScene has no admission policies.
func newScene(t testing.TB, seed uint64) *scene { return begin(t, seed, nil) }

// newGuarded has those of Belay.
func newGuarded(t testing.TB, seed uint64) *scene {
	t.Helper()
	policies, err := policies()
	must(t, err)
	return begin(t, seed, func(ctx context.Context, r server.Request, objects *server.Objects) (*unstructured.Unstructured, error) {
		return policies.Admit(ctx, admission.Request{
			Operation: r.Operation, Kind: r.Kind, Resource: r.Resource, Subresource: r.Subresource,
			Namespace: r.Namespace, Name: r.Name, User: r.User, DryRun: r.DryRun, Object: r.Object, Old: r.Old,
		}, objects.ConfigMaps, nil)
	})
}

func begin(t testing.TB, seed uint64, admit server.Admit) *scene {
	t.Helper()
	schemas, err := schemas()
	must(t, err)
	s := &scene{TB: t, schedule: schedule.New(seed, noon, nil), written: map[string]int{}}
	uids := 0
	s.api = server.New(server.Options{
		Schemas: schemas, Now: s.schedule.Now, Admit: admit,
		UID: func() types.UID { uids++; return types.UID(fmt.Sprintf("uid-%d", uids)) },
	})
	s.Cluster = cluster.New(s.schedule, s.api)
	s.api.OnWrite(func(e server.Event) { s.written[e.Key.Kind.Kind]++ })
	s.person, s.ours = s.api.Client("person"), s.api.Client("system:serviceaccount:belay-system:belay")
	must(t, s.person.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}))
	return s
}

const (
	deploymentManifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec: {containers: [{name: web, image: "web:v1"}]}
`
	serviceManifest = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
`
	routeManifest = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: shop}
spec:
  parentRefs: [{name: public}]
  rules:
  - backendRefs: [{name: web, port: 80}]
`
)

// withShop adds a Deployment of four pods of v1, its Service and its route, and waits until all is quiet.
func (s *scene) withShop() *scene {
	s.Helper()
	for _, manifest := range []string{deploymentManifest, serviceManifest, routeManifest} {
		s.create(manifest)
	}
	s.settle()
	return s
}

func (s *scene) create(manifest string) *unstructured.Unstructured {
	s.Helper()
	object := parse(s, manifest)
	must(s, s.person.Create(s.Context(), object))
	return object
}

func parse(t testing.TB, manifest string) *unstructured.Unstructured {
	t.Helper()
	text, err := yaml.YAMLToJSON([]byte(manifest))
	must(t, err)
	object := &unstructured.Unstructured{}
	must(t, object.UnmarshalJSON(text))
	return object
}

// patch merges JSON into an object.
func (s *scene) patch(kind, name, patch string) {
	s.Helper()
	must(s, s.person.Patch(s.Context(), object(kind, name), client.RawPatch(types.MergePatchType, []byte(patch))))
}

func object(kind, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetAPIVersion(map[string]string{
		"Deployment": "apps/v1", "ReplicaSet": "apps/v1", "Service": "v1", "Pod": "v1", "ConfigMap": "v1", "HTTPRoute": "gateway.networking.k8s.io/v1", "Rollout": "belay.dev/v1alpha1",
	}[kind])
	u.SetKind(kind)
	u.SetNamespace("shop")
	u.SetName(name)
	return u
}

func (s *scene) get(kind, name string) *unstructured.Unstructured {
	s.Helper()
	u := object(kind, name)
	must(s, s.person.Get(s.Context(), client.ObjectKeyFromObject(u), u))
	return u
}

func (s *scene) ship(image string) {
	s.Helper()
	s.patch("Deployment", "web", fmt.Sprintf(`{"spec":{"template":{"spec":{"containers":[{"name":"web","image":%q}]}}}}`, image))
}

// run lets time pass.
func (s *scene) run(d time.Duration) { s.schedule.Run(s.schedule.Now().Add(d)) }

// settle lets time pass until neighbours are quiet.
func (s *scene) settle() {
	s.Helper()
	s.until("quiet", s.Quiet)
}

// until lets time pass until something is so.
func (s *scene) until(what string, is func() bool) {
	s.Helper()
	end := s.schedule.Now().Add(10 * time.Minute)
	for !is() {
		if _, more := s.schedule.Step(end); !more && !is() {
			s.Fatalf("not %s after ten minutes, planned is %v, pods are %+v", what, s.Pending(), s.Pods())
		}
	}
	if failures := s.Failures(); len(failures) > 0 {
		s.Fatal(failures)
	}
}

// names of the pods of an image that do not end.
func (s *scene) names(image string) []string {
	var out []string
	for _, p := range s.Pods() {
		if p.Image == image && !p.Terminating {
			out = append(out, p.Name)
		}
	}
	return out
}

// ready counts the ready pods of an image.
func (s *scene) ready(image string) int {
	n := 0
	for _, p := range s.Pods() {
		if p.Image == image && p.Ready && !p.Terminating {
			n++
		}
	}
	return n
}

// sizes gives the wanted pods of every ReplicaSet, by image.
func (s *scene) sizes() map[string]int64 {
	out := map[string]int64{}
	for _, set := range s.sets() {
		n, _, _ := unstructured.NestedInt64(set.Object, "spec", "replicas")
		out[imageOf(set)] += n
	}
	return out
}

// sets are all ReplicaSets, by name.
func (s *scene) sets() []*unstructured.Unstructured {
	return s.api.Objects().All(schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}, "shop")
}

func imageOf(u *unstructured.Unstructured) string {
	containers, _, _ := unstructured.NestedSlice(u.Object, "spec", "template", "spec", "containers")
	image, _ := containers[0].(map[string]any)["image"].(string)
	return image
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
