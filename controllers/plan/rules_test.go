package plan

import (
	"slices"
	"testing"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// want is what a decision is to be. Effects by kind; record as recorded says it; wake from noon.
type want struct {
	rule, reason string
	phase        v1alpha1.Phase
	effects      []string
	record       string
	wake         time.Duration
	stalled      string
}

type decision struct {
	state Observed
	want  want
}

func decide(t *testing.T, tests map[string]decision) {
	t.Helper()
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Helper()
			p := Decide(tc.state)
			got := want{rule: p.Rule, reason: p.Reason, phase: p.Phase, effects: names(p.Effects)}
			if p.Progress != nil {
				got.record = recorded(tc.state.Progress, *p.Progress)
			}
			if !p.Wake.IsZero() {
				got.wake = p.Wake.Sub(noon)
			}
			if p.Stalled != nil {
				got.stalled = p.Stalled.Reason
			}
			w := tc.want
			if w.phase == "" {
				got.phase = ""
			}
			if got.rule != w.rule || got.reason != w.reason || got.phase != w.phase || got.record != w.record || got.wake != w.wake ||
				got.stalled != w.stalled || !slices.Equal(got.effects, w.effects) {
				t.Errorf("decided\n%+v\nwant\n%+v", got, w)
			}
			for _, v := range Check(tc.state, p) {
				t.Errorf("%s: %s", v.Law, v.Text)
			}
		})
	}
}

func TestNewerProgress(t *testing.T) {
	newer := func(o *Observed) { o.Progress.Version = 2 }
	handsOff := want{rule: "newerProgress", phase: v1alpha1.PhaseDegraded, stalled: "NewerProgress",
		reason: "status.progress.version is 2, this controller knows up to 1: run the newer controller"}
	decide(t, map[string]decision{
		"written by a newer controller": {baking(2, 0, newer), handsOff},
		"at rest":                       {holding(newer), handsOff},
		"while traffic goes back":       {endingAt(v1alpha1.StageAborting, v1alpha1.OutcomeFailed, newer), handsOff},
		"written by an older one":       {atRest(func(o *Observed) { o.Progress.Version = 0 }), want{rule: "resting", reason: "revision v1 is stable"}},
	})
}

func TestDeleted(t *testing.T) {
	deleting := func(o *Observed) { o.Deleting = true }
	ungoverned := func(o *Observed) { o.Workload.Governor = "" }
	retiring := func(after time.Duration) edit {
		return func(o *Observed) {
			o.Progress.Retiring = &v1alpha1.RetiringService{Name: "checkout-canary", NotBefore: micro(noon.Add(after))}
			o.Canary.Found = true
		}
	}
	decide(t, map[string]decision{
		"at rest":        {atRest(deleting), want{rule: "deleted", reason: "the workload is left as it is", phase: v1alpha1.PhasePending, effects: []string{"Ungovern"}}},
		"held":           {heldState(deleting), want{rule: "deleted", reason: "the workload is left as it is", effects: []string{"Ungovern"}}},
		"label gone":     {atRest(deleting, ungoverned), want{rule: "deleted", reason: "the Rollout goes", effects: []string{"DeleteAttempt", "RemoveFinalizer"}}},
		"finalizer gone": {atRest(deleting, ungoverned, func(o *Observed) { o.Finalizer = false }), want{rule: "deleted", reason: "the Rollout is gone"}},
		"while the canary's Service is still known to gateways": {
			atRest(deleting, retiring(20*time.Second)),
			want{rule: "deleted", reason: "waits until gateways have forgotten the canary's Service", wake: 20 * time.Second},
		},
		"when they have forgotten it": {
			atRest(deleting, retiring(0)),
			want{rule: "deleted", reason: "the canary's Service is not needed any more", effects: []string{"DeleteCanaryService"}},
		},
		"in flight": {
			baking(2, time.Minute, deleting),
			want{rule: "deleted", reason: "the Rollout is being deleted: Deployment checkout stays paused with a template that nobody judged; " +
				"apply the one before, or go on with kubectl rollout resume deployment/checkout -n shop", phase: v1alpha1.PhaseAborted, record: "Aborting, outcome Aborted"},
		},
		"an ending is finished first": {
			endingAt(v1alpha1.StageAborting, v1alpha1.OutcomeFailed, deleting),
			want{rule: "aborted", reason: "error-rate is 0.2 (result < 0.01)", effects: []string{"ClearSplit"}},
		},
		"a hand-over is finished first": {
			handing(v1alpha1.StageHandingOver, deleting),
			want{rule: "handOver", reason: "the workload takes the canary's ReplicaSet over", effects: []string{"Adopt"}},
		},
	})
}

func TestAbortRequested(t *testing.T) {
	anonymous := func(o *Observed) { o.Request.User = "" }
	decide(t, map[string]decision{
		"while pinning":     {pinningState(asks("abort", "v2")), want{rule: "abortRequested", reason: "jo aborted the attempt", record: "Aborting, outcome Aborted, request t-abort answered"}},
		"while stepping":    {baking(2, 0, asks("abort", "-")), want{rule: "abortRequested", reason: "jo aborted the attempt", phase: v1alpha1.PhaseAborted, record: "Aborting, outcome Aborted, request t-abort answered"}},
		"nobody known":      {baking(2, 0, asks("abort", "v2"), anonymous), want{rule: "abortRequested", reason: "a person aborted the attempt", record: "Aborting, outcome Aborted, request t-abort answered"}},
		"another revision":  {baking(2, 0, asks("abort", "v9")), want{rule: "requested", reason: "a request is refused: it speaks of revision v9, the canary is v2", record: "request t-abort answered"}},
		"nothing in flight": {atRest(asks("abort", "-")), want{rule: "requested", reason: "a request is refused: no attempt is in flight that could still be aborted", record: "request t-abort answered"}},
	})
}

func TestSuperseded(t *testing.T) {
	decide(t, map[string]decision{
		"stable template back": {baking(2, 0, template("v1")), want{rule: "superseded", reason: "the stable template is back in Deployment checkout", record: "Aborting, outcome Withdrawn"}},
		"newer template":       {baking(2, 0, template("v3")), want{rule: "superseded", reason: "a newer template is in Deployment checkout", record: "Aborting, outcome Superseded"}},
		"while pinning":        {pinningState(template("v3")), want{rule: "superseded", reason: "a newer template is in Deployment checkout", record: "Aborting, outcome Superseded"}},
		"while unpinning":      {handing(v1alpha1.StageUnpinning, template("v3")), want{rule: "superseded", reason: "a newer template is in Deployment checkout", record: "Aborting, outcome Superseded"}},
		"workload recreated": {
			baking(2, 0, func(o *Observed) { o.Workload.UID = "another" }),
			want{rule: "superseded", reason: "Deployment checkout was deleted or recreated", record: "Aborting, outcome Superseded"},
		},
		"workload gone": {
			baking(2, 0, func(o *Observed) { o.Workload.Found = false }),
			want{rule: "superseded", reason: "Deployment checkout was deleted or recreated", record: "Aborting, outcome Superseded"},
		},
		"hold gone": {
			baking(2, 0, func(o *Observed) { o.Workload.Held = false }),
			want{rule: "superseded", reason: "Deployment checkout is not held any more", record: "Aborting, outcome Superseded"},
		},
	})
}

func TestWorkloadFailed(t *testing.T) {
	waited := func(d time.Duration) edit {
		return func(o *Observed) {
			o.Progress.ProgrammedSince, o.Progress.WaitSince = nil, microPtr(noon.Add(-d))
			if o.Progress.Stage != v1alpha1.StageStepping {
				o.Progress.StageSince = micro(noon.Add(-d))
			}
		}
	}
	crashing := func(o *Observed) {
		o.Pods = []string{"container app of image shop:v2: CrashLoopBackOff", "b", "c", "d"}
	}
	unpinned := func(o *Observed) { o.Services[0].Pinned = false }
	unprogrammed := func(o *Observed) { o.Routes[0].Programmed, o.Routes[0].Why = false, "Gateway edge is silent" }
	decide(t, map[string]decision{
		"pods at the deadline": {
			entered(2, canaryPods(2, 0), waited(10*time.Minute), crashing),
			want{rule: "workloadFailed", phase: v1alpha1.PhaseAborted, record: "Aborting, outcome Failed",
				reason: "0 of 2 canary pods are ready after 10m0s: container app of image shop:v2: CrashLoopBackOff; b; c"},
		},
		"pods a moment before it": {
			entered(2, canaryPods(2, 0), waited(10*time.Minute-time.Second)),
			want{rule: "podsPending", reason: "waits until 2 canary pods are ready, 0 are", wake: time.Second},
		},
		"more pods than ever give more time": {
			entered(2, canaryPods(2, 1), waited(10*time.Minute)),
			want{rule: "workloadFailed", reason: "1 of 2 canary pods are ready, more than before", phase: v1alpha1.PhaseProgressing, record: "details"},
		},
		"the same number does not": {
			entered(2, canaryPods(2, 1), waited(10*time.Minute), func(o *Observed) { o.Progress.ReadyHighWater = 1 }),
			want{rule: "workloadFailed", reason: "1 of 2 canary pods are ready after 10m0s", record: "Aborting, outcome Failed"},
		},
		"endpoints": {
			entered(2, canaryPods(2, 2), waited(10*time.Minute), func(o *Observed) { o.Canary.Ready = 1 }),
			want{rule: "workloadFailed", record: "Aborting, outcome Undecided",
				reason: "after 10m0s still waits until Service checkout-canary has 2 endpoints, it has 1"},
		},
		"route": {
			entered(2, canaryPods(2, 2), weight(500), waited(10*time.Minute), unprogrammed),
			want{rule: "workloadFailed", record: "Aborting, outcome Undecided",
				reason: "after 10m0s still waits until HTTPRoute shop is programmed: Gateway edge is silent"},
		},
		"everything is there at the last moment": {
			entered(2, canaryPods(2, 2), weight(500), waited(10*time.Minute)),
			want{rule: "trafficPending", reason: "step 2/3 bakes at 50% for 2m0s", record: "clock runs"},
		},
		"pinning: a Service": {
			pinnedState(unpinned, waited(10*time.Minute)),
			want{rule: "workloadFailed", record: "Aborting, outcome Undecided",
				reason: "after 10m0s still waits until Service checkout is pinned to revision v1"},
		},
		"pinning: what a person has to change": {
			pinningState(waited(10*time.Minute), func(o *Observed) { o.Services[0].Foreign = 1 }),
			want{rule: "workloadFailed", record: "Aborting, outcome Undecided",
				reason: "after 10m0s still waits until the Services can be pinned: Service checkout also selects pods that are not Deployment checkout's: give it a selector that matches this workload only"},
		},
		"pinning: suspended": {
			pinnedState(waited(10*time.Minute), func(o *Observed) { o.Suspend = true }),
			want{rule: "workloadFailed", record: "Aborting, outcome Undecided", reason: "after 10m0s still waits until it may begin: the Rollout is suspended"},
		},
		"unpinning: pods": {
			handing(v1alpha1.StageUnpinning, canaryPods(4, 3), waited(10*time.Minute)),
			want{rule: "workloadFailed", reason: "3 of 4 canary pods are ready after 10m0s", record: "Aborting, outcome Failed"},
		},
		"unpinning: endpoints": {
			handing(v1alpha1.StageUnpinning, waited(10*time.Minute)),
			want{rule: "workloadFailed", record: "Aborting, outcome Undecided", reason: "after 10m0s still waits until Service checkout has 4 endpoints of the canary, it has 0"},
		},
		"handing over: not taken": {
			handing(v1alpha1.StageHandingOver, waited(10*time.Minute)),
			want{rule: "workloadFailed", record: "called off",
				reason: "the hand-over is called off: after 10m0s still waits until Deployment checkout takes the canary's ReplicaSet over"},
		},
		"handing over: taken, no way back": {
			handing(v1alpha1.StageHandingOver, waited(10*time.Minute), adopted()),
			want{rule: "handOver", reason: "the hold goes: the canary's pods are the workload's own", effects: []string{"Release"}},
		},
		"a running clock is no wait": {
			baking(2, time.Hour, says(v1alpha1.VerdictPass)),
			want{rule: "stepFinished", reason: "step 2/3 is done: step 3/3 (100%) begins", record: "step 3"},
		},
	})
}

func TestAnalysisFailed(t *testing.T) {
	message := func(text string) edit { return func(o *Observed) { o.Metrics[0].Message = text } }
	dry := func(o *Observed) { o.Metrics[0].DryRun = true }
	older := func(o *Observed) { o.Metrics[0].Step = 1 }
	decide(t, map[string]decision{
		"fail": {
			baking(2, time.Minute, says(v1alpha1.VerdictFail)),
			want{rule: "analysisFailed", reason: "error-rate is 0.2 (result < 0.01)", phase: v1alpha1.PhaseAborted, record: "Aborting, outcome Failed"},
		},
		"fail with its own words": {
			baking(2, time.Minute, says(v1alpha1.VerdictFail), message("0.2 is over 0.05")),
			want{rule: "analysisFailed", reason: "error-rate: 0.2 is over 0.05", record: "Aborting, outcome Failed"},
		},
		"fail before anything is handed over": {
			handing(v1alpha1.StageUnpinning, says(v1alpha1.VerdictFail)),
			want{rule: "analysisFailed", reason: "error-rate is 0.2 (result < 0.01)", record: "Aborting, outcome Failed"},
		},
		"inconclusive pauses": {
			baking(2, time.Minute, says(v1alpha1.VerdictInconclusive)),
			want{rule: "analysisFailed", reason: "error-rate is 0.2 (result < 0.01)", phase: v1alpha1.PhaseInconclusive, record: "inconclusive=true"},
		},
		"inconclusive aborts": {
			baking(2, time.Minute, says(v1alpha1.VerdictInconclusive), func(o *Observed) { o.Config.OnInconclusive = v1alpha1.InconclusiveAbort }),
			want{rule: "analysisFailed", reason: "error-rate is 0.2 (result < 0.01)", record: "Aborting, outcome Undecided"},
		},
		"inconclusive is known": {
			baking(2, time.Minute, says(v1alpha1.VerdictInconclusive), func(o *Observed) { o.Progress.Inconclusive = "no data" }),
			want{rule: "stepUnfinished", reason: "no data; promote, abort or resume", phase: v1alpha1.PhaseInconclusive, effects: []string{"Measure"}, wake: time.Minute},
		},
		"inconclusive, and a person said promote-full": {
			baking(2, time.Minute, says(v1alpha1.VerdictInconclusive), func(o *Observed) { o.Progress.PromoteFull = true }),
			want{rule: "stepFinished", reason: "step 2/3 is done: step 3/3 (100%) begins", record: "step 3"},
		},
		"inconclusive at the hand-over": {
			handing(v1alpha1.StageUnpinning, says(v1alpha1.VerdictInconclusive)),
			want{rule: "handOver", reason: "the Services take the canary's pods in", effects: []string{"Unpin"}},
		},
		"a dry run does not count": {
			baking(2, time.Minute, says(v1alpha1.VerdictFail), dry),
			want{rule: "stepUnfinished", reason: "step 2/3 bakes at 50% for 2m0s", phase: v1alpha1.PhaseProgressing, effects: []string{"Measure"}, wake: time.Minute},
		},
		"nor does another step": {
			baking(2, time.Minute, says(v1alpha1.VerdictFail), older),
			want{rule: "stepUnfinished", reason: "step 2/3 bakes at 50% for 2m0s", effects: []string{"Measure"}, wake: time.Minute},
		},
	})
}

func TestCanaryLost(t *testing.T) {
	decide(t, map[string]decision{
		"weight goes to zero": {
			baking(2, time.Minute, canaryPods(2, 0), func(o *Observed) { o.Pods = []string{"not scheduled: Unschedulable"} }),
			want{rule: "canaryLost", reason: "no canary pod is ready: its weight goes to zero: not scheduled: Unschedulable", effects: []string{"Split"}},
		},
		"at the hand-over too": {
			handing(v1alpha1.StageHandingOver, func(o *Observed) { o.Canary.Ready = 0 }),
			want{rule: "canaryLost", reason: "no canary pod is ready: its weight goes to zero", effects: []string{"Split"}},
		},
		"one pod is enough": {
			baking(2, time.Minute, canaryPods(2, 1)),
			want{rule: "clockStopped", reason: "the step's clock stands until 2 canary pods are ready, 1 are", record: "clock stands at 1m0s"},
		},
		"no weight yet": {
			entered(1, canaryPods(1, 0)),
			want{rule: "podsPending", reason: "waits until 1 canary pods are ready, 0 are", wake: 10*time.Minute - time.Second},
		},
	})
}

func TestFrozenTooLong(t *testing.T) {
	suspended := func(o *Observed) { o.Suspend = true }
	since := func(d time.Duration) edit {
		return func(o *Observed) { o.Progress.FrozenSince = microPtr(noon.Add(-d)) }
	}
	approve := func(o *Observed) {
		o.Config.Ladder[1] = Step{Permille: 100, Approve: true, Timeout: time.Hour, OnTimeout: v1alpha1.TimeoutAbort}
		o.Progress.WeightPermille = 100
		canaryPods(1, 1)(o)
		weight(100)(o)
	}
	decide(t, map[string]decision{
		"suspended": {
			baking(2, time.Minute, suspended, since(10*time.Minute)),
			want{rule: "frozenTooLong", reason: "the Rollout is suspended, and the step is over its deadline", record: "Aborting, outcome Undecided"},
		},
		"invalid": {
			baking(2, time.Minute, problem("ServiceMissing"), since(10*time.Minute)),
			want{rule: "frozenTooLong", record: "Aborting, outcome Undecided",
				reason: "the Rollout is invalid: spec.services[0].name is wrong: correct it, and the step is over its deadline"},
		},
		"just now": {
			baking(2, time.Minute, suspended),
			want{rule: "frozenTooLong", reason: "nothing advances: the Rollout is suspended", record: "details"},
		},
		"over": {
			baking(2, time.Minute, since(9*time.Minute)),
			want{rule: "frozenTooLong", reason: "the attempt may advance again", record: "details"},
		},
		"not yet": {
			passed(2, suspended, since(9*time.Minute)),
			want{rule: "waitingForPerson", reason: "step 2/3 is done; the Rollout is suspended", phase: v1alpha1.PhasePaused, effects: []string{"Measure"}, wake: time.Minute},
		},
		"a step that waits for a person has that person's time": {
			baking(2, 0, approve, suspended, since(30*time.Minute)),
			want{rule: "waitingForPerson", reason: "step 2/3 is done; the Rollout is suspended", effects: []string{"Measure"}, wake: 30 * time.Minute},
		},
	})
}
