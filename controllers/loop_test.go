package controllers

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/apply"
	"github.com/belay-dev/belay/controllers/gitwork"
	"github.com/belay-dev/belay/controllers/measure"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/routers/httproute"
	"github.com/belay-dev/belay/workloads"
	"github.com/belay-dev/belay/workloads/deployment"
)

var webKey = types.NamespacedName{Namespace: "shop", Name: "web"}

// bench is a reconciler on an API server in memory that lists every write and may refuse them.
type bench struct {
	*testing.T
	client  client.Client
	loop    *Reconciler
	writes  []string
	refuse  func(write string) error
	events  []string
	stopped int
}

type noSources struct{}

func (noSources) Get(string, string) (analysis.Provider, error)  { return nil, nil }
func (noSources) Reader(string, string) (analysis.Reader, error) { return nil, nil }

func newBench(t *testing.T, objects ...client.Object) *bench {
	t.Helper()
	b := &bench{T: t, refuse: func(string) error { return nil }}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, discoveryv1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	scheme.AddKnownTypeWithName(httproute.Kind(), &unstructured.Unstructured{})
	scheme.AddKnownTypeWithName(httproute.Kind().GroupVersion().WithKind("HTTPRouteList"), &unstructured.UnstructuredList{})
	b.client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithStatusSubresource(&v1alpha1.Rollout{}).WithInterceptorFuncs(interceptor.Funcs{
		Create: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			return b.write("create "+o.GetName(), func() error { return w.Create(ctx, o, opts...) })
		},
		Update: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			return b.write("update "+o.GetName(), func() error { return w.Update(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, w client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			applied := client.PatchOptions{}
			if applied.ApplyOptions(opts); len(applied.DryRun) > 0 {
				return w.Patch(ctx, o, p, opts...)
			}
			return b.write("patch "+o.GetName(), func() error { return w.Patch(ctx, o, p, opts...) })
		},
		Delete: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			return b.write("delete "+o.GetName(), func() error { return w.Delete(ctx, o, opts...) })
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, o client.Object, opts ...client.SubResourceUpdateOption) error {
			return b.write(sub+" "+o.GetName(), func() error { return c.SubResource(sub).Update(ctx, o, opts...) })
		},
	}).Build()
	clock := clocktesting.NewFakePassiveClock(begins)
	observer := &observe.Observer{
		Reader: b.client, Clock: clock,
		Workloads: map[string]workloads.Workload{"Deployment": deployment.Deployment{}},
		Routers:   map[string]routers.Router{"gateway.networking.k8s.io/HTTPRoute": httproute.HTTPRoute{}},
		Providers: noSources{},
		Measured:  func(types.NamespacedName) (measure.State, bool) { return measure.State{}, false },
		Git:       func(types.NamespacedName) plan.Git { return plan.Git{} },
		Guard:     &observe.Guard{Client: b.client, Clock: clock, PolicyAPI: true},
	}
	b.loop = &Reconciler{
		Client: b.client, Live: b.client, Observer: observer,
		Applier: &apply.Applier{
			Client: b.client, Routers: observer.Routers,
			Measure: func(types.NamespacedName, measure.Job) {}, Git: func(types.NamespacedName, gitwork.Order) {},
		},
		Reporter:      &Reporter{Client: b.client, Event: func(_ *v1alpha1.Rollout, kind, reason, _ string) { b.events = append(b.events, kind+" "+reason) }},
		Metrics:       NewMetrics(prometheus.NewRegistry(), clock),
		StopMeasuring: func(types.NamespacedName) { b.stopped++ },
		KeepGit:       func(types.NamespacedName, ...gitwork.Kind) {},
		ForgetGit:     func(types.NamespacedName) {},
	}
	return b
}

func (b *bench) write(what string, do func() error) error {
	b.writes = append(b.writes, what)
	if err := b.refuse(what); err != nil {
		return err
	}
	return do()
}

// round reconciles once and gives the writes that it made.
func (b *bench) round() (ctrl.Result, []string, error) {
	b.Helper()
	b.writes, b.events = nil, nil
	result, err := b.loop.Reconcile(b.Context(), ctrl.Request{NamespacedName: webKey})
	return result, b.writes, err
}

func (b *bench) stored() *v1alpha1.Rollout {
	b.Helper()
	r := &v1alpha1.Rollout{}
	if err := b.client.Get(b.Context(), webKey, r); err != nil {
		b.Fatal(err)
	}
	return r
}

// shop is a Deployment that runs, its Service and route, and a Rollout that is new.
func shop() []client.Object {
	labels := map[string]string{"app": "web"}
	pod := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "web:v1"}}},
	}
	one, yes := int32(1), true
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "web-uid"},
		Spec:       appsv1.DeploymentSpec{Replicas: &one, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: pod},
		Status:     appsv1.DeploymentStatus{Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1},
	}
	of := pod.DeepCopy()
	of.Labels["pod-template-hash"] = "7d4f"
	set := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "web-7d4f", Labels: of.Labels,
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: "web", UID: "web-uid", Controller: &yes}},
		},
		Spec:   appsv1.ReplicaSetSpec{Replicas: &one, Template: *of, Selector: &metav1.LabelSelector{MatchLabels: of.Labels}},
		Status: appsv1.ReplicaSetStatus{Replicas: 1, ReadyReplicas: 1, AvailableReplicas: 1},
	}
	route := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"rules": []any{map[string]any{"backendRefs": []any{map[string]any{"name": "web"}}}},
	}}}
	route.SetGroupVersionKind(httproute.Kind())
	route.SetNamespace("shop")
	route.SetName("web")
	weight := int32(50)
	r := &v1alpha1.Rollout{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "rollout-uid"},
		Spec: v1alpha1.RolloutSpec{
			WorkloadRef: v1alpha1.WorkloadReference{Kind: "Deployment", Name: "web"},
			Services:    []v1alpha1.ServiceReference{{Name: "web"}},
			Routes:      []v1alpha1.RouteReference{{Group: httproute.Group, Kind: "HTTPRoute", Name: "web"}},
			Strategy:    v1alpha1.Strategy{Canary: &v1alpha1.Canary{Steps: []v1alpha1.Step{{Weight: &weight}}}},
		},
	}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Spec: corev1.ServiceSpec{Selector: labels}}
	return []client.Object{d, set, route, service, r}
}

// governed brings a shop to where the next round records that it is stable.
func governed(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, shop()...)
	for range 2 { // finalizer, label
		if _, _, err := b.round(); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// A round records or acts, never both; where it acts, what it remembers does not change.
func TestRecordOrAct(t *testing.T) {
	b := newBench(t, shop()...)
	for i, want := range []struct {
		writes   string
		sequence int64
		event    string
	}{
		{"patch web", 0, ""}, // the finalizer; it changes the Rollout, whose status waits for the next round
		{"patch web, status web", 0, ""},
		{"status web", 1, "Normal Resting"},
	} {
		result, writes, err := b.round()
		if err != nil {
			t.Fatal(err)
		}
		var sequence int64
		if p := b.stored().Status.Progress; p != nil {
			sequence = p.Sequence
		}
		if got := strings.Join(writes, ", "); got != want.writes || sequence != want.sequence {
			t.Errorf("round %d wrote %q and remembers %d; want %q and %d", i+1, got, sequence, want.writes, want.sequence)
		}
		if want.event != "" && !slices.Contains(b.events, want.event) {
			t.Errorf("round %d told %v", i+1, b.events)
		}
		if result.RequeueAfter <= 0 || result.RequeueAfter > lookAgain {
			t.Errorf("round %d looks again after %s", i+1, result.RequeueAfter)
		}
	}
	if b.stopped == 0 {
		t.Error("nothing is measured at rest, and nothing ended it")
	}
}

func TestRecordThatConflicts(t *testing.T) {
	b := governed(t)
	b.refuse = func(string) error {
		return apierrors.NewConflict(schema.GroupResource{Resource: "rollouts"}, "web", errors.New("it changed"))
	}
	result, writes, err := b.round()
	if err != nil || result.RequeueAfter <= 0 || result.RequeueAfter > 100*time.Millisecond || len(writes) != 1 {
		t.Errorf("wrote %v, looks again after %s, error %v", writes, result.RequeueAfter, err)
	}
	if len(b.events) > 0 {
		t.Errorf("told %v of what was not written", b.events)
	}
	b.refuse = func(string) error { return nil }
	if _, writes, _ = b.round(); len(writes) != 1 || b.stored().Status.Progress == nil {
		t.Errorf("the next round wrote %v", writes)
	}
}

func TestRecordThatFails(t *testing.T) {
	b := governed(t)
	away := errors.New("the server is away")
	b.refuse = func(string) error { return away }
	if _, _, err := b.round(); !errors.Is(err, away) {
		t.Errorf("error %v", err)
	}
	if len(b.events) > 0 {
		t.Errorf("told %v of what was not written", b.events)
	}
}

func TestEffectThatIsForbidden(t *testing.T) {
	b := newBench(t, shop()...)
	b.refuse = func(write string) error {
		if write == "patch web" {
			return apierrors.NewForbidden(schema.GroupResource{Resource: "rollouts"}, "web", errors.New("another policy says no"))
		}
		return nil
	}
	if _, _, err := b.round(); !apierrors.IsForbidden(err) {
		t.Errorf("error %v", err)
	}
	st := b.stored().Status
	i := slices.IndexFunc(st.Conditions, func(c metav1.Condition) bool { return c.Type == v1alpha1.ConditionStalled })
	if i < 0 || st.Conditions[i].Status != metav1.ConditionTrue || st.Conditions[i].Reason != "Forbidden" || !strings.Contains(st.Conditions[i].Message, "another policy says no") {
		t.Errorf("conditions %+v", st.Conditions)
	}
	if st.Progress != nil {
		t.Errorf("remembers %+v", st.Progress)
	}
}

// No decision is made on a cache that does not show our own last record.
func TestCacheThatLags(t *testing.T) {
	b := governed(t)
	b.loop.written.remember(b.stored(), 9)
	result, writes, err := b.round()
	if err != nil || len(writes) > 0 || result.RequeueAfter != lookAgain {
		t.Errorf("wrote %v, looks again after %s, error %v", writes, result.RequeueAfter, err)
	}
}

func TestRolloutThatIsGone(t *testing.T) {
	b := newBench(t)
	forgotten := 0
	b.loop.ForgetGit = func(types.NamespacedName) { forgotten++ }
	if result, writes, err := b.round(); err != nil || len(writes) > 0 || result.RequeueAfter != 0 {
		t.Errorf("wrote %v, looks again after %s, error %v", writes, result.RequeueAfter, err)
	}
	if forgotten != 1 || b.stopped != 1 {
		t.Errorf("forgot Git %d times, stopped measuring %d times", forgotten, b.stopped)
	}
}

func TestSourceThatCannotBeRead(t *testing.T) {
	b := governed(t)
	b.loop.Observer.Workloads = map[string]workloads.Workload{"Deployment": unreadable{}}
	if _, writes, err := b.round(); err == nil || len(writes) > 0 {
		t.Errorf("wrote %v, error %v", writes, err)
	}
}

type unreadable struct{ workloads.Workload }

func (unreadable) Observe(context.Context, client.Reader, workloads.Target) (workloads.State, error) {
	return workloads.State{}, errors.New("the cache is away")
}

// A plan that breaks a law is not carried out, unless it only aborts.
func TestViolation(t *testing.T) {
	split := func(weight int32) plan.Effect {
		return plan.Split{Split: routers.Split{Weight: weight, Scale: 100}}
	}
	over := plan.Plan{Rule: "trafficPending", Effects: []plan.Effect{split(50)}}
	late := func(effects ...plan.Effect) plan.Plan {
		return plan.Plan{Rule: "aborted", Effects: effects, Wake: begins} // its wake is not in the future
	}
	tests := map[string]struct {
		plan   plan.Plan
		ending bool
		held   bool // something is reported
		done   bool // and still carried out
	}{
		"lawful":                    {plan.Plan{Effects: []plan.Effect{split(10)}}, false, false, true},
		"too much weight":           {over, false, true, false},
		"a weight after the end":    {over, true, true, false},
		"an abort that is not neat": {late(plan.ClearSplit{}), true, true, true},
		"a zero that is not neat":   {late(split(0)), true, true, true},
		"adoption after the end":    {late(plan.Adopt{}), true, true, false},
		"release after the end":     {late(plan.Release{}), true, true, false},
		"not neat, and no abort":    {late(plan.Pin{}), false, true, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			s := shifting()
			if tc.ending {
				s.Progress.Ending = &v1alpha1.Ending{}
			}
			p := tc.plan
			if held := b.loop.check(s, &p); held != tc.held {
				t.Errorf("held: %t", held)
			}
			if done := len(p.Effects) > 0; done != tc.done {
				t.Errorf("carried out: %t", done)
			}
			if !tc.done && (p.Stalled == nil || p.Stalled.Reason != "InvariantViolated" || p.Phase != v1alpha1.PhaseDegraded || p.Progress != nil) {
				t.Errorf("is %+v", p)
			}
		})
	}
}
