package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// Waker lets what runs beside the loop wake it. Its Wake never blocks.
type Waker struct{ events chan event.GenericEvent }

// NewWaker makes one. A full queue drops the call: the reconciler looks again by itself within seconds while something
// runs beside it.
func NewWaker() *Waker { return &Waker{events: make(chan event.GenericEvent, 1024)} }

// Wake has a Rollout looked at.
func (w *Waker) Wake(key types.NamespacedName) {
	r := &v1alpha1.Rollout{}
	r.Namespace, r.Name = key.Namespace, key.Name
	select {
	case w.events <- event.GenericEvent{Object: r}:
	default:
	}
}

// Setup registers the reconciler with everything that wakes it.
func (r *Reconciler) Setup(mgr ctrl.Manager, waker *Waker, routeKinds []schema.GroupVersionKind, workers int) error {
	b := ctrl.NewControllerManagedBy(mgr).
		Named("rollout").
		For(&v1alpha1.Rollout{}).
		Watches(&v1alpha1.Rollout{}, handler.EnqueueRequestsFromMapFunc(r.inNamespace), builder.WithPredicates(declared)).
		Owns(&corev1.ConfigMap{}).
		Watches(&corev1.Service{}, handler.EnqueueRequestsFromMapFunc(r.inNamespace)).
		Watches(&discoveryv1.EndpointSlice{}, handler.EnqueueRequestsFromMapFunc(r.inNamespace)).
		Watches(&v1alpha1.AnalysisTemplate{}, handler.EnqueueRequestsFromMapFunc(r.inNamespace)).
		Watches(&v1alpha1.ClusterAnalysisTemplate{}, handler.EnqueueRequestsFromMapFunc(r.everywhere)).
		Watches(&v1alpha1.Repository{}, handler.EnqueueRequestsFromMapFunc(r.everywhere)).
		WatchesRawSource(source.Channel(waker.events, &handler.EnqueueRequestForObject{})).
		WithOptions(controllerOptions(workers))
	for _, kind := range append([]schema.GroupVersionKind{
		{Group: "apps", Version: "v1", Kind: "Deployment"},
		{Group: "apps", Version: "v1", Kind: "ReplicaSet"},
	}, routeKinds...) {
		b = b.Watches(untyped(kind), handler.EnqueueRequestsFromMapFunc(r.inNamespace))
	}
	if r.Observer.Guard.PolicyAPI {
		for _, kind := range []string{"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"} {
			gvk := schema.GroupVersionKind{Group: "admissionregistration.k8s.io", Version: "v1", Kind: kind}
			b = b.Watches(untyped(gvk), handler.EnqueueRequestsFromMapFunc(r.policies))
		}
	}
	if err := b.Complete(r); err != nil {
		return fmt.Errorf("setting the controller up: %w", err)
	}
	return nil
}

// declared lets a Rollout wake the others of its namespace when it comes, goes or is edited: two may claim one workload, and the
// one that waits goes on when the other is gone.
var declared = predicate.GenerationChangedPredicate{}

func untyped(kind schema.GroupVersionKind) client.Object {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(kind)
	return u
}

// inNamespace wakes the Rollouts of the object's namespace.
func (r *Reconciler) inNamespace(ctx context.Context, o client.Object) []reconcile.Request {
	return r.rollouts(ctx, client.InNamespace(o.GetNamespace()))
}

func (r *Reconciler) everywhere(ctx context.Context, _ client.Object) []reconcile.Request {
	return r.rollouts(ctx)
}

// policies makes the proofs void: a policy changed.
func (r *Reconciler) policies(ctx context.Context, _ client.Object) []reconcile.Request {
	r.Observer.Guard.Forget()
	return r.rollouts(ctx)
}

func (r *Reconciler) rollouts(ctx context.Context, opts ...client.ListOption) []reconcile.Request {
	var list v1alpha1.RolloutList
	if err := r.Client.List(ctx, &list, opts...); err != nil {
		return nil // the cache is not there yet; every Rollout is looked at when it is
	}
	out := make([]reconcile.Request, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
	}
	return out
}
