package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/cmd/kubectl-belay/view"
	"github.com/belay-dev/belay/controllers"
	"github.com/belay-dev/belay/controllers/measure"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
)

// inUse has a row for every union of the API: what is made of a Rollout in which one member is set, place by place. No
// other member may come out the same there: one of which a place makes nothing has no row in its list.
func inUse(t *testing.T) map[string]func(member string) map[string]string {
	return map[string]func(string) map[string]string{
		"Step": func(member string) map[string]string {
			s, status := begun(t, func(r *v1alpha1.Rollout) {
				step := v1alpha1.Step{}
				set(t, &step, member)
				r.Spec.Strategy.Canary = &v1alpha1.Canary{Steps: []v1alpha1.Step{step}}
			})
			s.Rollout.Status = v1alpha1.RolloutStatus{} // at rest the plugin shows the spec
			return map[string]string{
				"the ladder": fmt.Sprintf("%+v", s.Config.Ladder[0]),
				"the status": status.Steps[0],
				"the plugin": view.Render(view.Tree{Rollout: s.Rollout}, view.Options{}),
			}
		},
		"Strategy": func(member string) map[string]string {
			s, _ := begun(t, func(r *v1alpha1.Rollout) {
				r.Spec.Strategy = v1alpha1.Strategy{}
				set(t, &r.Spec.Strategy, member)
			})
			return map[string]string{"the ladder": fmt.Sprintf("%d steps", len(s.Config.Ladder))}
		},
		"Metric": func(member string) map[string]string {
			s, status := begun(t, func(r *v1alpha1.Rollout) {
				metric := v1alpha1.Metric{Name: "m", SuccessCondition: "result < 1"}
				set(t, &metric, member)
				if metric.Compare != nil {
					metric.SuccessCondition = "" // which a comparison does not have
					*metric.Compare = v1alpha1.Compare{Requests: `requests{s="{{ .Service }}"}`, Errors: `errors{s="{{ .Service }}"}`}
				}
				if metric.Gauge != nil {
					metric.SuccessCondition = ""
					*metric.Gauge = v1alpha1.Gauge{Selector: `memory{revision="{{ .Revision }}"}`}
				}
				r.Spec.Analysis = &v1alpha1.Analysis{Metrics: []v1alpha1.Metric{metric}}
			})
			compiled, shown := fmt.Sprintf("problems %v:", s.Problems), ""
			for i := range s.Plans {
				compiled += fmt.Sprintf(" a comparison is %t", s.Plans[i].Comparison != nil) + fmt.Sprint(s.Plans[i].Comparison != nil && s.Plans[i].Comparison.Gauge != nil)
			}
			for i := range status.Metrics {
				shown += " limit " + status.Metrics[i].Limit
			}
			return map[string]string{"what is compiled": compiled, "the status": shown}
		},
	}
}

// Every step kind, strategy and metrics source of the API is known to the code that resolves it, and shown; and nothing is
// known that the API has not.
func TestEveryMemberHasItsRow(t *testing.T) {
	found, proofs := unions(t), inUse(t)
	if got, want := slices.Sorted(maps.Keys(found)), slices.Sorted(maps.Keys(proofs)); !slices.Equal(got, want) {
		t.Fatalf("the unions of the API are %v, this test knows %v", got, want)
	}
	for typ, proof := range proofs {
		seen := map[string]string{}
		for _, member := range append([]string{""}, found[typ]...) {
			for place, text := range proof(member) {
				if other, same := seen[place+text]; same {
					t.Errorf("a %s with %q comes out in %s as one with %q: %s", typ, member, place, other, text)
				}
				seen[place+text] = member
			}
		}
	}
}

// Each source of metrics has a folder with the contract suite, and each folder is a source of metrics.
func TestMetricSources(t *testing.T) {
	compare(t, "sources of metrics", map[string][]string{
		// Comparisons and gauges read the source that queries read.
		"members of Metric in the API": slices.DeleteFunc(unions(t)["Metric"], func(member string) bool { return member == "compare" || member == "gauge" }),
		// The others judge, they measure nothing.
		"folders of analysis/": mechanisms(t, "analysis", "analysistest", "canarybench", "evidence", "gauge", "latency", "presets", "samples", "trial"),
	})
}

// Every template kind that a Rollout may name is a kind of the API with the same spec.
func TestTemplateKinds(t *testing.T) {
	ref := schemas(t)["Rollout"].Properties["spec"].Properties["analysis"].Properties["templates"].Items.Schema
	var allowed []string
	for _, e := range ref.Properties["kind"].Enum {
		allowed = append(allowed, strings.Trim(string(e.Raw), `"`))
	}
	var exist []string
	for _, kind := range kinds() {
		if f, ok := kind.FieldByName("Spec"); ok && f.Type == reflect.TypeFor[v1alpha1.AnalysisTemplateSpec]() {
			exist = append(exist, kind.Name())
		}
	}
	var read []string
	for _, kind := range exist {
		s, _ := begun(t, func(r *v1alpha1.Rollout) {
			r.Spec.Analysis = &v1alpha1.Analysis{Templates: []v1alpha1.TemplateReference{{Kind: kind, Name: "golden"}}}
		})
		if len(s.Plans) == 1 && s.Plans[0].Metric.Name == kind {
			read = append(read, kind)
		}
	}
	compare(t, "kinds of templates", map[string][]string{"the schema's enum": allowed, "the types with that spec": exist, "what is read": read})
}

// set gives a field, by its name in manifests, a value that is not its zero one. No name: nothing is set.
func set(t *testing.T, object any, name string) {
	t.Helper()
	if name == "" {
		return
	}
	v := reflect.ValueOf(object).Elem()
	field := v.FieldByIndex(jsonFields(v.Type())[name].Index)
	field.Set(reflect.New(field.Type().Elem()))
	fill(field.Elem())
}

// fill gives texts and numbers a value that every source takes for something to measure and every ladder for a share.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Int32:
		v.SetInt(7)
	case reflect.String:
		v.SetString("up")
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.String {
				fill(f)
			}
		}
	}
}

// begun observes a Rollout at the beginning of an attempt with the program's own lists, and reports it.
func begun(t *testing.T, change func(*v1alpha1.Rollout)) (*observe.Scene, v1alpha1.RolloutStatus) {
	t.Helper()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := &v1alpha1.Rollout{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "u", CreationTimestamp: metav1.NewTime(now), Finalizers: []string{v1alpha1.Finalizer}},
		Spec: v1alpha1.RolloutSpec{
			WorkloadRef: v1alpha1.WorkloadReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
			Services:    []v1alpha1.ServiceReference{{Name: "web"}},
			Strategy:    v1alpha1.Strategy{Canary: &v1alpha1.Canary{}},
		},
	}
	r.Status.Progress = &v1alpha1.Progress{Stage: v1alpha1.StagePinning, CanaryService: "web-canary"}
	change(r)
	c := cluster(t, append(templates(), web(), service(), r)...)
	clock := clocktesting.NewFakePassiveClock(now)
	file := filepath.Join(t.TempDir(), "providers.yaml")
	must(t, os.WriteFile(file, []byte("providers: [{name: main, address: http://localhost:9090}]"), 0o600))
	sources, err := providers(file)
	must(t, err)
	observer := &observe.Observer{
		Reader: c, Clock: clock, Workloads: workloadKinds(c), Routers: routeKinds(), Providers: sources, Namespace: "belay-system",
		Measured: func(types.NamespacedName) (measure.State, bool) { return measure.State{}, false },
		Git:      func(types.NamespacedName) plan.Git { return plan.Git{} },
		Guard:    &observe.Guard{Client: c, Clock: clock, PolicyAPI: true},
	}
	must(t, c.Get(t.Context(), client.ObjectKeyFromObject(r), r))
	scene, err := observer.Observe(t.Context(), r)
	must(t, err)
	step := *scene.Progress.DeepCopy()
	step.Stage, step.Step = v1alpha1.StageStepping, 1
	reporter := &controllers.Reporter{Client: c, Event: func(*v1alpha1.Rollout, string, string, string) {}}
	_, err = reporter.Report(context.Background(), scene, plan.Plan{Phase: v1alpha1.PhaseProgressing, Progress: &step})
	must(t, err)
	var after v1alpha1.Rollout
	must(t, c.Get(t.Context(), client.ObjectKeyFromObject(r), &after))
	return scene, after.Status
}

func cluster(t *testing.T, objects ...client.Object) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, discoveryv1.AddToScheme, v1alpha1.AddToScheme} {
		must(t, add(scheme))
	}
	for _, kind := range watchedRoutes() {
		scheme.AddKnownTypeWithName(kind, &unstructured.Unstructured{})
		scheme.AddKnownTypeWithName(kind.GroupVersion().WithKind(kind.Kind+"List"), &unstructured.UnstructuredList{})
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithStatusSubresource(&v1alpha1.Rollout{}).Build()
}

func web() client.Object {
	labels := map[string]string{"app": "web"}
	return &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}},
		},
	}
}

func service() client.Object {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}}}
}

// templates of every kind, each with a metric of the kind's name.
func templates() []client.Object {
	spec := func(kind string) v1alpha1.AnalysisTemplateSpec {
		return v1alpha1.AnalysisTemplateSpec{Metrics: []v1alpha1.Metric{{
			Name: kind, SuccessCondition: "result < 1", Prometheus: &v1alpha1.PrometheusQuery{Query: "up"},
		}}}
	}
	return []client.Object{
		&v1alpha1.AnalysisTemplate{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "golden"}, Spec: spec("AnalysisTemplate")},
		&v1alpha1.ClusterAnalysisTemplate{ObjectMeta: metav1.ObjectMeta{Name: "golden"}, Spec: spec("ClusterAnalysisTemplate")},
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
