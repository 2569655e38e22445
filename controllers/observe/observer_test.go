package observe

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/measure"
	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/routers/httproute"
	"github.com/belay-dev/belay/workloads"
	"github.com/belay-dev/belay/workloads/deployment"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// sources has the default provider for everybody, and no other.
type sources struct{}

func (sources) Reader(string, string) (analysis.Reader, error) { return nil, nil }

func (sources) Get(name, namespace string) (analysis.Provider, error) {
	if name != "" {
		return nil, errors.New("there is no provider " + name + " for namespace " + namespace + "\nknown is the default")
	}
	return nil, nil
}

// rollout is a sound one; what a test changes makes it another.
func rollout(change ...func(*v1alpha1.Rollout)) *v1alpha1.Rollout {
	r := &v1alpha1.Rollout{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "web", UID: "rollout-uid", Generation: 4, CreationTimestamp: metav1.NewTime(noon), Finalizers: []string{v1alpha1.Finalizer},
		},
		Spec: v1alpha1.RolloutSpec{
			WorkloadRef: v1alpha1.WorkloadReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
			Services:    []v1alpha1.ServiceReference{{Name: "web"}},
			Routes:      []v1alpha1.RouteReference{{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute", Name: "web"}},
			Strategy:    v1alpha1.Strategy{Canary: weighted(10, 100)},
		},
	}
	for _, c := range change {
		c(r)
	}
	return r
}

func web(name string, change ...func(*appsv1.Deployment)) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	d := &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(name + "-uid"), Labels: map[string]string{v1alpha1.LabelRollout: "web"}},
		Spec: appsv1.DeploymentSpec{
			Replicas: number(2), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "web:v1"}}},
			},
		},
	}
	for _, c := range change {
		c(d)
	}
	return d
}

func webService(name string, selector map[string]string) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Spec: corev1.ServiceSpec{Selector: selector}}
}

// none is a number of pods that is too small.
var none = intstr.FromInt32(0)

// tier is a label that several workloads have.
func tier(d *appsv1.Deployment) {
	d.Spec.Template.Labels["tier"] = "front"
}

var selectsWeb = map[string]string{"app": "web"}

func observer(c client.Client) *Observer {
	return &Observer{
		Reader: c, Clock: clocktesting.NewFakePassiveClock(noon),
		Workloads: map[string]workloads.Workload{"Deployment": deployment.Deployment{}},
		Routers:   map[string]routers.Router{"gateway.networking.k8s.io/HTTPRoute": httproute.HTTPRoute{}},
		Providers: sources{},
		Measured:  func(types.NamespacedName) (measure.State, bool) { return measure.State{}, false },
		Git:       func(types.NamespacedName) plan.Git { return plan.Git{} },
		Guard:     &Guard{Client: c, Clock: clocktesting.NewFakePassiveClock(noon), PolicyAPI: true},
		Namespace: "belay-system",
	}
}

func TestObserve(t *testing.T) {
	r := rollout(func(r *v1alpha1.Rollout) {
		r.Annotations = map[string]string{v1alpha1.AnnotationRequest: "pause - t1"}
		r.Spec.Suspend = true
		r.Spec.IgnoreTemplateChanges = []string{"a"}
		r.Status.Progress = &v1alpha1.Progress{Stage: v1alpha1.StageResting, Sequence: 3}
	})
	c := cluster(t, r, web("web"), webService("web", selectsWeb), httpRoute("web", "", "web"))
	s, err := observer(c).Observe(t.Context(), r)
	must(t, err)
	o := s.Observed
	if !o.Now.Equal(noon) || o.Namespace != "shop" || o.Name != "web" || !o.Finalizer || o.Deleting || !o.Suspend || o.Generation != 4 ||
		o.WorkloadName != "Deployment web" || !slices.Equal(o.Ignored, []string{"a"}) || o.Request == nil || o.Progress.Sequence != 3 {
		t.Errorf("observed %+v", o)
	}
	if !o.Workload.Found || o.Workload.Governor != "web" || len(o.Services) != 1 || len(o.Routes) != 1 || !o.Routes[0].Names || o.LiveDigest == "" || o.Config.Service != "web" {
		t.Errorf("observed %+v", o)
	}
	if len(o.Problems) > 0 {
		t.Errorf("problems %+v", o.Problems)
	}
	s.Progress.Sequence = 99
	if r.Status.Progress.Sequence != 3 {
		t.Error("a decision could change what was read")
	}
}

// What a person has to change: the reason, and the field in the sentence.
func TestProblems(t *testing.T) {
	other := func(change ...func(*v1alpha1.Rollout)) *v1alpha1.Rollout {
		o := rollout(change...)
		o.Name, o.UID, o.CreationTimestamp = "older", "older-uid", metav1.NewTime(noon.Add(-time.Hour))
		return o
	}
	long := strings.Repeat("x", 57)
	tests := map[string]struct {
		change  func(*v1alpha1.Rollout)
		objects []client.Object // instead of the sound ones
		reason  string
		text    string
	}{
		"unknown workload kind": {
			change: func(r *v1alpha1.Rollout) { r.Spec.WorkloadRef.Kind = "DaemonSet" },
			reason: "UnknownWorkloadKind", text: "spec.workloadRef apps/v1 DaemonSet is not supported: known is apps/v1 Deployment",
		},
		"unknown workload version": {
			change: func(r *v1alpha1.Rollout) { r.Spec.WorkloadRef.APIVersion = "apps/v2" },
			reason: "UnknownWorkloadKind", text: "spec.workloadRef apps/v2 Deployment is not supported",
		},
		"workload missing": {
			objects: []client.Object{webService("web", selectsWeb), httpRoute("web", "", "web")},
			reason:  "WorkloadMissing", text: "spec.workloadRef: Deployment web does not exist in namespace shop: create it, or correct the name",
		},
		"strategy Recreate": {
			objects: []client.Object{web("web", func(d *appsv1.Deployment) { d.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType }), webService("web", selectsWeb), httpRoute("web", "", "web")},
			reason:  "StrategyRecreate", text: "set spec.strategy.type to RollingUpdate",
		},
		"Service missing": {
			objects: []client.Object{web("web"), httpRoute("web", "", "web")},
			reason:  "ServiceMissing", text: "spec.services[0].name: Service web does not exist in namespace shop",
		},
		"Service selects nothing": {
			objects: []client.Object{web("web"), webService("web", map[string]string{"app": "shop"}), httpRoute("web", "", "web")},
			reason:  "ServiceSelectsNothing", text: "spec.services[0].name: Service web does not select the pods of Deployment web",
		},
		"Service selects another Deployment": {
			objects: []client.Object{web("web", tier), web("cart", tier), webService("web", map[string]string{"tier": "front"}), httpRoute("web", "", "web")},
			reason:  "ServiceSelectsOthers", text: "spec.services[0].name: Service web also selects the pods of Deployment cart",
		},
		"route missing": {
			objects: []client.Object{web("web"), webService("web", selectsWeb)},
			reason:  "RouteMissing", text: "spec.routes: HTTPRoute web does not exist in namespace shop",
		},
		"route without the Service": {
			objects: []client.Object{web("web"), webService("web", selectsWeb), httpRoute("web", "", "cart")},
			reason:  "RouteWithoutService", text: "spec.routes: no rule of HTTPRoute web sends traffic to Service web",
		},
		"canary in Git": {
			objects: []client.Object{web("web"), webService("web", selectsWeb), httpRoute("web", "", "web", "web-canary")},
			reason:  "CanaryInGit", text: "HTTPRoute web names the backend web-canary, which Belay makes itself: take it out of Git",
		},
		"sixteen backends": {
			objects: []client.Object{web("web"), webService("web", selectsWeb), httpRoute("web", "", slices.Concat([]string{"web"}, slices.Repeat([]string{"other"}, 15))...)},
			reason:  "SplitImpossible", text: "spec.routes: HTTPRoute web cannot be split:",
		},
		"unknown route kind": {
			change: func(r *v1alpha1.Rollout) { r.Spec.Routes[0].Kind = "TCPRoute" },
			reason: "UnknownRouteKind", text: "spec.routes: gateway.networking.k8s.io TCPRoute is not supported: known is gateway.networking.k8s.io/HTTPRoute",
		},
		"template missing": {
			change: func(r *v1alpha1.Rollout) {
				r.Spec.Analysis = &v1alpha1.Analysis{Templates: []v1alpha1.TemplateReference{{Name: "golden"}}}
			},
			reason: "TemplateMissing", text: `spec.analysis.templates: AnalysisTemplate "golden" does not exist`,
		},
		"cluster template missing": {
			change: func(r *v1alpha1.Rollout) {
				r.Spec.Analysis = &v1alpha1.Analysis{Templates: []v1alpha1.TemplateReference{{Kind: "ClusterAnalysisTemplate", Name: "golden"}}}
			},
			reason: "TemplateMissing", text: `spec.analysis.templates: ClusterAnalysisTemplate "golden" does not exist`,
		},
		"unknown argument": {
			change: func(r *v1alpha1.Rollout) {
				r.Spec.Analysis = &v1alpha1.Analysis{Args: []v1alpha1.Argument{{Name: "host", Value: new(string)}}}
			},
			reason: "InvalidAnalysis", text: "spec.analysis: ",
		},
		"query that is none": {
			change: func(r *v1alpha1.Rollout) {
				r.Spec.Analysis = &v1alpha1.Analysis{Metrics: []v1alpha1.Metric{{Name: "errors", Prometheus: &v1alpha1.PrometheusQuery{Query: "sum("}, SuccessCondition: "result < 1"}}}
			},
			reason: "InvalidMetric", text: "spec.analysis: ",
		},
		"unknown provider": {
			change: func(r *v1alpha1.Rollout) {
				r.Spec.Analysis = &v1alpha1.Analysis{Provider: "elsewhere", Metrics: []v1alpha1.Metric{{Name: "errors", Prometheus: &v1alpha1.PrometheusQuery{Query: "up"}, SuccessCondition: "result < 1"}}}
			},
			reason: "UnknownProvider", text: "spec.analysis.provider: there is no provider elsewhere for namespace shop; known is the default",
		},
		"another Rollout on the workload": {
			objects: []client.Object{web("web"), webService("web", selectsWeb), httpRoute("web", "", "web"), other(func(r *v1alpha1.Rollout) { r.Spec.Services[0].Name = "another" })},
			reason:  "WorkloadContested", text: "spec.workloadRef: Deployment web is governed by Rollout older already",
		},
		"another Rollout on the Service": {
			objects: []client.Object{web("web"), webService("web", selectsWeb), httpRoute("web", "", "web"), other(func(r *v1alpha1.Rollout) { r.Spec.WorkloadRef.Name = "another" })},
			reason:  "ServiceContested", text: "spec.services: Service web is split by Rollout older already",
		},
		"long Service name": {
			change: func(r *v1alpha1.Rollout) { r.Spec.Services[0].Name = long },
			reason: "NameTooLong", text: `spec.services[0].name "` + long + `" has more than 56 characters`,
		},
		"falling weights": {
			change: func(r *v1alpha1.Rollout) { r.Spec.Strategy.Canary = weighted(50, 10) },
			reason: "WeightsFall", text: "spec.strategy.canary.steps[1]: 10% is below the 50% of the step before it",
		},
		"no replicas": {
			change: func(r *v1alpha1.Rollout) { r.Spec.Strategy.Canary.Steps[0].Replicas = &none },
			reason: "InvalidReplicas", text: "spec.strategy.canary.steps[0].replicas is 0: at least 1, or a percentage such as 30%",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := rollout()
			if tc.change != nil {
				tc.change(r)
			}
			objects := tc.objects
			if objects == nil {
				objects = []client.Object{web("web"), webService("web", selectsWeb), httpRoute("web", "", "web")}
			}
			s, err := observer(cluster(t, append(objects, r)...)).Observe(t.Context(), r)
			must(t, err)
			i := slices.IndexFunc(s.Problems, func(p plan.Problem) bool { return p.Reason == tc.reason })
			if i < 0 {
				t.Fatalf("problems %+v", s.Problems)
			}
			if !strings.HasPrefix(s.Problems[i].Message, tc.text) && !strings.HasSuffix(s.Problems[i].Message, tc.text) {
				t.Errorf("%s says %q", tc.reason, s.Problems[i].Message)
			}
			if strings.Contains(s.Problems[i].Message, "\n") {
				t.Errorf("more than a line: %q", s.Problems[i].Message)
			}
		})
	}
}

// The older of two goes on as if it were alone.
func TestOlderRolloutGoesOn(t *testing.T) {
	r := rollout()
	younger := rollout(func(r *v1alpha1.Rollout) {
		r.Name, r.UID, r.CreationTimestamp = "younger", "younger-uid", metav1.NewTime(noon.Add(time.Hour))
	})
	twin := rollout(func(r *v1alpha1.Rollout) { r.Name, r.UID = "zwin", "twin-uid" })
	s, err := observer(cluster(t, r, younger, twin, web("web"), webService("web", selectsWeb), httpRoute("web", "", "web"))).Observe(t.Context(), r)
	must(t, err)
	if len(s.Problems) > 0 {
		t.Errorf("problems %+v", s.Problems)
	}
}

// A source that cannot be read is an error and never silently empty.
func TestUnreadableSources(t *testing.T) {
	objects := []client.Object{rollout(), web("web"), webService("web", selectsWeb), httpRoute("web", "", "web")}
	kinds := map[string]func(client.Object, client.ObjectList) bool{
		"Deployment": func(o client.Object, _ client.ObjectList) bool {
			u, ok := o.(*unstructured.Unstructured)
			return ok && u.GetKind() == "Deployment"
		},
		"Service":   func(o client.Object, _ client.ObjectList) bool { _, ok := o.(*corev1.Service); return ok },
		"Services":  func(_ client.Object, l client.ObjectList) bool { _, ok := l.(*corev1.ServiceList); return ok },
		"ConfigMap": func(o client.Object, _ client.ObjectList) bool { _, ok := o.(*corev1.ConfigMap); return ok },
		"Rollouts":  func(_ client.Object, l client.ObjectList) bool { _, ok := l.(*v1alpha1.RolloutList); return ok },
		"HTTPRoute": func(o client.Object, _ client.ObjectList) bool {
			u, ok := o.(*unstructured.Unstructured)
			return ok && u.GetKind() == "HTTPRoute"
		},
		"Pods":       func(_ client.Object, l client.ObjectList) bool { _, ok := l.(*corev1.PodList); return ok },
		"Repository": func(o client.Object, _ client.ObjectList) bool { _, ok := o.(*v1alpha1.Repository); return ok },
		"Template":   func(o client.Object, _ client.ObjectList) bool { _, ok := o.(*v1alpha1.AnalysisTemplate); return ok },
		"Deployments": func(_ client.Object, l client.ObjectList) bool {
			u, ok := l.(*unstructured.UnstructuredList)
			return ok && u.GetKind() == "DeploymentList"
		},
	}
	for name, matches := range kinds {
		t.Run(name, func(t *testing.T) {
			broken := errors.New("the cache is away")
			c := interceptor.NewClient(cluster(t, objects...).(client.WithWatch), interceptor.Funcs{
				Get: func(ctx context.Context, w client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
					if matches(o, nil) {
						return broken
					}
					return w.Get(ctx, key, o, opts...)
				},
				List: func(ctx context.Context, w client.WithWatch, l client.ObjectList, opts ...client.ListOption) error {
					if matches(nil, l) {
						return broken
					}
					return w.List(ctx, l, opts...)
				},
			})
			r := rollout(func(r *v1alpha1.Rollout) {
				r.Spec.Git = &v1alpha1.Git{Repository: "platform"}
				r.Spec.Analysis = &v1alpha1.Analysis{Templates: []v1alpha1.TemplateReference{{Name: "golden"}}}
				r.Status.Progress = &v1alpha1.Progress{
					Stage: v1alpha1.StageStepping, CanaryService: "web-canary", Canary: &v1alpha1.RevisionRecord{Revision: "v2"},
				}
			})
			if s, err := observer(c).Observe(t.Context(), r); !errors.Is(err, broken) {
				t.Errorf("read %t, error %v", s != nil, err)
			}
		})
	}
}

func TestTemplatesAreMerged(t *testing.T) {
	metric := func(name string) v1alpha1.Metric {
		return v1alpha1.Metric{Name: name, Prometheus: &v1alpha1.PrometheusQuery{Query: "up"}, SuccessCondition: "result < 1"}
	}
	template := &v1alpha1.AnalysisTemplate{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "golden"}, Spec: v1alpha1.AnalysisTemplateSpec{Metrics: []v1alpha1.Metric{metric("a")}}}
	cluster1 := &v1alpha1.ClusterAnalysisTemplate{ObjectMeta: metav1.ObjectMeta{Name: "common"}, Spec: v1alpha1.AnalysisTemplateSpec{Metrics: []v1alpha1.Metric{metric("b")}}}
	r := rollout(func(r *v1alpha1.Rollout) {
		r.Spec.Analysis = &v1alpha1.Analysis{
			Templates: []v1alpha1.TemplateReference{{Name: "golden"}, {Kind: "ClusterAnalysisTemplate", Name: "common"}},
			Metrics:   []v1alpha1.Metric{metric("c")},
		}
		r.Status.Progress = &v1alpha1.Progress{Stage: v1alpha1.StageResting, Attempt: 2, Step: 1}
	})
	c := cluster(t, r, template, cluster1, web("web"), webService("web", selectsWeb), httpRoute("web", "", "web"))
	ob := observer(c)
	ob.Measured = func(types.NamespacedName) (measure.State, bool) {
		return measure.State{Attempt: 2, Step: 1, Metrics: []v1alpha1.MetricStatus{{Name: "a"}}}, true
	}
	s, err := ob.Observe(t.Context(), r)
	must(t, err)
	var names []string
	for _, m := range s.Effective.Metrics {
		names = append(names, m.Name)
	}
	if !slices.Equal(names, []string{"a", "b", "c"}) || len(s.Plans) != 3 || !s.Config.Gating || len(s.Problems) > 0 {
		t.Errorf("metrics %v, plans %d, problems %+v", names, len(s.Plans), s.Problems)
	}
	if len(s.Metrics) != 1 {
		t.Errorf("measured %+v", s.Metrics)
	}
	r.Status.Progress.Step = 2
	if s, err = ob.Observe(t.Context(), r); err != nil || len(s.Metrics) != 0 {
		t.Errorf("measurements of another step: %+v, %v", s.Metrics, err)
	}
}

func TestMaxAge(t *testing.T) {
	s := &Scene{Rollout: rollout()}
	if got := s.MaxAge(); got != 0 {
		t.Errorf("without Git %s", got)
	}
	s.Rollout.Spec.Git = &v1alpha1.Git{}
	if got := s.MaxAge(); got != time.Hour {
		t.Errorf("by default %s", got)
	}
	s.Rollout.Spec.Git.MaxAge = lasting(time.Minute)
	if got := s.MaxAge(); got != time.Minute {
		t.Errorf("as written %s", got)
	}
}
