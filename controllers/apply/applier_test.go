package apply

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/routers/httproute"
)

const share = "1.4/web/web-canary/25/100"

// applier has three split routes. Every write to one that is named is refused with its error.
func applier(refused map[string]error) (*Applier, client.Client) {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypeWithName(httproute.Kind(), &unstructured.Unstructured{})
	builder := fake.NewClientBuilder().WithScheme(scheme)
	for _, name := range []string{"a", "b", "c"} {
		builder = builder.WithObjects(route(name))
	}
	c := builder.WithInterceptorFuncs(interceptor.Funcs{
		Patch: func(ctx context.Context, w client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			if err := refused[o.GetName()]; err != nil {
				return err
			}
			return w.Patch(ctx, o, p, opts...)
		},
	}).Build()
	return &Applier{Client: c, Routers: map[string]routers.Router{"gateway.networking.k8s.io/HTTPRoute": httproute.HTTPRoute{}}}, c
}

func route(name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(httproute.Kind())
	u.SetNamespace("shop")
	u.SetName(name)
	u.SetAnnotations(map[string]string{v1alpha1.AnnotationSplit: share})
	return u
}

func ref(name string) v1alpha1.RouteReference {
	return v1alpha1.RouteReference{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute", Name: name}
}

func clearing(name string) plan.Effect { return plan.ClearSplit{Route: ref(name)} }

func splitting(name string, weight int32) plan.Effect {
	return plan.Split{Route: ref(name), Split: routers.Split{
		Fence: routers.Fence{Attempt: 1, Sequence: 5}, Service: "web", Canary: "web-canary", Weight: weight, Scale: 100,
	}}
}

// An abort takes the canary's share off every route that lets us, whatever the others say.
func TestApply(t *testing.T) {
	forbidden := apierrors.NewForbidden(corev1.Resource("httproutes"), "a", errors.New("no"))
	conflict := apierrors.NewConflict(corev1.Resource("httproutes"), "a", errors.New("changed"))
	gone := apierrors.NewNotFound(corev1.Resource("httproutes"), "a")
	const zero, half, cleared = "1.5/web/web-canary/0/100", "1.5/web/web-canary/50/100", "1.6/-"
	for name, tc := range map[string]struct {
		refused map[string]error
		effects []plan.Effect
		// want by route; what is not named still has its share.
		want   map[string]string
		failed []error
	}{
		"all are cleared":                    {nil, []plan.Effect{clearing("a"), clearing("b")}, map[string]string{"a": cleared, "b": cleared}, nil},
		"the first is refused":               {map[string]error{"a": forbidden}, []plan.Effect{clearing("a"), clearing("b"), clearing("c")}, map[string]string{"b": cleared, "c": cleared}, []error{forbidden}},
		"two are refused":                    {map[string]error{"a": forbidden, "b": conflict}, []plan.Effect{clearing("a"), clearing("b"), clearing("c")}, map[string]string{"c": cleared}, []error{forbidden, conflict}},
		"a route that is gone is cleared":    {map[string]error{"a": gone}, []plan.Effect{clearing("a"), clearing("b")}, map[string]string{"b": cleared}, nil},
		"a share of a route that is gone":    {map[string]error{"a": gone}, []plan.Effect{splitting("a", 50)}, nil, []error{gone}},
		"a weight goes to zero all the same": {map[string]error{"a": conflict}, []plan.Effect{splitting("a", 0), splitting("b", 0)}, map[string]string{"b": zero}, []error{conflict}},
		"no weight rises after a failure":    {map[string]error{"a": conflict}, []plan.Effect{splitting("a", 50), splitting("b", 50)}, nil, []error{conflict}},
		"weights rise in order":              {map[string]error{"b": conflict}, []plan.Effect{splitting("a", 50), splitting("b", 50), splitting("c", 50)}, map[string]string{"a": half}, []error{conflict}},
	} {
		t.Run(name, func(t *testing.T) {
			a, c := applier(tc.refused)
			scene := &observe.Scene{Observed: plan.Observed{Namespace: "shop", Progress: v1alpha1.Progress{Attempt: 1, Sequence: 6}}}

			err := a.Apply(t.Context(), scene, tc.effects)

			for _, want := range tc.failed {
				if !errors.Is(err, want) {
					t.Errorf("the error is %v, want %v in it", err, want)
				}
			}
			if len(tc.failed) == 0 && err != nil {
				t.Errorf("the error is %v, want none", err)
			}
			want := map[string]string{"a": share, "b": share, "c": share}
			maps.Copy(want, tc.want)
			for _, name := range slices.Sorted(maps.Keys(want)) {
				u := route(name)
				if err := c.Get(t.Context(), client.ObjectKeyFromObject(u), u); err != nil {
					t.Fatal(err)
				}
				if got := u.GetAnnotations()[v1alpha1.AnnotationSplit]; got != want[name] {
					t.Errorf("route %s is split %q, want %q", name, got, want[name])
				}
			}
		})
	}
}
