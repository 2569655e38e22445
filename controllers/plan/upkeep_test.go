package plan

import (
	"testing"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/workloads"
)

func TestSnapshotLost(t *testing.T) {
	lost := func(o *Observed) { o.Attempt = AttemptState{Lost: true} }
	decide(t, map[string]decision{
		"while stepping": {
			baking(2, time.Minute, lost),
			want{rule: "snapshotLost", reason: "the attempt's parameters (ConfigMap belay-checkout) were deleted or changed", record: "Aborting, outcome Undecided"},
		},
		"before the first step they are made again": {
			pinningState(lost),
			want{rule: "pinning", reason: "the stable revision is pinned before a canary pod exists", effects: []string{"EnsureAttempt", "EnsureCanaryService", "Pin"}},
		},
		"while it is suspended": {
			baking(2, time.Minute, lost, func(o *Observed) { o.Suspend = true }),
			want{rule: "snapshotLost", reason: "the attempt's parameters (ConfigMap belay-checkout) were deleted or changed", record: "Aborting, outcome Undecided"},
		},
		"handing over needs none": {
			handing(v1alpha1.StageUnpinning, lost),
			want{rule: "handOver", reason: "the Services take the canary's pods in", effects: []string{"Unpin"}},
		},
	})
}

func TestStableLost(t *testing.T) {
	dead := func(o *Observed) { o.Workload.Revisions[0].Ready = 0 }
	since := func(d time.Duration) edit {
		return func(o *Observed) { o.Progress.StableLostSince = microPtr(noon.Add(-d)) }
	}
	bakes := "step 2/3 bakes at 50% for 2m0s"
	decide(t, map[string]decision{
		"noted": {baking(2, 0, dead), want{rule: "stableLost", record: "details",
			reason: "no stable pod is ready; the canary takes over when none is back within 1m0s"}},
		"a minute is granted": {baking(2, 0, dead, since(20*time.Second)), want{rule: "stepUnfinished", reason: bakes, effects: []string{"Measure"}, wake: 40 * time.Second}},
		"back in time":        {baking(2, 0, since(20*time.Second)), want{rule: "stableLost", reason: "the stable revision has ready pods again", record: "details"}},
		"the canary takes over": {baking(2, 0, dead, since(time.Minute)), want{rule: "stableLost", record: "details",
			reason: "no stable pod is ready: there is nothing to protect, the canary takes over"}},
		"not without pods of its own": {baking(2, 0, dead, since(time.Minute), canaryPods(2, 0)), want{rule: "canaryLost", reason: "no canary pod is ready: its weight goes to zero", effects: []string{"Split"}}},
		"nor when the canary fails": {
			baking(2, 0, dead, since(time.Minute), says(v1alpha1.VerdictFail)),
			want{rule: "analysisFailed", reason: "error-rate is 0.2 (result < 0.01)", record: "Aborting, outcome Failed"},
		},
		"scaled to zero by intention": {baking(2, 0, dead, func(o *Observed) { o.Workload.Replicas = 0 }), want{rule: "stepUnfinished", reason: bakes, effects: []string{"Measure"}, wake: 2 * time.Minute}},
	})
	if p := Decide(baking(2, 0, dead, since(time.Minute))).Progress; !p.PromoteFull {
		t.Errorf("the canary takes over as %+v", p)
	}
}

func TestUpkeep(t *testing.T) {
	back := "what the attempt stands on is put back"
	appeared := func(foreign int32) edit {
		return func(o *Observed) {
			o.Services = append(o.Services, routers.ServiceState{Name: "late", Foreign: foreign, Ready: map[string]int32{"v1": 4}})
		}
	}
	changed := func(o *Observed) { o.Canary.Current = false }
	decide(t, map[string]decision{
		"a Service came under the pods": {baking(2, 0, appeared(0)), want{rule: "upkeep", reason: back, effects: []string{"Pin"}}},
		"one that others stand behind":  {baking(2, 0, appeared(1)), want{rule: "stepUnfinished", reason: "step 2/3 bakes at 50% for 2m0s", effects: []string{"Measure"}, wake: 2 * time.Minute}},
		"the user's Service changed":    {baking(2, 0, changed), want{rule: "upkeep", reason: back, effects: []string{"EnsureCanaryService"}}},
		"the canary's name was taken":   {baking(2, 0, changed, func(o *Observed) { o.Canary.Foreign = true }), want{rule: "stepUnfinished", reason: "step 2/3 bakes at 50% for 2m0s", effects: []string{"Measure"}, wake: 2 * time.Minute}},
	})
}

// What the states above do not say: a frozen step thaws, a revision that was released is given back, and so on.
func TestCorners(t *testing.T) {
	frozen := func(o *Observed) { o.Progress.FrozenSince = microPtr(noon.Add(-time.Minute)) }
	taken := func(o *Observed) { o.Progress.Canary.TakenOver = true }
	leftover := func(o *Observed) {
		r := set("v2", 2)
		r.Ours = true
		o.Workload.Revisions = append(o.Workload.Revisions, r)
	}
	grown := func(o *Observed) { o.Workload.Replicas = 6 }
	decide(t, map[string]decision{
		"thaws":                             {baking(2, 0, frozen), want{rule: "frozenTooLong", reason: "the attempt may advance again", record: "details"}},
		"canary pods at rest":               {atRest(leftover), want{rule: "resting", reason: "everything is as Git declares it again", effects: []string{"Canaries"}}},
		"scaled up at the hand-over":        {handing(v1alpha1.StageHandingOver, grown), want{rule: "handOver", reason: "the canary is scaled to 6", effects: []string{"Canaries"}}},
		"held, taken over, something newer": {heldState(template("v3"), taken), want{rule: "held", reason: "the ReplicaSet goes back to the workload", effects: []string{"ReturnRevision"}}},
	})
	o := Observed{Workload: workloads.State{Replicas: 1}}
	if _, ok := o.canary(); ok {
		t.Error("a canary is there before an attempt")
	}
	o.Progress.Stage = "Unheard"
	if p := Decide(o); p.Rule != "none" || p.Reason == "" {
		t.Errorf("decided %+v", p)
	}
}
