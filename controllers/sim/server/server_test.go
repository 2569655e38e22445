package server_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/sim/server"
)

// compiled is shared by all tests: it takes long.
var compiled = sync.OnceValues(func() (*server.Schemas, error) {
	scheme := runtime.NewScheme()
	if err := clientgo.AddToScheme(scheme); err != nil {
		return nil, err
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	files, err := filepath.Glob("../../../config/crd/*.yaml")
	if err != nil {
		return nil, err
	}
	var content [][]byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		content = append(content, text)
	}
	definitions, err := server.ReadDefinitions(content...)
	if err != nil {
		return nil, err
	}
	return server.Compile(scheme, definitions...)
})

type scene struct {
	*testing.T
	*server.Server
	client.Client
	events []server.Event
}

func begin(t testing.TB) *server.Server {
	t.Helper()
	schemas, err := compiled()
	must(t, err)
	uid := 0
	return server.New(server.Options{
		Schemas: schemas,
		Now:     func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC) },
		UID:     func() types.UID { uid++; return types.UID(fmt.Sprintf("uid-%d", uid)) },
	})
}

func newScene(t *testing.T) *scene {
	s := &scene{T: t, Server: begin(t)}
	s.Client = s.Server.Client("alice")
	must(t, s.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}))
	s.OnWrite(func(e server.Event) { s.events = append(s.events, e) })
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func parse(t testing.TB, manifest string) *unstructured.Unstructured {
	t.Helper()
	text, err := yaml.YAMLToJSON([]byte(manifest))
	must(t, err)
	u := &unstructured.Unstructured{}
	must(t, u.UnmarshalJSON(text))
	return u
}

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:v1"}]}
`

const rollout = `
apiVersion: belay.dev/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop}
spec:
  workloadRef: {kind: Deployment, name: web}
  services: [{name: web}]
  routes: [{kind: HTTPRoute, name: web}]
  strategy: {canary: {steps: [{weight: 5, bake: 1m}]}}
`

func TestLife(t *testing.T) {
	s := newScene(t)
	d := parse(t, deployment)
	must(t, s.Create(t.Context(), d))
	if d.GetGeneration() != 1 || d.GetUID() == "" || d.GetResourceVersion() != "2" {
		t.Errorf("created as %v", d.Object["metadata"])
	}
	if err := s.Create(t.Context(), parse(t, deployment)); !apierrors.IsAlreadyExists(err) {
		t.Error(err)
	}
	patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`))
	must(t, s.Patch(t.Context(), d, patch))
	must(t, s.Patch(t.Context(), d, patch))
	if d.GetGeneration() != 1 || d.GetResourceVersion() != "3" {
		t.Errorf("patched to %v", d.Object["metadata"])
	}
	must(t, s.Delete(t.Context(), d))
	if len(s.events) != 3 || s.events[2].Type != watch.Deleted || s.events[2].Version != 4 {
		t.Errorf("told %v", s.events)
	}
}

func TestRollout(t *testing.T) {
	s := newScene(t)
	must(t, s.Create(t.Context(), parse(t, rollout)))
	r := &v1alpha1.Rollout{}
	must(t, s.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "web"}, r))
	r.Status.Phase = v1alpha1.PhaseHeld
	r.Spec.Suspend = true
	must(t, s.Status().Update(t.Context(), r))
	if r.Spec.Suspend || r.Status.Phase != v1alpha1.PhaseHeld || r.Generation != 1 {
		t.Errorf("stored %+v", r)
	}
}

func BenchmarkWrites(b *testing.B) {
	s := begin(b)
	c := s.Client("alice")
	must(b, c.Create(b.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}))
	must(b, c.Create(b.Context(), parse(b, rollout)))
	must(b, c.Create(b.Context(), parse(b, deployment)))
	key := client.ObjectKey{Namespace: "shop", Name: "web"}
	b.Run("status of a Rollout", func(b *testing.B) {
		r := &v1alpha1.Rollout{}
		must(b, c.Get(b.Context(), key, r))
		for i := 0; b.Loop(); i++ {
			r.Status.Message = fmt.Sprint(i)
			must(b, c.Status().Update(b.Context(), r))
		}
	})
	b.Run("annotation of a Deployment", func(b *testing.B) {
		d := parse(b, deployment)
		for i := 0; b.Loop(); i++ {
			must(b, c.Patch(b.Context(), d, client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"annotations":{"a":"%d"}}}`, i))))
		}
	})
	b.Run("template of a Deployment", func(b *testing.B) {
		d := parse(b, deployment)
		for i := 0; b.Loop(); i++ {
			must(b, c.Patch(b.Context(), d, client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec":{"minReadySeconds":%d}}`, i%100))))
		}
	})
}

func BenchmarkApply(b *testing.B) {
	s := begin(b)
	c := s.Client("agent")
	must(b, c.Create(b.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}))
	d := parse(b, deployment)
	must(b, c.Apply(b.Context(), client.ApplyConfigurationFromUnstructured(d), client.FieldOwner("agent")))
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			d := parse(b, deployment)
			must(b, c.Apply(b.Context(), client.ApplyConfigurationFromUnstructured(d), client.FieldOwner("agent"), client.ForceOwnership))
		}
	})
	b.Run("after a status", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			u := parse(b, deployment)
			must(b, c.Status().Patch(b.Context(), u, client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"status":{"observedGeneration":%d}}`, i)), client.FieldOwner("manager")))
			d := parse(b, deployment)
			must(b, c.Apply(b.Context(), client.ApplyConfigurationFromUnstructured(d), client.FieldOwner("agent"), client.ForceOwnership))
		}
	})
}
