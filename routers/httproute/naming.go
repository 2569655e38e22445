package httproute

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// Naming implements routers.Router. A mirror counts too: its requests would have nowhere to go.
func (HTTPRoute) Naming(ctx context.Context, r client.Reader, namespace, service string) ([]v1alpha1.RouteReference, error) {
	var list unstructured.UnstructuredList
	list.SetGroupVersionKind(Kind().GroupVersion().WithKind("HTTPRouteList"))
	err := r.List(ctx, &list, client.InNamespace(namespace))
	if meta.IsNoMatchError(err) {
		return nil, nil // a server without the Gateway API has no route
	}
	if err != nil {
		return nil, fmt.Errorf("listing HTTPRoutes: %w", err)
	}
	var out []v1alpha1.RouteReference
	for i := range list.Items {
		spec := list.Items[i].Object["spec"]
		if sends(spec, namespace, service) {
			out = append(out, v1alpha1.RouteReference{Group: Group, Kind: Kind().Kind, Name: list.Items[i].GetName()})
		}
	}
	return out, nil
}

// sends looks for backends, wherever they stand: in a rule, or in a filter of a rule or of a backend.
func sends(value any, namespace, service string) bool {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			if sends(item, namespace, service) {
				return true
			}
		}
	case map[string]any:
		mirror := map[string]any{"backendRefs": []any{value["backendRef"]}}
		if rule(value).names(namespace, service) || rule(mirror).names(namespace, service) {
			return true
		}
		for _, item := range value {
			if sends(item, namespace, service) {
				return true
			}
		}
	}
	return false
}
