package plan

import (
	"testing"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
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
	})
}
