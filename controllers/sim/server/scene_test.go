package server_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
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

func begin(t testing.TB) *server.Server { return beginWith(t, func(*server.Options) {}) }

func beginWith(t testing.TB, change func(*server.Options)) *server.Server {
	t.Helper()
	schemas, err := compiled()
	must(t, err)
	uid := 0
	o := server.Options{
		Schemas: schemas,
		Now:     func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC) },
		UID:     func() types.UID { uid++; return types.UID(fmt.Sprintf("uid-%d", uid)) },
	}
	change(&o)
	return server.New(o)
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
