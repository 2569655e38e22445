package httproute

import (
	"context"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/belay-dev/belay/api/v1alpha1"
)

func TestNaming(t *testing.T) {
	for name, tc := range map[string]struct {
		rules string
		want  bool
	}{
		"a backend":               {"  - backendRefs: [{name: web}]\n  - backendRefs: [{name: web-canary, weight: 0}]\n", true},
		"a mirror of a rule":      {"  - filters: [{type: RequestMirror, requestMirror: {backendRef: {name: web-canary}}}]\n", true},
		"a mirror of a backend":   {"  - backendRefs: [{name: web, filters: [{requestMirror: {backendRef: {name: web-canary, kind: Service}}}]}]\n", true},
		"another Service":         {"  - backendRefs: [{name: web}]\n", false},
		"another kind":            {"  - backendRefs: [{name: web-canary, kind: Bucket}]\n", false},
		"another namespace":       {"  - backendRefs: [{name: web-canary, namespace: far}]\n", false},
		"a header of that name":   {"  - filters: [{requestHeaderModifier: {set: [{name: web-canary, value: x}]}}]\n", false},
		"a rule without backends": {"  - {name: web-canary}\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			refs, err := HTTPRoute{}.Naming(t.Context(), store(route(t, spec(tc.rules), "")), "shop", "web-canary")
			if err != nil {
				t.Fatal(err)
			}
			if slices.Equal(refs, []v1alpha1.RouteReference{ref}) != tc.want {
				t.Errorf("named by %v, want %t", refs, tc.want)
			}
		})
	}
}

func TestNamingInAnotherNamespace(t *testing.T) {
	refs, err := HTTPRoute{}.Naming(t.Context(), store(route(t, spec("  - backendRefs: [{name: web-canary}]\n"), "")), "far", "web-canary")
	if err != nil || len(refs) != 0 {
		t.Errorf("named by %v, %v", refs, err)
	}
}

func TestNamingWithoutTheGatewayAPI(t *testing.T) {
	without := interceptor.NewClient(store().(client.WithWatch), interceptor.Funcs{
		List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
			return &meta.NoKindMatchError{GroupKind: Kind().GroupKind()}
		},
	})
	if refs, err := (HTTPRoute{}).Naming(t.Context(), without, "shop", "web-canary"); err != nil || len(refs) != 0 {
		t.Errorf("named by %v, %v", refs, err)
	}
}
