package apply

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/gitwork"
	"github.com/belay-dev/belay/controllers/measure"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/routers/httproute"
	"github.com/belay-dev/belay/workloads"
)

// stage is a Rollout in flight with everything that effects reach, and a list of what was done to it.
type stage struct {
	*testing.T
	applier *Applier
	scene   *observe.Scene
	done    []string
}

// Do notes what was done.
func (s *stage) Do(format string, args ...any) error {
	s.done = append(s.done, fmt.Sprintf(format, args...))
	return nil
}

// mechanism notes what is asked of a workload.
type mechanism struct{ *stage }

func (m mechanism) Observe(context.Context, client.Reader, workloads.Target) (workloads.State, error) {
	return workloads.State{}, m.Do("observed")
}

func (m mechanism) Govern(_ context.Context, _ client.Client, t workloads.Target, ignored []string) error {
	return m.Do("governed by %q ignoring %v", t.Rollout, ignored)
}

func (m mechanism) Claim(_ context.Context, _ client.Client, _ workloads.Target, version, fence string) error {
	return m.Do("claimed at %s as %s", version, fence)
}

func (m mechanism) Release(_ context.Context, _ client.Client, _ workloads.Target, version, fence string) error {
	return m.Do("released at %s as %s", version, fence)
}

func (m mechanism) Notice(_ context.Context, _ client.Client, _ workloads.Target, sentence string) error {
	return m.Do("noticed %q", sentence)
}

func (m mechanism) Canaries(_ context.Context, _ client.Client, _ workloads.Target, r workloads.Revision, size int32) error {
	return m.Do("%d canaries of %s", size, r.Name)
}

func (m mechanism) Adopt(_ context.Context, _ client.Client, t workloads.Target, r workloads.Revision) error {
	return m.Do("%s adopts %s", t.Name, r.Name)
}

func (m mechanism) CallOff(_ context.Context, _ client.Client, t workloads.Target, r workloads.Revision, fence string) error {
	return m.Do("%s is not to adopt %s, as %s", t.Name, r.Name, fence)
}

func (m mechanism) Return(_ context.Context, _ client.Client, _ workloads.Target, r workloads.Revision) error {
	return m.Do("returned %s, exists: %t", r.Name, r.Exists)
}

func (m mechanism) Resize(_ context.Context, _ client.Client, _ workloads.Target, r workloads.Revision, size int32) error {
	return m.Do("%s to %d", r.Name, size)
}

// staged is a Rollout whose attempt made everything that an attempt makes.
func staged(t *testing.T) *stage {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, discoveryv1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	scheme.AddKnownTypeWithName(httproute.Kind(), &unstructured.Unstructured{})
	r := &v1alpha1.Rollout{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "rollout-uid", Finalizers: []string{"another"}}}
	r.Spec.WorkloadRef = v1alpha1.WorkloadReference{Kind: "Deployment", Name: "web"}
	r.Spec.Git = &checkout
	r.Status.Metrics = []v1alpha1.MetricStatus{{Name: "errors"}}
	ours := *metav1.NewControllerRef(r, v1alpha1.GroupVersion.WithKind("Rollout"))
	named := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "shop", Name: name} }
	service := &corev1.Service{ObjectMeta: named("web"), Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}}}
	old := &corev1.Service{ObjectMeta: named("old-canary")}
	parameters := &corev1.ConfigMap{ObjectMeta: named("belay-old")}
	old.OwnerReferences, parameters.OwnerReferences = []metav1.OwnerReference{ours}, []metav1.OwnerReference{ours}
	s := &stage{T: t}
	note := func(verb string, o client.Object) { _ = s.Do("%s %s %s", verb, kindOf(o), o.GetName()) }
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(r, service, old, parameters, route("a")).WithInterceptorFuncs(interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			note("create", o)
			return c.Create(ctx, o, opts...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			note("patch", o)
			return c.Patch(ctx, o, p, opts...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			note("delete", o)
			return c.Delete(ctx, o, opts...)
		},
	}).Build()
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(r), r); err != nil {
		t.Fatal(err)
	}
	s.scene = &observe.Scene{Rollout: r, Target: workloads.Target{Namespace: "shop", Name: "web", Rollout: "web"}, Mechanism: mechanism{s}, Live: "snapshot"}
	s.scene.Observed = plan.Observed{Namespace: "shop", Name: "web", LiveDigest: "digest", Routes: []routers.State{{Ref: ref("a")}, {Ref: ref("b")}}}
	s.scene.Workload.Revisions = []workloads.Revision{{Name: "web-b", Exists: true}}
	s.scene.Progress = v1alpha1.Progress{
		Attempt: 7, Sequence: 3, CanaryService: "web-canary", Canary: &v1alpha1.RevisionRecord{Revision: "b"},
		Stable: &v1alpha1.RevisionRecord{Image: "shop:v1"}, Ending: &v1alpha1.Ending{Reason: "errors", Step: "1/3"},
	}
	s.scene.Provider, s.scene.Repository = silent{}, platform(func(*v1alpha1.Repository) {})
	s.applier = &Applier{
		Client: c, Routers: map[string]routers.Router{"gateway.networking.k8s.io/HTTPRoute": httproute.HTTPRoute{}}, Cluster: "eu",
		Measure: func(key types.NamespacedName, j measure.Job) {
			_ = s.Do("measure %s: attempt %d, step %d, %s and %s, restored %d", key, j.Attempt, j.Step, j.Vars.Service, j.Vars.Revision, len(j.Restored))
		},
		Git: func(key types.NamespacedName, o gitwork.Order) {
			_ = s.Do("%s %q for %s: record %q, head %q, recorded %q, %s..%s of %s", o.Kind, o.Name, key, o.Record, o.Head, o.Recorded, o.Revert.Stable, o.Revert.Failed, o.Revert.Failure.Stable)
		},
	}
	return s
}

type silent struct{ analysis.Provider }

func kindOf(o client.Object) string {
	if kind := o.GetObjectKind().GroupVersionKind().Kind; kind != "" {
		return kind
	}
	return reflect.TypeOf(o).Elem().Name()
}

var revision = workloads.Revision{Name: "web-b", Hash: "b", Exists: true}

// Every effect does its one thing, and nothing beside it.
func TestEffects(t *testing.T) {
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	pin := routers.Pin{Fence: routers.Fence{Attempt: 7, Sequence: 3}, Key: hashKey, Value: "a"}
	rows := map[string]struct {
		effect plan.Effect
		does   string
	}{
		"AddFinalizer":        {plan.AddFinalizer{}, "patch Rollout web"},
		"RemoveFinalizer":     {plan.RemoveFinalizer{}, "patch Rollout web"},
		"Govern":              {plan.Govern{Ignored: []string{"x"}}, `governed by "web" ignoring [x]`},
		"Ungovern":            {plan.Ungovern{}, `governed by "" ignoring []`},
		"Claim":               {plan.Claim{ResourceVersion: "5"}, "claimed at 5 as 7.3"},
		"Release":             {plan.Release{ResourceVersion: "5"}, "released at 5 as 7.3"},
		"Notice":              {plan.Notice{Sentence: "run this"}, `noticed "run this"`},
		"Canaries":            {plan.Canaries{Revision: revision, Size: 2}, "2 canaries of web-b"},
		"Resize":              {plan.Resize{Revision: revision, Size: 4}, "web-b to 4"},
		"Adopt":               {plan.Adopt{Revision: revision}, "web adopts web-b"},
		"CallOff":             {plan.CallOff{Revision: revision}, "web is not to adopt web-b, as 7.3"},
		"ReturnRevision":      {plan.ReturnRevision{Revision: revision}, "returned web-b, exists: true"},
		"DropRevision":        {plan.DropRevision{Name: "web-b"}, "returned web-b, exists: true"},
		"EnsureAttempt":       {plan.EnsureAttempt{Pin: pin}, "create ConfigMap belay-web"},
		"DeleteAttempt":       {plan.DeleteAttempt{}, ""}, // there is none by its name
		"EnsureCanaryService": {plan.EnsureCanaryService{Name: "web-canary", Service: "web", Revision: "b"}, "create Service web-canary"},
		"DeleteCanaryService": {plan.DeleteCanaryService{Name: "old-canary"}, "delete Service old-canary"},
		"Pin":                 {plan.Pin{Service: "web", Pin: pin}, "patch Service web"},
		"Unpin":               {plan.Unpin{Service: "web"}, "patch Service web"},
		"Split":               {splitting("a", 50), "patch HTTPRoute a"},
		"ClearSplit":          {clearing("a"), "patch HTTPRoute a"},
		"Measure":             {plan.Measure{Attempt: 7, Step: 2, Since: since}, "measure shop/web: attempt 7, step 2, web-canary and b, restored 1"},
		"ReadTip":             {plan.ReadTip{For: "stable/7"}, `Tip "stable/7" for shop/web: record "", head "", recorded "", .. of `},
		"Locate":              {plan.Locate{For: "7", Record: "c1", Head: "c5"}, `Locate "7" for shop/web: record "c1", head "c5", recorded "", .. of `},
		"Revert":              {plan.Revert{For: "7/", Record: v1alpha1.RevertRecord{Stable: "c1", Failed: "c5", Commit: "r1"}}, `Revert "7/" for shop/web: record "", head "", recorded "r1", c1..c5 of v1`},
	}
	source, err := os.ReadFile("../plan/effects.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^func \((\w+)\) effect\(\)`).FindAllStringSubmatch(string(source), -1) {
		row, ok := rows[m[1]]
		if !ok {
			t.Errorf("%s is an effect of plan and has no row here", m[1])
			continue
		}
		t.Run(m[1], func(t *testing.T) {
			s := staged(t)
			if Name(row.effect) != m[1] {
				t.Errorf("its name is %s", Name(row.effect))
			}
			if err := s.applier.Apply(t.Context(), s.scene, []plan.Effect{row.effect}); err != nil {
				t.Fatal(err)
			}
			var want []string
			if row.does != "" {
				want = []string{row.does}
			}
			// An annotation may be taken off in two writes, the fence first.
			if got := slices.Compact(s.done); !slices.Equal(got, want) {
				t.Errorf("done %q, want %q", got, want)
			}
		})
	}
}

// What is not known yet is not asked for.
func TestEffectsThatWait(t *testing.T) {
	s := staged(t)
	s.scene.Provider, s.scene.Repository = nil, nil
	effects := []plan.Effect{plan.Measure{Attempt: 7, Since: time.Unix(1, 0)}, plan.ReadTip{For: "x"}}
	if err := s.applier.Apply(t.Context(), s.scene, effects); err != nil || len(s.done) > 0 {
		t.Errorf("done %q, %v", s.done, err)
	}
	s.scene.Provider = silent{}
	if err := s.applier.Apply(t.Context(), s.scene, []plan.Effect{plan.Measure{Attempt: 7}}); err != nil || len(s.done) > 0 {
		t.Errorf("before its clock began: %q, %v", s.done, err)
	}
}

// A finalizer is put beside others, and only on the Rollout that was observed.
func TestFinalizer(t *testing.T) {
	s := staged(t)
	key := client.ObjectKeyFromObject(s.scene.Rollout)
	if err := s.applier.Apply(t.Context(), s.scene, []plan.Effect{plan.AddFinalizer{}}); err != nil {
		t.Fatal(err)
	}
	r := &v1alpha1.Rollout{}
	if err := s.applier.Client.Get(t.Context(), key, r); err != nil || !slices.Equal(r.Finalizers, []string{"another", v1alpha1.Finalizer}) {
		t.Fatalf("finalizers %v, %v", r.Finalizers, err)
	}
	err := s.applier.Apply(t.Context(), s.scene, []plan.Effect{plan.RemoveFinalizer{}})
	if !apierrors.IsConflict(err) {
		t.Errorf("from an old copy: %v", err)
	}
	s.scene.Rollout = r
	if err := s.applier.Apply(t.Context(), s.scene, []plan.Effect{plan.RemoveFinalizer{}}); err != nil {
		t.Fatal(err)
	}
	if err := s.applier.Client.Get(t.Context(), key, r); err != nil || !slices.Equal(r.Finalizers, []string{"another"}) {
		t.Errorf("finalizers %v, %v", r.Finalizers, err)
	}
}
