package server_test

import (
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/sim/server"
)

func merging(patch string) client.Patch { return client.RawPatch(types.MergePatchType, []byte(patch)) }

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
	patch := merging(`{"metadata":{"labels":{"a":"b"}}}`)
	must(t, s.Patch(t.Context(), d, patch))
	must(t, s.Patch(t.Context(), d, patch))
	if d.GetGeneration() != 1 || d.GetResourceVersion() != "3" {
		t.Errorf("patched to %v", d.Object["metadata"])
	}
	stale := d.DeepCopy()
	stale.SetResourceVersion("2")
	if err := s.Update(t.Context(), stale); !apierrors.IsConflict(err) {
		t.Error(err)
	}
	must(t, s.Delete(t.Context(), d))
	if got := s.told(); !slices.Equal(got, []string{"2 ADDED web", "3 MODIFIED web", "4 DELETED web"}) {
		t.Errorf("told %q", got)
	}
	if err := s.Get(t.Context(), client.ObjectKeyFromObject(d), d); !apierrors.IsNotFound(err) {
		t.Error(err)
	}
}

// told are the events so far, a line for each.
func (s *scene) told() []string {
	var lines []string
	for _, e := range s.events {
		lines = append(lines, fmt.Sprintf("%d %s %s", e.Version, e.Type, e.Key.Name))
	}
	return lines
}

func TestStatusOfACustomKind(t *testing.T) {
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
	r.Spec.Suspend, r.Status.Phase = true, v1alpha1.PhaseHealthy
	must(t, s.Update(t.Context(), r))
	if !r.Spec.Suspend || r.Status.Phase != v1alpha1.PhaseHeld || r.Generation != 2 {
		t.Errorf("stored %+v", r)
	}
	r.Spec.Strategy.Canary.Steps[0].Weight = nil
	if err := s.Update(t.Context(), r); !apierrors.IsInvalid(err) {
		t.Error(err)
	}
}

// What a listener writes is told after everybody was told of what it listened to.
func TestWritesOfListeners(t *testing.T) {
	s := newScene(t)
	var second []string
	s.OnWrite(func(e server.Event) {
		if e.Type == watch.Added && e.Key.Name == "web" {
			must(t, s.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "answer"}}))
		}
	})
	s.OnWrite(func(e server.Event) { second = append(second, e.Key.Name) })
	must(t, s.Create(t.Context(), parse(t, deployment)))
	if !slices.Equal(second, []string{"web", "answer"}) {
		t.Errorf("told %q", second)
	}
}

// A cache is a clone that has seen less.
func TestClone(t *testing.T) {
	s := newScene(t)
	m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "notes"}, Data: map[string]string{"a": "1"}}
	must(t, s.Create(t.Context(), m))
	cache := s.Objects().Clone()
	m.Data["a"] = "2"
	must(t, s.Update(t.Context(), m))
	must(t, s.Delete(t.Context(), m))
	read := func() string {
		got := &corev1.ConfigMap{}
		if err := cache.Get(t.Context(), client.ObjectKeyFromObject(m), got); err != nil {
			return string(apierrors.ReasonForError(err))
		}
		return got.Data["a"] + got.Kind
	}
	if got := read(); got != "1ConfigMap" {
		t.Errorf("the cache has %s", got)
	}
	again := cache.Clone()
	for i, want := range []string{"1ConfigMap", "2ConfigMap", "NotFound"} {
		if cache.Put(s.events[i]); read() != want {
			t.Errorf("after %d events the cache has %s, not %s", i+1, read(), want)
		}
	}
	if cache.Latest() != 4 || again.Latest() != 2 {
		t.Errorf("the caches are at %d and %d", cache.Latest(), again.Latest())
	}
	must(t, again.Get(t.Context(), client.ObjectKeyFromObject(m), m))
	again.Put(server.Event{Type: watch.Modified, Key: s.events[0].Key, Object: s.events[1].Object})
	if again.Shared(s.events[0].Key) != s.events[1].Object {
		t.Error("what was put is not shared")
	}
	if got := cache.Empty().All(schema.GroupKind{Kind: "Namespace"}, ""); got != nil || len(cache.All(schema.GroupKind{Kind: "Namespace"}, "")) != 1 {
		t.Errorf("there is %v", got)
	}
}

// Whatever a client does with what it read: the store and everybody else have their own.
func TestCopies(t *testing.T) {
	s := newScene(t)
	must(t, s.Create(t.Context(), parse(t, deployment)))
	key := client.ObjectKey{Namespace: "shop", Name: "web"}
	for range 2 {
		u := s.object("apps/v1", "Deployment")
		must(t, s.Get(t.Context(), key, u))
		if u.GetLabels()["spoiled"] != "" {
			t.Fatal("the store is spoiled")
		}
		u.SetLabels(map[string]string{"spoiled": "yes"})
		must(t, unstructured.SetNestedField(u.Object, "spoiled", "spec", "template", "spec", "containers"))
	}
}

func (s *scene) object(apiVersion, kind string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetAPIVersion(apiVersion)
	u.SetKind(kind)
	u.SetNamespace("shop")
	u.SetName("web")
	return u
}

func TestUnknown(t *testing.T) {
	s := newScene(t)
	for name, err := range map[string]error{
		"kind":        s.Get(t.Context(), client.ObjectKey{Name: "x"}, s.object("v9", "Strange")),
		"no kind":     s.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{}}),
		"list":        s.List(t.Context(), &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": "v1", "kind": "StrangeList"}}),
		"subresource": s.SubResource("scale").Update(t.Context(), s.object("apps/v1", "Deployment")),
		"no status":   s.Status().Patch(t.Context(), s.object("v1", "ConfigMap"), merging(`{}`)),
		"status read": s.SubResource("status").Get(t.Context(), s.object("v1", "Pod"), s.object("v1", "Pod")),
	} {
		if err == nil {
			t.Errorf("%s: nothing is refused", name)
		}
	}
	if namespaced, err := s.IsObjectNamespaced(&corev1.Namespace{}); namespaced || err != nil {
		t.Errorf("a Namespace is namespaced: %t, %v", namespaced, err)
	}
	if _, err := s.RESTMapper().RESTMapping(schema.GroupKind{Group: "belay.dev", Kind: "Rollout"}); err != nil {
		t.Error(err)
	}
}

// A pod that runs is given time; one that nobody runs is not.
func TestGrace(t *testing.T) {
	s := newScene(t)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Spec: corev1.PodSpec{
		NodeName: "node", Containers: []corev1.Container{{Name: "web", Image: "web:v1"}},
	}}
	must(t, s.Create(t.Context(), pod))
	must(t, s.Delete(t.Context(), pod))
	must(t, s.Get(t.Context(), client.ObjectKeyFromObject(pod), pod))
	if grace := pod.DeletionGracePeriodSeconds; grace == nil || *grace != 30 {
		t.Errorf("it has %v", grace)
	}
	must(t, s.Delete(t.Context(), pod, client.GracePeriodSeconds(0)))
	if got := s.told(); !slices.Equal(got, []string{"2 ADDED web", "3 MODIFIED web", "4 MODIFIED web", "5 DELETED web"}) {
		t.Errorf("told %q", got)
	}
}

func TestWatch(t *testing.T) {
	s := newScene(t)
	w, err := s.Server.Client("bob").Watch(t.Context(), &corev1.ConfigMapList{}, client.InNamespace("shop"), client.MatchingLabels{"a": "b"})
	must(t, err)
	m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "notes"}}
	must(t, s.Create(t.Context(), m))
	for _, patch := range []string{`{"metadata":{"labels":{"a":"b"}}}`, `{"data":{"c":"d"}}`, `{"metadata":{"labels":null}}`} {
		must(t, s.Patch(t.Context(), m, merging(patch)))
	}
	w.Stop()
	must(t, s.Delete(t.Context(), m))
	var got []string
	for e := range w.ResultChan() {
		m, ok := e.Object.(*corev1.ConfigMap)
		if !ok {
			t.Fatalf("told %T", e.Object)
		}
		got = append(got, fmt.Sprint(e.Type, " ", m.Labels, m.Data))
	}
	if want := []string{"ADDED map[a:b] map[]", "MODIFIED map[a:b] map[c:d]", "DELETED map[a:b] map[c:d]"}; !slices.Equal(got, want) {
		t.Errorf("told %q", got)
	}
}

// Nobody has to read a watch; it ends then.
func TestUnreadWatch(t *testing.T) {
	s := newScene(t)
	w, err := s.Server.Client("bob").Watch(t.Context(), &corev1.ConfigMapList{})
	must(t, err)
	m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "notes"}}
	must(t, s.Create(t.Context(), m))
	for i := range 1001 {
		must(t, s.Patch(t.Context(), m, merging(fmt.Sprintf(`{"data":{"i":"%d"}}`, i))))
	}
	n := 0
	for range w.ResultChan() {
		n++
	}
	if n != 1000 {
		t.Errorf("%d events were kept", n)
	}
}
