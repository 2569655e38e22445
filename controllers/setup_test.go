package controllers

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// A full queue drops the call instead of holding up whoever wakes.
func TestWakerNeverBlocks(t *testing.T) {
	w := NewWaker()
	for range cap(w.events) + 10 {
		w.Wake(webKey)
	}
	first := <-w.events
	if first.Object.GetNamespace() != "shop" || first.Object.GetName() != "web" || len(w.events) != cap(w.events)-1 {
		t.Errorf("woken for %s/%s, %d left", first.Object.GetNamespace(), first.Object.GetName(), len(w.events))
	}
}

func TestWhoIsWoken(t *testing.T) {
	in := func(namespace, name string) *v1alpha1.Rollout {
		return &v1alpha1.Rollout{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	}
	b := newBench(t, in("shop", "web"), in("shop", "api"), in("cart", "web"))
	request := func(namespace, name string) reconcile.Request {
		return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}
	}
	shopOnly := []reconcile.Request{request("shop", "api"), request("shop", "web")}
	all := append([]reconcile.Request{request("cart", "web")}, shopOnly...)
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "any"}}
	tests := map[string]struct{ got, want []reconcile.Request }{
		"an object of the namespace": {b.loop.inNamespace(t.Context(), service), shopOnly},
		"a cluster's template":       {b.loop.everywhere(t.Context(), &v1alpha1.ClusterAnalysisTemplate{}), all},
		"a policy":                   {b.loop.policies(t.Context(), &corev1.ConfigMap{}), all},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			slices.SortFunc(tc.got, func(a, b reconcile.Request) int {
				return slices.Compare([]string{a.Namespace, a.Name}, []string{b.Namespace, b.Name})
			})
			if !slices.Equal(tc.got, tc.want) {
				t.Errorf("woken %v, want %v", tc.got, tc.want)
			}
		})
	}
}

func TestUntyped(t *testing.T) {
	kind := v1alpha1.GroupVersion.WithKind("Rollout")
	if got := untyped(kind).GetObjectKind().GroupVersionKind(); got != kind {
		t.Errorf("watches %s", got)
	}
}
