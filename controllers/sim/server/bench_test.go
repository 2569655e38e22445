package server_test

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
)

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
