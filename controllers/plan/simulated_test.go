package plan

import (
	"testing"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
)

// What the simulation found, each as one decision. The seeds are in controllers/sim.
func TestFoundBySimulation(t *testing.T) {
	fresh := func(o *Observed) { o.Progress = v1alpha1.Progress{} }
	noReplicaSet := func(o *Observed) {
		o.Workload.Revisions = o.Workload.Revisions[:1]
		o.CanaryPods = 2
	}
	decide(t, map[string]decision{
		// Without a stage the record was refused by the API server, again and again.
		"a request before anything was recorded": {atRest(fresh, asks("retry", "-")), want{
			rule: "requested", reason: "a request is refused: no failed revision is held", record: "Adopting, request t-retry answered"}},
		// Unpinned at once, the Services sent requests to pods that were still ending.
		"the canary's ReplicaSet deleted while its pods run": {endingAt(v1alpha1.StageRetiring, v1alpha1.OutcomeFailed, noReplicaSet), want{
			rule: "aborted", reason: "waits until the canary's pods have ended, whose ReplicaSet checkout-v2 was deleted", wake: 5 * time.Second}},
		// The word of a Rollout that was deleted in flight stayed on a Deployment that runs.
		"a notice of an earlier Rollout": {atRest(fresh, func(o *Observed) { o.Workload.Notice = "held" }), want{
			rule: "adopting", reason: "Deployment checkout is not held any more, and nothing says so", effects: []string{"Notice"}}},
		// A leader of before released the hold of an attempt that it did not know of.
		"a hold that nobody claimed": {pinnedState(func(o *Observed) { o.Workload.Claim = "0.0" }), want{
			rule: "pinning", reason: "the stable revision is pinned before a canary pod exists", effects: []string{"Claim"}}},
		"a hold that an older attempt claimed": {pinnedState(func(o *Observed) { o.Workload.Claim = "6.99" }), want{
			rule: "pinning", reason: "the stable revision is pinned before a canary pod exists", effects: []string{"Claim"}}},
		// It took the pins and splits of a newer attempt for leftovers.
		"a pin of another Rollout": {atRest(func(o *Observed) { pinnedBy(o, 9, 3) }), want{
			rule: "resting", reason: "intents of another Rollout are there; attempts are counted on from theirs", record: "details"}},
		"a pin of an attempt before": {atRest(func(o *Observed) { pinnedBy(o, o.Progress.Attempt, 1) }), want{
			rule: "resting", reason: "everything is as Git declares it again", effects: []string{"Unpin"}}},
		// Somebody restarted the workload while a bad template was held, and then the bad template was taken out.
		"a restart that came while another template was held": {holding(func(o *Observed) { o.Workload.Revisions[0].Alike = true }), want{
			rule: "resting", reason: "the template differs from the stable one only in what is no release: the hold goes, Deployment checkout restarts by itself", effects: []string{"Release"}}},
		// A person scaled the ReplicaSet of a revision that had failed, and no Service was pinned any more.
		"pods of a failed revision": {heldState(func(o *Observed) { canaryPods(2, 2)(o) }), want{
			rule: "held", reason: "the pods of the failed revision end, whoever started them", effects: []string{"Canaries"}}},
		// Somebody deleted the attempt's parameters, and then a Service: made anew it selected the canary's pods until they ended.
		"a Service made anew while the canary drains": {endingAt(v1alpha1.StageDraining, v1alpha1.OutcomeFailed, func(o *Observed) { o.Services[0].Pin, o.Services[0].Pinned = nil, false }), want{
			rule: "aborted", reason: "error-rate is 0.2 (result < 0.01)", effects: []string{"Pin"}}},
		// A leader whose clock was ahead ended the attempt while another one's adoption was on its way: stable pods ended.
		"a hand-over over its deadline while an adoption is on its way": {handing(v1alpha1.StageHandingOver, func(o *Observed) { o.Progress.StageSince = micro(noon.Add(-time.Hour)) }), want{
			rule: "workloadFailed", reason: "the hand-over is called off: after 10m0s still waits until Deployment checkout takes the canary's ReplicaSet over", record: "called off"}},
		"and it was faster": {calledOffState(adopted()), want{
			rule: "handOver", reason: "the workload took the canary over before the hand-over was called off: it goes on", record: "no longer called off"}},
		// A route that was deleted in flight was made anew after the abort, with the split of the attempt's parameters at weight 0.
		"a route made anew after the abort": {heldState(weight(0)), want{
			rule: "held", reason: "what was made anew goes back to Git's form", effects: []string{"ClearSplit"}}},
		"and the Rollout is being deleted": {heldState(weight(0), func(o *Observed) { o.Deleting = true }), want{
			rule: "deleted", reason: "what was made anew goes back to Git's form", effects: []string{"ClearSplit"}}},
		"a split of another Rollout": {atRest(fresh, func(o *Observed) {
			o.Routes[0].Intent, o.Routes[0].Divided = &routers.Split{Fence: routers.Fence{Attempt: 4, Sequence: 2}, Scale: 100}, true
		}), want{rule: "adopting", reason: "intents of another Rollout are there; attempts are counted on from theirs", record: "Adopting"}},
	})
}

func pinnedBy(o *Observed, attempt, sequence int64) {
	o.Services[0].Pin, o.Services[0].Pinned = &routers.Pin{Fence: routers.Fence{Attempt: attempt, Sequence: sequence}, Key: hashKey, Value: "v1"}, true
}

// Attempts go on from the numbers of whoever left a newer intent: the next fence is above it.
func TestOutrank(t *testing.T) {
	o := atRest(func(o *Observed) { pinnedBy(o, 9, 3) })
	p := Decide(o)
	if p.Progress == nil || p.Progress.Attempt != 10 {
		t.Errorf("recorded %+v", p.Progress)
	}
	o.Progress = *p.Progress
	if next := Decide(o); names(next.Effects)[0] != "Unpin" {
		t.Errorf("then planned %+v", next)
	}
}
