package samples

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	apijson "k8s.io/apimachinery/pkg/util/json"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/analysis/prometheus"
	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/measure"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/routers/httproute"
	"github.com/belay-dev/belay/workloads"
	"github.com/belay-dev/belay/workloads/deployment"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// named is how a sentence about a Rollout begins: with a field of it, or with the object that it is about.
var named = regexp.MustCompile(`^(spec\.|HTTPRoute |Deployment |Repository )`)

// FuzzRollout takes specs that say anything through the schema, as an API server does, and what it admits through the
// controller: it is observed without an error; every problem names a field or an object; weights lie between 0 and 100 %,
// can be written exactly, end at 100 % and never fall without a word.
func FuzzRollout(f *testing.F) {
	seedRollouts(f)
	rollouts := definitions(f)["Rollout"]
	f.Fuzz(func(t *testing.T, text string) {
		object := map[string]any{}
		asJSON, err := sigsyaml.YAMLToJSON([]byte(text))
		if err != nil || apijson.Unmarshal(asJSON, &object) != nil || object == nil {
			return
		}
		object["apiVersion"], object["kind"] = "belay.dev/v1alpha1", "Rollout"
		object["metadata"] = map[string]any{"name": "web", "namespace": "shop", "uid": "rollout-uid"}
		delete(object, "status")
		if problems := rollouts.check(t, object); len(problems) > 0 {
			for _, problem := range problems {
				if !strings.Contains(problem.Error(), "spec") && !strings.Contains(problem.Error(), "unknown field") {
					t.Errorf("the refusal names no field: %v", problem)
				}
			}
			return
		}
		defaulting.Default(object, rollouts.structural)
		r := &v1alpha1.Rollout{}
		if err := decode(object, r); err != nil {
			t.Fatalf("the schema admits what the controller cannot read: %v\n%s", err, text)
		}
		scene, err := observer(t, r).Observe(t.Context(), r)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		for _, p := range scene.Problems {
			if p.Reason == "" || strings.Contains(p.Message, "\n") || !named.MatchString(p.Message) {
				t.Errorf("%s does not name a field: %q", p.Reason, p.Message)
			}
		}
		climbs(t, scene)
	})
}

func climbs(t *testing.T, scene *observe.Scene) {
	t.Helper()
	steps, last, falls := scene.Config.Ladder, int32(0), false
	for _, step := range steps {
		falls = falls || step.Permille < last
		last = step.Permille
		split := routers.Split{Weight: routers.WeightIn(step.Permille, scene.Config.Scale), Scale: scene.Config.Scale}
		if split.Weight < 0 || split.Weight > split.Scale || split.Permille() != step.Permille {
			t.Errorf("%d of 1000 is written as %d of %d", step.Permille, split.Weight, split.Scale)
		}
		if step.Bake < 0 || step.Timeout < 0 || step.Replicas < 0 || step.Percent < 0 || step.Percent > 100 {
			t.Errorf("a step of %+v", step)
		}
	}
	if len(steps) == 0 || last != 1000 || steps[len(steps)-1].Approve {
		t.Errorf("the ladder ends with %+v", steps)
	}
	for _, p := range scene.Problems {
		falls = falls && p.Reason != "WeightsFall"
	}
	if falls {
		t.Errorf("weights fall, and nobody says so: %+v", steps)
	}
}

// seedRollouts are the samples, and what people write by mistake.
func seedRollouts(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("*rollout.yaml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no samples: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for document := range strings.SplitSeq(string(text), "\n---\n") {
			f.Add(document)
		}
	}
	const head = "spec: {workloadRef: {kind: Deployment, name: web}, services: [{name: web}], routes: [{kind: HTTPRoute, name: web}], strategy: {canary: {steps: "
	for _, steps := range []string{
		"[{weight: 50}, {weight: 10}]}}}", "[{weightPermille: 1}, {approve: {}}, {weight: 100, replicas: 30%}]}}}", "[{weight: 5, replicas: 0}]}}}", "[{weight: 100}, {approve: {onTimeout: Continue}}], settle: 0s}}}",
		"[{weight: 5, weightPermille: 5}]}}}", "[{}]}}}", "[{weight: 101}]}}}", "[{weight: 5, bake: 1d}]}}}", "[{weight: 1e1}]}}, progressDeadline: 25h}",
		"[{weight: 5}]}}, analysis: {startAt: 9, metrics: [{name: a, prometheus: {query: \"sum(\"}, successCondition: result < 1}]}}",
		"[{weight: 5}]}}, analysis: {provider: x, metrics: [{name: a, prometheus: {query: up}, failureCondition: result}]}}",
		"[{weight: 5}]}}, analysis: {templates: [{name: a}], args: [{name: host}], stepDeadline: 0s}}",
		"[{weight: 5}]}}, git: {repository: a, branch: main, path: a/../b}}", "[{weight: 5}]}}, ignoreTemplateChanges: [a, a], suspend: true}",
	} {
		f.Add(head + steps)
	}
}

func decode(object map[string]any, into *v1alpha1.Rollout) error {
	text, err := json.Marshal(object)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// observer sees the Rollout and a sound Deployment, Service and route by the name web.
func observer(t *testing.T, r *v1alpha1.Rollout) *observe.Observer {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, discoveryv1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	scheme.AddKnownTypeWithName(httproute.Kind(), &unstructured.Unstructured{})
	scheme.AddKnownTypeWithName(httproute.Kind().GroupVersion().WithKind("HTTPRouteList"), &unstructured.UnstructuredList{})
	selects := map[string]string{"app": "web"}
	d := &appsv1.Deployment{}
	d.Namespace, d.Name, d.UID, d.Spec.Template.Labels = "shop", "web", "web-uid", selects
	service := &corev1.Service{Spec: corev1.ServiceSpec{Selector: selects}}
	service.Namespace, service.Name = "shop", "web"
	route := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"rules": []any{map[string]any{"backendRefs": []any{map[string]any{"name": "web"}}}}}}}
	route.SetGroupVersionKind(httproute.Kind())
	route.SetNamespace("shop")
	route.SetName("web")
	sources, err := prometheus.NewProviders(prometheus.File{Providers: []prometheus.Config{{Name: "main", Address: "http://prometheus"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sources.Close)
	clock := clocktesting.NewFakePassiveClock(noon)
	var c client.Client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(r.DeepCopy(), d, service, route).Build()
	return &observe.Observer{
		Reader: c, Clock: clock, Providers: sources, Namespace: "belay-system", Guard: &observe.Guard{Client: c, Clock: clock, PolicyAPI: true},
		Workloads: map[string]workloads.Workload{"Deployment": deployment.Deployment{}},
		Routers:   map[string]routers.Router{"gateway.networking.k8s.io/HTTPRoute": httproute.HTTPRoute{}},
		Measured:  func(types.NamespacedName) (measure.State, bool) { return measure.State{}, false },
		Git:       func(types.NamespacedName) plan.Git { return plan.Git{} },
	}
}
