package plan

import (
	"testing"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// When no attempt begins although a template is held.

func noneReady(o *Observed)   { o.Workload.Revisions[0].Ready = 0 }
func isSuspended(o *Observed) { o.Suspend = true }

func TestStableBroken(t *testing.T) {
	zero := func(o *Observed) { o.Workload.Replicas = 0 }
	gone := func(o *Observed) { o.Workload.Revisions = nil }
	unjudged := func(why string) want {
		return want{rule: "stableBroken", reason: why + ": there is nothing to protect, the new template goes on unjudged", phase: v1alpha1.PhasePending, effects: []string{"Release"}}
	}
	decide(t, map[string]decision{
		"no pod is ready":        {holding(noneReady), unjudged("no stable pod is ready")},
		"its ReplicaSet is gone": {holding(gone), unjudged("no stable pod is ready")},
		"scaled to zero":         {holding(zero), unjudged("the workload is scaled to zero")},
		"one pod is ready":       {holding(func(o *Observed) { o.Workload.Revisions[0].Ready = 1 }), want{rule: "resting", reason: "a new template is held: attempt 7 begins with revision v2", record: "Pinning"}},
		"nothing is held":        {atRest(noneReady), want{rule: "resting", reason: "revision v1 is stable"}},
		"stable is held":         {holding(noneReady, template("v1")), want{rule: "resting", reason: "the stable template is back: the hold goes, nothing restarts", effects: []string{"Release"}}},
		"suspended all the same": {holding(noneReady, isSuspended), unjudged("no stable pod is ready")},
	})
}

func TestSuspended(t *testing.T) {
	released := func(o *Observed) { o.Workload.Held = false }
	waits := want{rule: "suspended", reason: "the Rollout is suspended; a new template is held", phase: v1alpha1.PhasePaused}
	decide(t, map[string]decision{
		"a template is held":   {holding(isSuspended), waits},
		"known bad, too":       {holding(isSuspended, func(o *Observed) { o.Progress.Quarantine = []v1alpha1.QuarantinedRevision{{ReplicaSet: "checkout-v2"}} }), waits},
		"nothing is held":      {atRest(isSuspended), want{rule: "resting", reason: "revision v1 is stable", phase: v1alpha1.PhaseHealthy}},
		"stable is held":       {holding(isSuspended, template("v1")), want{rule: "resting", reason: "the stable template is back: the hold goes, nothing restarts", effects: []string{"Release"}}},
		"let through unheld":   {holding(isSuspended, released), want{rule: "resting", reason: "a template was let through unheld", record: "Adopting"}},
		"nothing stable known": {atRest(isSuspended, func(o *Observed) { o.Progress.Stage = v1alpha1.StageAdopting }), want{rule: "adopting", reason: "Deployment checkout is stable at revision v1", record: "Resting"}},
	})
}

func TestInvalid(t *testing.T) {
	missing := problem("ServiceMissing")
	told := want{rule: "invalid", reason: "spec.services[0].name is wrong: correct it", phase: v1alpha1.PhaseDegraded, stalled: "ServiceMissing"}
	decide(t, map[string]decision{
		"at rest":            {atRest(missing), told},
		"a template is held": {holding(missing), told},
		"the first of two":   {holding(missing, problem("RouteMissing")), told},
		"unlabelled":         {atRest(missing, func(o *Observed) { o.Workload.Governor = "" }), told},
		"after a failure":    {heldState(missing), want{rule: "held", reason: "revision v2 is held (error-rate is 0.2 (result < 0.01)); stable serves until Git or a person takes the template back", phase: v1alpha1.PhaseHeld}},
		"sound":              {holding(), want{rule: "resting", reason: "a new template is held: attempt 7 begins with revision v2", record: "Pinning"}},
	})
}
