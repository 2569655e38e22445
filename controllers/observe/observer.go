package observe

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/measure"
	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/routers/attempt"
	"github.com/belay-dev/belay/routers/service"
	"github.com/belay-dev/belay/workloads"
)

// hashKey is the label that tells the pods of a Deployment's revisions apart.
const hashKey = "pod-template-hash"

// Observer reads. Its maps are the only lists of kinds and providers; they are filled by cmd/belay.
type Observer struct {
	Reader client.Reader
	Clock  clock.PassiveClock
	// Workloads by kind, Routers by group/kind.
	Workloads map[string]workloads.Workload
	Routers   map[string]routers.Router
	// Providers of metrics.
	Providers Providers
	// Measured is what the runner knows.
	Measured func(types.NamespacedName) (measure.State, bool)
	// Git is what the desk knows.
	Git func(types.NamespacedName) plan.Git
	// Guard proves that a new template would be held.
	Guard *Guard
	// Namespace of the controller, where Repositories live.
	Namespace string

	compiled  compiled
	snapshots snapshots
	ready     firstReady
}

// Forget drops what is kept of a Rollout that is gone.
func (o *Observer) Forget(key types.NamespacedName) {
	o.compiled.forget(key)
	o.snapshots.forget(key)
	o.ready.forget(key)
}

// Providers gives the metrics source of a name to a namespace.
type Providers interface {
	Get(name, namespace string) (analysis.Provider, error)
	Reader(name, namespace string) (analysis.Reader, error)
}

// Scene is an observation, with what effects need beside the facts that decisions are made of.
type Scene struct {
	plan.Observed
	Rollout *v1alpha1.Rollout
	// Effective is the Rollout as the attempt runs on it.
	Effective Snapshot
	// Live is the snapshot that an attempt started now would take.
	Live string
	// Plans of the metrics, and their provider.
	Plans    []analysis.Plan
	Provider analysis.Provider
	// Reader of raw samples, from the same source.
	Reader analysis.Reader
	// Measurement of the current step.
	Measurement measure.State
	// Workload, Target and Routers that effects go to.
	Mechanism workloads.Workload
	Target    workloads.Target
	// attemptLabels are the labels of the stable pods as the attempt recorded them.
	attemptLabels map[string]string
	// ProveAgain is when to look again because Guarded could not be proved; zero: it need not be.
	ProveAgain time.Time
	// Repository as the platform team declared it; nil: none.
	Repository *v1alpha1.Repository
}

// Observe reads everything about one Rollout.
func (o *Observer) Observe(ctx context.Context, r *v1alpha1.Rollout) (*Scene, error) {
	s := &Scene{Rollout: r}
	s.Observed = plan.Observed{
		Now: o.Clock.Now(), Namespace: r.Namespace, Name: r.Name, Generation: r.Generation,
		Deleting: !r.DeletionTimestamp.IsZero(), Finalizer: controllerutil.ContainsFinalizer(r, v1alpha1.Finalizer),
		Suspend: r.Spec.Suspend, Ignored: r.Spec.IgnoreTemplateChanges,
		Request:      request(r),
		WorkloadName: fmt.Sprintf("%s %s", r.Spec.WorkloadRef.Kind, r.Spec.WorkloadRef.Name),
	}
	if r.Status.Progress != nil {
		s.Progress = *r.Status.Progress.DeepCopy()
	}
	for _, read := range []func(context.Context, *Scene) error{
		o.workload, o.snapshot, o.traffic, o.pods, o.metrics, o.repository, o.conflicts, o.guard,
	} {
		if err := read(ctx, s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Scene) problem(reason, format string, args ...any) {
	s.Problems = append(s.Problems, plan.Problem{Reason: reason, Message: fmt.Sprintf(format, args...)})
}

func (o *Observer) workload(ctx context.Context, s *Scene) error {
	ref := s.Rollout.Spec.WorkloadRef
	s.Target = workloads.Target{Namespace: s.Namespace, Name: ref.Name, Rollout: s.Name, RolloutUID: string(s.Rollout.UID)}
	kind, known := o.Workloads[ref.Kind]
	if !known || (ref.APIVersion != "apps/v1" && ref.APIVersion != "") {
		s.problem("UnknownWorkloadKind", "spec.workloadRef %s %s is not supported: known is apps/v1 %s", ref.APIVersion, ref.Kind, knownKinds(o.Workloads))
		return nil
	}
	s.Mechanism = kind
	var err error
	if s.Workload, err = kind.Observe(ctx, o.Reader, s.Target); err != nil {
		return err
	}
	s.Workload.Bypassed = untold(s.Rollout.Status.History, s.Workload.Bypassed)
	switch {
	case !s.Workload.Found:
		s.problem("WorkloadMissing", "spec.workloadRef: %s %s does not exist in namespace %s: create it, or correct the name", ref.Kind, ref.Name, s.Namespace)
	case s.Workload.Recreate:
		s.problem("StrategyRecreate", "%s has strategy type Recreate, which says that two versions must not run at once, and a canary is a second version: set spec.strategy.type to RollingUpdate", s.WorkloadName)
	}
	return nil
}

// untold is the reason of a bypass, unless it stands in the history as the last one. A reason lets one change through and
// then stays on the workload, where the next change that is not held finds it.
func untold(history []v1alpha1.AttemptRecord, reason string) string {
	last := slices.IndexFunc(history, func(a v1alpha1.AttemptRecord) bool { return a.Outcome == v1alpha1.OutcomeBypassed })
	if last >= 0 && strings.HasSuffix(history[last].Reason, ": "+reason) {
		return ""
	}
	return reason
}

// snapshot reads the live spec with its templates, and in flight what the attempt started with.
func (o *Observer) snapshot(ctx context.Context, s *Scene) error {
	live := Snapshot{Spec: *s.Rollout.Spec.DeepCopy()}
	if err := o.templates(ctx, s, &live); err != nil {
		return err
	}
	var err error
	key := client.ObjectKeyFromObject(s.Rollout)
	if s.Live, s.LiveDigest, err = o.snapshots.encode(key, live); err != nil {
		return err
	}
	s.spec(live)
	s.Effective = live
	stored, err := attempt.Observe(ctx, o.Reader, s.Namespace, s.Name, s.Rollout.UID)
	if err != nil {
		return err
	}
	s.attemptLabels = stored.PodLabels
	s.Attempt = plan.AttemptState{Found: stored.Found, Digest: stored.Digest, Pin: stored.Pin.String()}
	started, intact := o.snapshots.decode(key, stored.Snapshot, s.Progress.SnapshotDigest)
	switch {
	case intact && s.running():
		s.Effective = started
		s.Effective.Spec.Git = live.Spec.Git // applies at once
	case !intact && stored.Digest == s.Progress.SnapshotDigest:
		s.Attempt.Digest = "" // it says what it is not
	}
	s.Attempt.Lost = !intact && s.depends()
	digest := s.LiveDigest
	if intact && s.running() {
		digest = s.Progress.SnapshotDigest
	}
	o.compile(s, digest)
	s.rampProblem()
	s.Config = configure(s.Effective, s.Plans, s.Progress.Ramp)
	if s.Attempt.Lost {
		s.Config.Service = strings.TrimSuffix(s.Progress.CanaryService, "-canary") // what the attempt splits, whatever is edited
	}
	return nil
}

// running says that an attempt's snapshot counts.
func (s *Scene) running() bool {
	switch s.Progress.Stage {
	case "", v1alpha1.StageAdopting, v1alpha1.StageResting, v1alpha1.StageHeld:
		return false
	}
	return true
}

// depends says that the attempt goes by its snapshot: it is there from the end of Pinning until Retiring takes it away.
func (s *Scene) depends() bool {
	switch s.Progress.Stage {
	case v1alpha1.StagePinning, v1alpha1.StageRetiring:
		return false
	}
	return s.running()
}

func (o *Observer) traffic(ctx context.Context, s *Scene) error {
	var err error
	labels := s.Workload.PodLabels
	if len(labels) == 0 {
		labels = s.attemptLabels // the workload is gone; its Services may still be pinned
	}
	if len(labels) > 0 {
		if s.Services, err = service.Observe(ctx, o.Reader, s.Namespace, labels, hashKey, hashes(s.Workload)...); err != nil {
			return err
		}
	}
	name := s.Progress.CanaryService
	if name == "" {
		name = s.Config.Service + "-canary"
	}
	if s.Canary, err = service.ObserveCanary(ctx, o.Reader, s.Namespace, s.Config.Service, name, hashKey, s.Rollout.UID); err != nil {
		return err
	}
	naming, err := o.naming(ctx, s, name)
	if err != nil {
		return err
	}
	s.Canary.Named = len(naming) > 0
	refs := s.Effective.Spec.Routes
	if s.Attempt.Lost {
		refs = both(refs, naming) // which routes the attempt splits can only be seen on the routes
	}
	if err := o.routes(ctx, s, refs, name); err != nil {
		return err
	}
	return o.trafficProblems(ctx, s, name)
}

func (o *Observer) routes(ctx context.Context, s *Scene, refs []v1alpha1.RouteReference, canary string) error {
	for _, ref := range refs {
		router, known := o.Routers[ref.Group+"/"+ref.Kind]
		if !known {
			s.problem("UnknownRouteKind", "spec.routes: %s %s is not supported: known is %s", ref.Group, ref.Kind, knownKinds(o.Routers))
			continue
		}
		state, err := router.Observe(ctx, o.Reader, s.Namespace, ref, s.Config.Service, canary)
		if err != nil {
			return err
		}
		s.Routes = append(s.Routes, state)
	}
	return nil
}

// naming lists the routes that send requests to the canary's Service. At rest there is none, and nothing is looked for.
func (o *Observer) naming(ctx context.Context, s *Scene, canary string) ([]v1alpha1.RouteReference, error) {
	if !s.Canary.Found && !s.Attempt.Lost {
		return nil, nil
	}
	var out []v1alpha1.RouteReference
	for _, kind := range slices.Sorted(maps.Keys(o.Routers)) {
		refs, err := o.Routers[kind].Naming(ctx, o.Reader, s.Namespace, canary)
		if err != nil {
			return nil, err
		}
		out = append(out, refs...)
	}
	return out, nil
}

// both is the union of two lists of routes.
func both(a, b []v1alpha1.RouteReference) []v1alpha1.RouteReference {
	out := slices.Clone(a)
	for _, ref := range b {
		same := func(other v1alpha1.RouteReference) bool {
			return other.Group == ref.Group && other.Kind == ref.Kind && other.Name == ref.Name
		}
		if !slices.ContainsFunc(a, same) {
			out = append(out, ref)
		}
	}
	return out
}

// metrics reads what was measured at the step that runs. While the next one gets its pods, comparisons of the one before go
// on, and what they have found against the canary counts.
func (o *Observer) metrics(_ context.Context, s *Scene) error {
	if a := s.Effective.Spec.Analysis; a != nil && len(s.Effective.Metrics) > 0 {
		provider, err := o.Providers.Get(a.Provider, s.Namespace)
		if err != nil {
			s.problem("UnknownProvider", "spec.analysis.provider: %s", oneLine(err))
		}
		s.Provider = provider
		if s.Reader, err = o.Providers.Reader(a.Provider, s.Namespace); err != nil && provider != nil {
			s.problem("UnknownProvider", "spec.analysis.provider: %s", oneLine(err))
		}
	}
	state, ok := o.Measured(client.ObjectKeyFromObject(s.Rollout))
	switch {
	case ok && state.Attempt == s.Progress.Attempt && state.Step == s.Progress.Step:
		s.Measurement = state
		s.Metrics = state.Metrics
	case ok && state.Attempt == s.Progress.Attempt:
		s.Metrics = slices.DeleteFunc(state.Metrics, func(m v1alpha1.MetricStatus) bool { return m.Comparison == nil || m.Verdict != v1alpha1.VerdictFail })
	case handsOver(s.Progress.Stage):
		s.Metrics = slices.Clone(s.Rollout.Status.Metrics) // nothing is measured any more: the last words, for the history
	}
	return nil
}

// handsOver says that the attempt was judged and cannot be taken back.
func handsOver(stage v1alpha1.Stage) bool {
	return stage == v1alpha1.StageHandingOver || stage == v1alpha1.StageCompleting || stage == v1alpha1.StageClearing
}

func (o *Observer) guard(ctx context.Context, s *Scene) error {
	s.Guarded, s.ProveAgain = o.Guard.Prove(ctx, s)
	if s.Guarded.Known && !s.Guarded.Holds && s.Guarded.Why != "" && !o.Guard.PolicyAPI {
		s.problem("PolicyAPIMissing", "%s", s.Guarded.Why)
	}
	return nil
}

// hashes of the workload's revisions.
func hashes(w workloads.State) []string {
	var out []string
	for _, r := range w.Revisions {
		out = append(out, r.Hash)
	}
	return out
}

func knownKinds[T any](m map[string]T) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// MaxAge of a failure that is still reverted.
func (s *Scene) MaxAge() time.Duration {
	if g := s.Rollout.Spec.Git; g != nil {
		return durationOr(g.MaxAge, defaultMaxAge)
	}
	return 0
}
