package attempt

import (
	"maps"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/belay-dev/belay/routers"
)

var (
	yes   = true
	owner = metav1.OwnerReference{APIVersion: "belay.dev/v1alpha1", Kind: "Rollout", Name: "web", UID: "rollout-uid", Controller: &yes}
	fence = routers.Fence{Attempt: 7, Sequence: 3}
	data  = Data{
		Pin:       routers.Pin{Fence: fence, Key: "pod-template-hash", Value: "a"},
		PodLabels: map[string]string{"tier": "front", "app": "web", "empty": ""},
		Split:     routers.Split{Fence: fence, Service: "web", Canary: "web-canary", Weight: 25, Scale: 100},
		Routes:    []string{"web", "web-internal"},
		Snapshot:  `{"spec":{}}`, Digest: "d1",
	}
)

func store(objects ...client.Object) client.Client {
	return fake.NewClientBuilder().WithScheme(clientgo.Scheme).WithObjects(objects...).Build()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func stored(t *testing.T, c client.Client) *corev1.ConfigMap {
	t.Helper()
	m := &corev1.ConfigMap{}
	must(t, c.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "belay-web"}, m))
	return m
}

// The form is a contract with the admission policies.
func TestForm(t *testing.T) {
	c := store()
	must(t, Ensure(t.Context(), c, "shop", owner, "web", data))
	m := stored(t, c)
	want := map[string]string{
		"pin": "7.3/pod-template-hash=a", "podLabels": "app=web,empty=,tier=front",
		"split": "7.3/web/web-canary/0/100", "routes": "web,web-internal", "snapshot": `{"spec":{}}`, "digest": "d1",
	}
	if !maps.Equal(m.Data, want) || m.Labels["belay.dev/attempt"] != "true" || m.OwnerReferences[0].UID != owner.UID {
		t.Errorf("wrote %+v", m)
	}
}

func TestReadBack(t *testing.T) {
	c := store()
	must(t, Ensure(t.Context(), c, "shop", owner, "web", data))
	state, err := Observe(t.Context(), c, "shop", "web", owner.UID)
	must(t, err)
	want := data
	want.Split.Weight = 0
	if !state.Found || state.Foreign || !reflect.DeepEqual(state.Data, want) {
		t.Errorf("read %+v", state)
	}
}

func TestEnsureWritesOnlyChanges(t *testing.T) {
	c := store()
	must(t, Ensure(t.Context(), c, "shop", owner, "web", data))
	first := stored(t, c).ResourceVersion
	must(t, Ensure(t.Context(), c, "shop", owner, "web", data))
	if stored(t, c).ResourceVersion != first {
		t.Error("written although nothing changed")
	}
	noRoutes := data
	noRoutes.Routes, noRoutes.Split = nil, routers.Split{}
	must(t, Ensure(t.Context(), c, "shop", owner, "web", noRoutes))
	if m := stored(t, c); m.Data["routes"] != "" || m.Data["split"] != "" {
		t.Errorf("wrote %v", m.Data)
	}
}

func TestForeignIsLeftAlone(t *testing.T) {
	foreign := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "belay-web"}, Data: map[string]string{"pin": "7.3/pod-template-hash=x"}}
	c := store(foreign)
	if err := Ensure(t.Context(), c, "shop", owner, "web", data); err == nil || !strings.Contains(err.Error(), "belay-web") {
		t.Errorf("error %v", err)
	}
	must(t, Delete(t.Context(), c, "shop", "web", owner.UID))
	if m := stored(t, c); len(m.Data) != 1 {
		t.Errorf("touched: %v", m.Data)
	}
	state, err := Observe(t.Context(), c, "shop", "web", owner.UID)
	must(t, err)
	if !state.Foreign || state.Pin.Value != "" {
		t.Errorf("read %+v", state)
	}
}

func TestDelete(t *testing.T) {
	c := store()
	must(t, Ensure(t.Context(), c, "shop", owner, "web", data))
	for range 2 {
		must(t, Delete(t.Context(), c, "shop", "web", owner.UID))
		state, err := Observe(t.Context(), c, "shop", "web", owner.UID)
		must(t, err)
		if state.Found {
			t.Errorf("read %+v", state)
		}
	}
}
