package observe

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/routers/httproute"
)

// cluster is a reader of these objects that knows every kind that traffic is about.
func cluster(t *testing.T, objects ...client.Object) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, discoveryv1.AddToScheme, v1alpha1.AddToScheme} {
		must(t, add(scheme))
	}
	scheme.AddKnownTypeWithName(httproute.Kind(), &unstructured.Unstructured{})
	scheme.AddKnownTypeWithName(httproute.Kind().GroupVersion().WithKind("HTTPRouteList"), &unstructured.UnstructuredList{})
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
}

func httpRoute(name, split string, backends ...string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetGroupVersionKind(httproute.Kind())
	u.SetNamespace("shop")
	u.SetName(name)
	if split != "" {
		u.SetAnnotations(map[string]string{v1alpha1.AnnotationSplit: split})
	}
	var refs []any
	for _, b := range backends {
		refs = append(refs, map[string]any{"name": b})
	}
	u.Object["spec"] = map[string]any{"rules": []any{map[string]any{"backendRefs": refs}}}
	return u
}

// Which routes an attempt splits, and whether its Service may go, is seen on the routes themselves.
func TestTraffic(t *testing.T) {
	const split = "1.4/web/web-canary/25/100"
	canary := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-canary"}}
	for name, tc := range map[string]struct {
		stage   v1alpha1.Stage
		lost    bool
		objects []client.Object
		named   bool
		routes  string
	}{
		"in flight":                          {v1alpha1.StageStepping, false, []client.Object{canary, httpRoute("web", split, "web", "web-canary")}, true, "web 250"},
		"a stranger's route names it":        {v1alpha1.StageResting, false, []client.Object{canary, httpRoute("web", "", "web"), httpRoute("other", "", "web-canary")}, true, "web 0"},
		"nobody names it":                    {v1alpha1.StageResting, false, []client.Object{canary, httpRoute("web", "", "web")}, false, "web 0"},
		"there is none":                      {v1alpha1.StageResting, false, []client.Object{httpRoute("web", "", "web", "web-canary")}, false, "web 0"},
		"a lost snapshot forgets no route":   {v1alpha1.StageAborting, true, []client.Object{canary, httpRoute("web", split, "web", "web-canary"), httpRoute("api", split, "web", "web-canary")}, true, "web 250, api 250"},
		"nor when the canary's Service went": {v1alpha1.StageAborting, true, []client.Object{httpRoute("web", "", "web"), httpRoute("api", split, "web", "web-canary")}, true, "web 0, api 250"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sceneOf(tc.stage, "")
			s.Rollout.Spec.Services = nil // edited since
			s.Rollout.Spec.Routes = []v1alpha1.RouteReference{{Group: httproute.Group, Kind: "HTTPRoute", Name: "web"}}
			s.Progress.CanaryService = "web-canary"
			o := &Observer{Reader: cluster(t, tc.objects...), Routers: map[string]routers.Router{"gateway.networking.k8s.io/HTTPRoute": httproute.HTTPRoute{}}}
			must(t, o.snapshot(t.Context(), s))
			s.Attempt.Lost = tc.lost
			if !tc.lost {
				s.Config.Service = "web"
			}

			must(t, o.traffic(t.Context(), s))

			var seen []string
			for _, r := range s.Routes {
				seen = append(seen, r.Ref.Name+" "+map[int32]string{0: "0", 250: "250"}[r.Permille()])
			}
			if got := strings.Join(seen, ", "); got != tc.routes || s.Canary.Named != tc.named {
				t.Errorf("sees %q, named %t; want %q, %t", got, s.Canary.Named, tc.routes, tc.named)
			}
		})
	}
}
