package plan

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/workloads"
)

// noon is when every test begins.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// An edit makes a state a little different.
type edit func(*Observed)

func with(o Observed, edits ...edit) Observed {
	for _, e := range edits {
		e(&o)
	}
	return o
}

// threeSteps is the ladder of most tests: 10 % for a minute, 50 % for two, 100 % for one.
func threeSteps() []Step {
	return []Step{
		{Permille: 100, Bake: time.Minute},
		{Permille: 500, Bake: 2 * time.Minute},
		{Permille: 1000, Bake: time.Minute},
	}
}

func micro(t time.Time) metav1.MicroTime { return metav1.NewMicroTime(t) }

func microPtr(t time.Time) *metav1.MicroTime {
	m := micro(t)
	return &m
}

func set(version string, replicas int32) workloads.Revision {
	return workloads.Revision{
		Name: "checkout-" + version, Hash: version, Image: "shop:" + version, Exists: true, ResourceVersion: "rs-" + version,
		Replicas: replicas, Present: replicas, Ready: replicas, Available: replicas,
	}
}

func routeRef(name string) v1alpha1.RouteReference {
	return v1alpha1.RouteReference{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute", Name: name}
}

// atRest is a Deployment of four pods at v1, guarded and quiet.
func atRest(edits ...edit) Observed {
	v1 := set("v1", 4)
	v1.Owned, v1.Current = true, true
	return with(Observed{
		Now: noon, Namespace: "shop", Name: "checkout", Finalizer: true, Generation: 3,
		LiveDigest: "d1",
		Config: Config{
			Service: "checkout", Ladder: threeSteps(), Settle: 3 * time.Second, Progress: 10 * time.Minute,
			FourMeasurements: 40 * time.Second, StartAt: 1, Gating: true, Measuring: true,
			OnInconclusive: v1alpha1.InconclusivePause, Scale: 100,
		},
		Progress: v1alpha1.Progress{
			Version: v1alpha1.ProgressVersion, Sequence: 40, Attempt: 6, Stage: v1alpha1.StageResting, StageSince: micro(noon.Add(-time.Hour)),
			Stable: &v1alpha1.RevisionRecord{Revision: "v1", ReplicaSet: "checkout-v1", Image: "shop:v1", Source: "c1"},
		},
		WorkloadName: "Deployment checkout",
		Workload: workloads.State{
			Found: true, UID: "uid", ResourceVersion: "d-1", Replicas: 4, Governor: "checkout", Settled: true,
			Revisions: []workloads.Revision{v1}, Candidate: v1,
		},
		Services: []routers.ServiceState{{Name: "checkout", ResourceVersion: "s-1", Ready: map[string]int32{"v1": 4}}},
		Routes:   []routers.State{{Ref: routeRef("shop"), Found: true, ResourceVersion: "r-1", Names: true, Programmed: true}},
		Git:      Git{Configured: true, MaxAge: time.Hour},
		Guarded:  Proof{Known: true, Holds: true},
	}, edits...)
}

// holding is at rest with template v2 held.
func holding(edits ...edit) Observed {
	o := atRest()
	o.Workload.Held, o.Workload.Settled = true, false
	o.Workload.Revisions[0].Current = false
	o.Workload.Candidate = workloads.Revision{Name: "checkout-v2", Hash: "v2", Image: "shop:v2", Current: true}
	return with(o, edits...)
}

// pinningState is attempt 7 with v2 just begun: nothing of it exists.
func pinningState(edits ...edit) Observed {
	o := holding()
	p := &o.Progress
	p.Attempt, p.Sequence, p.Stage, p.StageSince = 7, 41, v1alpha1.StagePinning, micro(noon.Add(-5*time.Second))
	p.StartedAt, p.Replicas, p.WorkloadUID = microPtr(noon.Add(-5*time.Second)), 4, "uid"
	p.SnapshotDigest, p.CanaryService = "d1", "checkout-canary"
	p.Canary = &v1alpha1.RevisionRecord{Revision: "v2", ReplicaSet: "checkout-v2", Image: "shop:v2", Source: "c2"}
	o.Workload.Claim = "7.41"
	return with(o, edits...)
}

// pinnedState has everything in place that must stand before a canary pod exists.
func pinnedState(edits ...edit) Observed {
	o := pinningState()
	pin := o.pin()
	o.Attempt = AttemptState{Found: true, Digest: "d1", Pin: pin.String()}
	o.Services[0].Pin, o.Services[0].Pinned = &pin, true
	o.Canary = routers.CanaryServiceState{Found: true, Revision: "v2", Current: true}
	weight(0)(&o)
	return with(o, edits...)
}

// weight writes a share on the route.
func weight(permille int32) edit {
	return func(o *Observed) {
		s := o.split(v1alpha1.RouteReference{}, "", permille).Split
		o.Routes[0].Intent, o.Routes[0].Divided = &s, true
	}
}

// canaryPods gives the canary pods, of which some are ready.
func canaryPods(wanted, ready int32) edit {
	return func(o *Observed) {
		v2 := set("v2", wanted)
		v2.Ready, v2.Available, v2.Ours, v2.Current = ready, ready, true, true
		o.Workload.Revisions = append(o.Workload.Revisions[:1:1], v2)
		o.Workload.Candidate = v2
		o.Canary.Ready = ready
	}
}

// entered is step n at its very beginning: no pod, no weight.
func entered(n int32, edits ...edit) Observed {
	o := pinnedState()
	p := &o.Progress
	p.Stage, p.StageSince = v1alpha1.StageStepping, micro(noon.Add(-10*time.Minute))
	p.Step, p.StepSince, p.WaitSince = n, microPtr(noon.Add(-time.Second)), microPtr(noon.Add(-time.Second))
	p.WeightPermille = o.Config.Ladder[n-1].Permille
	return with(o, edits...)
}

// baking is step n with its pods ready, its weight programmed and its clock at elapsed. Nothing has been measured.
func baking(n int32, elapsed time.Duration, edits ...edit) Observed {
	o := entered(n)
	canaryPods(o.size(), o.size())(&o)
	weight(o.Progress.WeightPermille)(&o)
	o.Progress.WaitSince = nil
	o.Progress.ProgrammedSince = microPtr(noon.Add(-elapsed - o.Config.Settle))
	o.Progress.StepSince = microPtr(noon.Add(-elapsed - o.Config.Settle - 5*time.Second))
	return with(o, edits...)
}

// says is the verdict of the one metric at the current step.
func says(v v1alpha1.Verdict) edit {
	return func(o *Observed) {
		o.Metrics = []v1alpha1.MetricStatus{{
			Name: "error-rate", Verdict: v, Value: "0.2", Limit: "result < 0.01", Step: o.Progress.Step,
		}}
	}
}

// passed is step n done: baked and every metric passes.
func passed(n int32, edits ...edit) Observed {
	o := baking(n, threeSteps()[n-1].Bake)
	says(v1alpha1.VerdictPass)(&o)
	return with(o, edits...)
}

// handing is a later stage of a good attempt: everything as it stands when the stage was just entered.
func handing(stage v1alpha1.Stage, edits ...edit) Observed {
	o := passed(3)
	o.Progress.Stage, o.Progress.StageSince = stage, micro(noon.Add(-time.Second))
	if stage == v1alpha1.StageUnpinning {
		return with(o, edits...)
	}
	o.Services[0].Pin, o.Services[0].Pinned = nil, false
	o.Services[0].Ready["v2"] = 4
	if stage == v1alpha1.StageHandingOver {
		return with(o, edits...)
	}
	adopted()(&o)
	o.Workload.Held, o.Workload.Settled = false, true
	o.Workload.Revisions[0] = set("v1", 0)
	o.Workload.Revisions[0].Owned = true
	delete(o.Services[0].Ready, "v1")
	o.Progress.Stable = &v1alpha1.RevisionRecord{Revision: "v2", ReplicaSet: "checkout-v2", Image: "shop:v2", Source: "c2"}
	return with(o, edits...)
}

// adopted: the canary's ReplicaSet is the workload's.
func adopted() edit {
	return func(o *Observed) {
		v2 := &o.Workload.Revisions[1]
		v2.Owned, v2.Ours = true, false
		o.Workload.Candidate = *v2
	}
}

// calledOffState is a hand-over that was decided not to happen after pods were lost; nothing was done about it yet.
func calledOffState(edits ...edit) Observed {
	o := handing(v1alpha1.StageHandingOver)
	o.Progress.CalledOff = &v1alpha1.Ending{
		Outcome: v1alpha1.OutcomeFailed, Reason: "3 of 4 canary pods are ready after 10m0s", At: micro(noon.Add(-time.Second)),
		Step: "3/3 (100%)", Evidence: []string{"container app of image shop:v2: CrashLoopBackOff"}, Cost: "2 of 900",
	}
	return with(o, edits...)
}

// offAs is the fence on the canary's ReplicaSet.
func offAs(fence string) edit { return func(o *Observed) { o.Workload.Revisions[1].CalledOff = fence } }

// endingAt is attempt 7 after it was decided that it ends.
func endingAt(stage v1alpha1.Stage, outcome v1alpha1.Outcome, edits ...edit) Observed {
	o := baking(2, time.Minute)
	p := &o.Progress
	p.Stage, p.StageSince = stage, micro(noon.Add(-time.Second))
	p.Ending = &v1alpha1.Ending{Outcome: outcome, Reason: "error-rate is 0.2 (result < 0.01)", At: micro(noon.Add(-2 * time.Second)), Step: "2/3 (50%)"}
	if stage == v1alpha1.StageAborting {
		return with(o, edits...)
	}
	cleared(&o)
	p.ClearedAt, p.WeightPermille = microPtr(noon.Add(-time.Second)), 0
	p.Revert = &v1alpha1.RevertRecord{State: v1alpha1.RevertSkipped, Reason: "NoGit"}
	if stage == v1alpha1.StageDraining {
		return with(o, edits...)
	}
	p.ClearedAt = microPtr(noon.Add(-35 * time.Second))
	if stage == v1alpha1.StageRetiring {
		return with(o, edits...)
	}
	canaryPods(0, 0)(&o)
	o.Services[0].Pin, o.Services[0].Pinned = nil, false
	o.Attempt = AttemptState{}
	o.Workload.Notice = o.notice()
	return with(o, edits...)
}

// heldState is after a failed attempt, with the sentence on the workload and nothing left to do.
func heldState(edits ...edit) Observed {
	return endingAt(v1alpha1.StageHeld, v1alpha1.OutcomeFailed, edits...)
}

// cleared takes the split off.
func cleared(o *Observed) { o.Routes[0].Intent, o.Routes[0].Divided = nil, false }

// wanting has a revert that goes on, with its bounds known.
func wanting(r v1alpha1.RevertRecord) edit {
	return func(o *Observed) {
		if r.State == "" {
			r.State = v1alpha1.RevertWanted
		}
		o.Progress.Revert = &r
	}
}

// template says which template the workload carries now: v1, v2 or another.
func template(version string) edit {
	return func(o *Observed) {
		o.Workload.Candidate = workloads.Revision{Name: "checkout-" + version, Hash: version, Image: "shop:" + version, Current: true}
		for i := range o.Workload.Revisions {
			r := &o.Workload.Revisions[i]
			if r.Current = r.Hash == version; r.Current {
				o.Workload.Candidate = *r
			}
		}
	}
}

func asks(verb, revision string) edit {
	return func(o *Observed) {
		o.Request = &Request{Verb: verb, Revision: revision, Token: "t-" + verb, User: "jo"}
	}
}

func problem(reason string) edit {
	return func(o *Observed) {
		o.Problems = append(o.Problems, Problem{reason, "spec.services[0].name is wrong: correct it"})
	}
}

// names lists effects by kind.
func names(effects []Effect) []string {
	var out []string
	for _, e := range effects {
		out = append(out, fmt.Sprintf("%T", e)[len("plan."):])
	}
	return out
}
