package httproute

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
)

// Group of the Gateway API.
const Group = "gateway.networking.k8s.io"

// owner is the name under which the controller's writes appear.
const owner = client.FieldOwner("belay")

// HTTPRoute is the route kind gateway.networking.k8s.io/v1 HTTPRoute.
type HTTPRoute struct{}

var _ routers.Router = HTTPRoute{}

// Kind of the objects.
func Kind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: Group, Version: "v1", Kind: "HTTPRoute"}
}

// Observe implements routers.Router. An empty canary stands for whichever the intent names.
func (HTTPRoute) Observe(ctx context.Context, r client.Reader, namespace string, ref v1alpha1.RouteReference, service, canary string) (routers.State, error) {
	state := routers.State{Ref: ref}
	route, err := get(ctx, r, namespace, ref.Name)
	if route == nil {
		return state, err
	}
	state.Found = true
	state.ResourceVersion = route.GetResourceVersion()
	state.ContestedBy = route.GetAnnotations()[v1alpha1.AnnotationContestedBy]
	if split, ok := routers.ParseSplit(route.GetAnnotations()[v1alpha1.AnnotationSplit]); ok {
		if split.Service == service && (canary == "" || split.Canary == canary) {
			state.Intent, canary = &split, split.Canary
		} else {
			state.Other = &split
		}
	}
	for i, rule := range rulesOf(route) {
		names, divided := rule.names(namespace, service), canary != "" && rule.names(namespace, canary)
		state.Names = state.Names || names
		state.Divided = state.Divided || divided
		// Another Rollout's split scales weights and adds a backend, but only while it lasts.
		if full := state.Other == nil && rule.overfull(namespace, service); names && !divided && (state.Intent != nil || full) {
			state.Unsplit = append(state.Unsplit, rule.title(i))
		}
	}
	state.Programmed, state.Why = programmed(route)
	return state, nil
}

// get reads a route; nil without an error: there is none.
func get(ctx context.Context, r client.Reader, namespace, name string) (*unstructured.Unstructured, error) {
	route := &unstructured.Unstructured{}
	route.SetGroupVersionKind(Kind())
	err := r.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, route)
	switch {
	case err == nil:
		return route, nil
	case apierrors.IsNotFound(err):
		return nil, nil
	case meta.IsNoMatchError(err):
		return nil, fmt.Errorf("reading HTTPRoute %s: the server does not serve %s: install the Gateway API: %w", name, Kind().GroupVersion(), err)
	}
	return nil, fmt.Errorf("reading HTTPRoute %s: %w", name, err)
}

// Split implements routers.Router.
func (HTTPRoute) Split(ctx context.Context, w client.Writer, namespace string, ref v1alpha1.RouteReference, resourceVersion string, s routers.Split) error {
	return annotate(ctx, w, namespace, ref.Name, resourceVersion, map[string]any{v1alpha1.AnnotationSplit: s.String()})
}

// Clear implements routers.Router.
func (HTTPRoute) Clear(ctx context.Context, w client.Writer, namespace string, ref v1alpha1.RouteReference, resourceVersion string, known routers.Fence) error {
	return annotate(ctx, w, namespace, ref.Name, resourceVersion, map[string]any{
		v1alpha1.AnnotationSplit: known.Gone(), v1alpha1.AnnotationContestedBy: nil,
	})
}

func annotate(ctx context.Context, w client.Writer, namespace, name, resourceVersion string, annotations map[string]any) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"resourceVersion": resourceVersion, "annotations": annotations,
	}})
	if err != nil {
		return fmt.Errorf("a patch of HTTPRoute %s: %w", name, err)
	}
	route := &unstructured.Unstructured{}
	route.SetGroupVersionKind(Kind())
	route.SetNamespace(namespace)
	route.SetName(name)
	if err := w.Patch(ctx, route, client.RawPatch(types.MergePatchType, patch), owner); err != nil {
		return fmt.Errorf("writing HTTPRoute %s: %w", name, err)
	}
	return nil
}
