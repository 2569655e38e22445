package plan

import (
	"reflect"
	"testing"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
)

func TestPinning(t *testing.T) {
	begun := "the stable revision is pinned before a canary pod exists"
	otherEndpoints := func(o *Observed) { o.Services[0].Ready["v0"] = 1 }
	foreignService := func(o *Observed) { o.Canary = routers.CanaryServiceState{Found: true, Foreign: true} }
	edited := func(o *Observed) { o.LiveDigest = "d2" }
	missing := func(o *Observed) { o.Routes[0].Found = false }
	unsplit := func(rules ...string) edit {
		return func(o *Observed) { o.Routes[0].Divided, o.Routes[0].Unsplit = false, rules }
	}
	silent := func(o *Observed) { o.Routes[0].Programmed, o.Routes[0].Why = false, "Gateway edge is silent" }
	left := 10*time.Minute - 5*time.Second
	decide(t, map[string]decision{
		"nothing is there":           {pinningState(), want{rule: "pinning", reason: begun, phase: v1alpha1.PhaseProgressing, effects: []string{"EnsureAttempt", "EnsureCanaryService", "Pin"}}},
		"weight zero after the pins": {pinnedState(cleared), want{rule: "pinning", reason: begun, effects: []string{"Split"}}},
		"canary Service of another revision": {
			pinnedState(func(o *Observed) { o.Canary.Revision = "v0" }),
			want{rule: "pinning", reason: begun, effects: []string{"EnsureCanaryService"}},
		},
		"pinned to another revision": {
			pinnedState(func(o *Observed) { o.Services[0].Pin.Value = "v0" }),
			want{rule: "pinning", reason: begun, effects: []string{"Pin"}},
		},
		"everything stands": {pinnedState(), want{rule: "pinning", reason: "stable is pinned: step 1/3 (10%) begins", record: "Stepping, step 1"}},
		"suspended meanwhile": {
			pinnedState(func(o *Observed) { o.Suspend = true }),
			want{rule: "pinning", reason: "no canary pod is started: the Rollout is suspended", phase: v1alpha1.PhasePaused, wake: left},
		},
		"edited before the snapshot": {pinningState(edited), want{rule: "pinning", reason: "the Rollout was edited as the attempt began", record: "details"}},
		"edited after it":            {pinnedState(edited), want{rule: "pinning", reason: "stable is pinned: step 1/3 (10%) begins", record: "Stepping, step 1"}},
		"endpoints of another revision": {
			pinningState(otherEndpoints),
			want{rule: "pinning", stalled: "RollInProgress", wake: left,
				reason: "Service checkout has endpoints of revision v0 beside stable v1: waits until they are gone"},
		},
		"the canary's name is taken": {
			pinningState(foreignService),
			want{rule: "pinning", stalled: "CanaryServiceForeign", wake: left,
				reason: "Service checkout-canary exists and was not made by this Rollout: rename or delete it"},
		},
		"route missing": {pinnedState(missing), want{rule: "pinning", reason: "waits until HTTPRoute shop exists", wake: left}},
		"route cannot be split": {
			pinnedState(unsplit("rule 1")),
			want{rule: "pinning", wake: left, reason: "waits until HTTPRoute shop can be split (SplitImpossible): rule 1 would have more than 16 backends or a weight above 1,000,000"},
		},
		"route not divided": {
			pinnedState(unsplit()),
			want{rule: "pinning", wake: left, reason: "waits until HTTPRoute shop can be split (SplitImpossible): the admission policy did not divide it"},
		},
		"gateway silent": {pinnedState(silent), want{rule: "pinning", reason: "waits until HTTPRoute shop is programmed: Gateway edge is silent", wake: left}},
	})
	if p := Decide(pinningState(edited)); p.Progress.SnapshotDigest != "d2" || p.Progress.SnapshotGeneration != 3 {
		t.Errorf("the edit is recorded as %+v", p.Progress)
	}
}

func TestPodsAndTraffic(t *testing.T) {
	silent := func(o *Observed) { o.Routes[0].Programmed, o.Routes[0].Why = false, "Gateway edge is silent" }
	owned := func(o *Observed) { o.Workload.Revisions[1].Ours, o.Workload.Revisions[1].Owned = false, true }
	readyFor := func(d time.Duration) edit { return func(o *Observed) { o.CanaryReadySince = noon.Add(-d) } }
	left := 10*time.Minute - time.Second
	decide(t, map[string]decision{
		"no pod yet":           {entered(2), want{rule: "podsPending", reason: "the canary is scaled to 2", effects: []string{"Canaries"}}},
		"too few":              {entered(2, canaryPods(1, 1)), want{rule: "podsPending", reason: "the canary is scaled to 2", effects: []string{"Canaries"}}},
		"taken over":           {entered(2, canaryPods(2, 2), owned), want{rule: "podsPending", reason: "the canary is scaled to 2", effects: []string{"Canaries"}}},
		"not ready":            {entered(2, canaryPods(2, 1)), want{rule: "podsPending", reason: "waits until 2 canary pods are ready, 1 are", wake: left}},
		"endpoints lag":        {entered(2, canaryPods(2, 2), func(o *Observed) { o.Canary.Ready = 0 }), want{rule: "podsPending", reason: "waits until 2 canary pods are ready, 0 are", wake: left}},
		"more than needed":     {entered(1, canaryPods(3, 3)), want{rule: "trafficPending", reason: "the canary gets 10% of the traffic", effects: []string{"Split"}}},
		"pods settle":          {entered(1, canaryPods(1, 1), readyFor(time.Second)), want{rule: "trafficPending", reason: "the gateways learn of the canary's pods", wake: 2 * time.Second}},
		"pods have settled":    {entered(1, canaryPods(1, 1), readyFor(4*time.Second)), want{rule: "trafficPending", reason: "the canary gets 10% of the traffic", effects: []string{"Split"}}},
		"back after a loss":    {entered(2, canaryPods(2, 2), weight(0), readyFor(0)), want{rule: "trafficPending", reason: "the gateways learn of the canary's pods", wake: 3 * time.Second}},
		"more pods":            {entered(2, canaryPods(2, 2), weight(100), readyFor(0)), want{rule: "trafficPending", reason: "the canary gets 50% of the traffic", effects: []string{"Split"}}},
		"weight":               {entered(2, canaryPods(2, 2)), want{rule: "trafficPending", reason: "the canary gets 50% of the traffic", effects: []string{"Split"}}},
		"weight of an attempt": {entered(2, canaryPods(2, 2), weight(500), func(o *Observed) { o.Routes[0].Intent.Attempt = 6 }), want{rule: "trafficPending", reason: "the canary gets 50% of the traffic", effects: []string{"Split"}}},
		"gateway silent":       {entered(2, canaryPods(2, 2), weight(500), silent), want{rule: "trafficPending", reason: "waits until HTTPRoute shop is programmed: Gateway edge is silent", wake: left}},
		"route gone":           {entered(2, canaryPods(2, 2), weight(500), func(o *Observed) { o.Routes[0].Found = false }), want{rule: "trafficPending", reason: "waits until HTTPRoute shop exists", wake: left}},
		"not divided":          {entered(2, canaryPods(2, 2), weight(500), func(o *Observed) { o.Routes[0].Divided = false }), want{rule: "trafficPending", reason: "waits until HTTPRoute shop can be split (SplitImpossible): the admission policy did not divide it", wake: left}},
		"the clock starts":     {entered(2, canaryPods(2, 2), weight(500)), want{rule: "trafficPending", reason: "step 2/3 bakes at 50% for 2m0s", record: "clock runs"}},
		"a route lost weight":  {baking(2, time.Minute, weight(100)), want{rule: "clockStopped", reason: "the step's clock stands until HTTPRoute shop carries 50%", record: "clock stands at 1m0s"}},
		"a pod is lost":        {baking(2, time.Minute, canaryPods(2, 1)), want{rule: "clockStopped", reason: "the step's clock stands until 2 canary pods are ready, 1 are", record: "clock stands at 1m0s"}},
	})
}

// Pods that come and go within the settle time are no progress: the wait before goes on.
func TestClockStoppedKeepsTheWait(t *testing.T) {
	before := noon.Add(-5 * time.Minute)
	tests := map[string]struct {
		state Observed
		want  time.Time
	}{
		"the clock had run":  {baking(2, time.Minute, canaryPods(2, 1), func(o *Observed) { o.Progress.WaitSince = microPtr(before) }), noon},
		"within settle":      {baking(2, -time.Second, canaryPods(2, 1), func(o *Observed) { o.Progress.WaitSince = microPtr(before) }), before},
		"no wait is written": {baking(2, -time.Second, canaryPods(2, 1)), noon},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Decide(tc.state).Progress.WaitSince; got == nil || !got.Equal(microPtr(tc.want)) {
				t.Errorf("waits since %v, want %v", got, tc.want)
			}
		})
	}
}

func TestStepUnfinished(t *testing.T) {
	pass, pending := says(v1alpha1.VerdictPass), says(v1alpha1.VerdictPending)
	unmeasured := func(o *Observed) { o.Config.StartAt = 3 }
	decide(t, map[string]decision{
		"settling":             {baking(2, -time.Second, pass), want{rule: "stepUnfinished", reason: "step 2/3 bakes at 50% for 2m0s", effects: []string{"Measure"}, wake: time.Second}},
		"bakes":                {baking(2, time.Minute, pass), want{rule: "stepUnfinished", reason: "step 2/3 bakes at 50% for 2m0s", phase: v1alpha1.PhaseProgressing, effects: []string{"Measure"}, wake: time.Minute}},
		"paused, bakes":        {baking(2, time.Minute, pass, func(o *Observed) { o.Progress.Paused = true }), want{rule: "stepUnfinished", reason: "step 2/3 bakes at 50% for 2m0s", phase: v1alpha1.PhasePaused, effects: []string{"Measure"}, wake: time.Minute}},
		"baked, no verdict":    {baking(2, 2*time.Minute, pending), want{rule: "stepUnfinished", reason: "step 2/3 has baked; error-rate has no verdict yet", effects: []string{"Measure"}, wake: 4*time.Minute + time.Millisecond}},
		"baked, no metric yet": {baking(2, 2*time.Minute), want{rule: "stepUnfinished", reason: "step 2/3 has baked; nothing has been measured yet", effects: []string{"Measure"}, wake: 4*time.Minute + time.Millisecond}},
		"at the deadline":      {baking(2, 6*time.Minute, pending), want{rule: "stepUnfinished", reason: "step 2/3 has baked; error-rate has no verdict yet", effects: []string{"Measure"}, wake: time.Millisecond}},
		"over the deadline":    {baking(2, 6*time.Minute+time.Second, pending), want{rule: "stepUnfinished", reason: "error-rate has no verdict yet after 6m1s at step 2", phase: v1alpha1.PhaseInconclusive, record: "inconclusive=true"}},
		"over it, and aborts":  {baking(2, 6*time.Minute+time.Second, pending, func(o *Observed) { o.Config.OnInconclusive = v1alpha1.InconclusiveAbort }), want{rule: "stepUnfinished", reason: "error-rate has no verdict yet after 6m1s at step 2", record: "Aborting, outcome Undecided"}},
		"inconclusive, waits":  {baking(2, 7*time.Minute, pending, func(o *Observed) { o.Progress.Inconclusive = "no data" }), want{rule: "stepUnfinished", reason: "no data; promote, abort or resume", phase: v1alpha1.PhaseInconclusive, effects: []string{"Measure"}}},
		"not measured here":    {baking(2, time.Minute, unmeasured), want{rule: "stepUnfinished", reason: "step 2/3 bakes at 50% for 2m0s", wake: time.Minute}},
		"done":                 {passed(2), want{rule: "stepFinished", reason: "step 2/3 is done: step 3/3 (100%) begins", phase: v1alpha1.PhaseProgressing, record: "step 3"}},
		"done, not measured":   {baking(2, 2*time.Minute, unmeasured), want{rule: "stepFinished", reason: "step 2/3 is done: step 3/3 (100%) begins", record: "step 3"}},
		"the last":             {passed(3), want{rule: "finished", reason: "revision v2 passed every step: it is handed over", record: "Unpinning"}},
		"promote-full":         {baking(1, 0, func(o *Observed) { o.Progress.PromoteFull = true }), want{rule: "stepFinished", reason: "step 1/3 is done: step 3/3 (100%) begins", record: "step 3"}},
		"promote-full, last":   {baking(3, 0, func(o *Observed) { o.Progress.PromoteFull = true }), want{rule: "finished", reason: "revision v2 goes on without the rest of its steps: it is handed over", record: "Unpinning"}},
	})
}

func TestWaitingForPerson(t *testing.T) {
	approve := func(onTimeout v1alpha1.TimeoutAction) edit {
		return func(o *Observed) {
			o.Config.Ladder[1] = Step{Permille: 100, Approve: true, Timeout: time.Hour, OnTimeout: onTimeout}
			o.Progress.WeightPermille = 100
			canaryPods(1, 1)(o)
			weight(100)(o)
		}
	}
	since := func(d time.Duration) edit { return func(o *Observed) { o.Progress.StepSince = microPtr(noon.Add(-d)) } }
	pass, pending := says(v1alpha1.VerdictPass), says(v1alpha1.VerdictPending)
	text := "step 2/3 waits for a person: kubectl belay promote or abort"
	decide(t, map[string]decision{
		"paused": {
			passed(2, func(o *Observed) { o.Progress.Paused = true }),
			want{rule: "waitingForPerson", reason: "step 2/3 is done; paused by a person: kubectl belay resume, promote or abort", phase: v1alpha1.PhasePaused, effects: []string{"Measure"}},
		},
		"inconclusive, though it passes now": {
			passed(2, func(o *Observed) { o.Progress.Inconclusive = "no data" }),
			want{rule: "waitingForPerson", reason: "no data; promote, abort or resume", phase: v1alpha1.PhaseInconclusive, effects: []string{"Measure"}},
		},
		"approval": {baking(2, 0, approve(v1alpha1.TimeoutAbort), since(20*time.Minute)), want{rule: "waitingForPerson", reason: text, phase: v1alpha1.PhasePaused, effects: []string{"Measure"}, wake: 40 * time.Minute}},
		"judged while it waits": {
			baking(2, 0, approve(v1alpha1.TimeoutAbort), since(20*time.Minute), says(v1alpha1.VerdictFail)),
			want{rule: "analysisFailed", reason: "error-rate is 0.2 (result < 0.01)", record: "Aborting, outcome Failed"},
		},
		"nobody approved": {baking(2, 0, approve(v1alpha1.TimeoutAbort), since(time.Hour)), want{rule: "waitingForPerson", reason: "nobody approved within 1h0m0s", record: "Aborting, outcome TimedOut"}},
		"goes on":         {baking(2, time.Minute, approve(v1alpha1.TimeoutContinue), since(time.Hour), pass), want{rule: "stepFinished", reason: "step 2/3 is done: step 3/3 (100%) begins", record: "step 3"}},
		"goes on with a verdict only": {
			baking(2, 0, approve(v1alpha1.TimeoutContinue), since(time.Hour), pending),
			want{rule: "waitingForPerson", reason: "step 2/3 is over; error-rate has no verdict yet", effects: []string{"Measure"}, wake: 40*time.Second + time.Millisecond},
		},
		"which does not come": {
			baking(2, time.Minute, approve(v1alpha1.TimeoutContinue), since(time.Hour), pending),
			want{rule: "waitingForPerson", reason: "error-rate has no verdict yet at step 2, and nobody approved it", phase: v1alpha1.PhaseInconclusive, record: "inconclusive=true"},
		},
		"promote-full passes it": {
			baking(2, 0, approve(v1alpha1.TimeoutAbort), func(o *Observed) { o.Progress.PromoteFull = true }),
			want{rule: "stepFinished", reason: "step 2/3 is done: step 3/3 (100%) begins", record: "step 3"},
		},
	})
}

// The commit at which the canary came is learned once, beside what else goes on.
func TestCanarySource(t *testing.T) {
	unknown := func(o *Observed) { o.Progress.Canary.Source = "" }
	answered := func(question string) edit {
		return func(o *Observed) { o.Git.Tip = &Tip{For: question, Commit: "c5"} }
	}
	text := "step 2/3 bakes at 50% for 2m0s"
	decide(t, map[string]decision{
		"asks at once": {pinningState(unknown), want{rule: "pinning", reason: "the stable revision is pinned before a canary pod exists",
			effects: []string{"EnsureAttempt", "EnsureCanaryService", "Pin", "ReadTip"}}},
		"notes before a pod is ready": {entered(2, canaryPods(2, 0), unknown, answered("canary/7")),
			want{rule: "podsPending", reason: "waits until 2 canary pods are ready, 0 are", record: "details"}},
		"asks":           {baking(2, time.Minute, unknown), want{rule: "stepUnfinished", reason: text, effects: []string{"Measure", "ReadTip"}, wake: time.Minute}},
		"another answer": {baking(2, time.Minute, unknown, answered("canary/6")), want{rule: "stepUnfinished", reason: text, effects: []string{"Measure", "ReadTip"}, wake: time.Minute}},
		"notes":          {baking(2, time.Minute, unknown, answered("canary/7")), want{rule: "stepUnfinished", reason: text, record: "details"}},
		"no Git":         {baking(2, time.Minute, unknown, func(o *Observed) { o.Git.Configured = false }), want{rule: "stepUnfinished", reason: text, effects: []string{"Measure"}, wake: time.Minute}},
	})
}

func TestEntryIntoAStep(t *testing.T) {
	p := Decide(passed(1, func(o *Observed) {
		o.Progress.ReadyHighWater = 1
		o.Progress.ClockElapsed.Duration = time.Second
	})).Progress
	if p.Step != 2 || p.WeightPermille != 500 || !p.StepSince.Equal(microPtr(noon)) || !p.WaitSince.Equal(microPtr(noon)) {
		t.Errorf("entered %+v", p)
	}
	if p.ReadyHighWater != 0 || p.ClockElapsed.Duration != 0 || p.ProgrammedSince != nil || p.Inconclusive != "" {
		t.Errorf("credit of the step before in %+v", p)
	}
}

// What the effects of a step say, beside their kind.
func TestEffectsOfAStep(t *testing.T) {
	split, ok := Decide(entered(2, canaryPods(2, 2))).Effects[0].(Split)
	want := routers.Split{Fence: routers.Fence{Attempt: 7, Sequence: 41}, Service: "checkout", Canary: "checkout-canary", Weight: 50, Scale: 100}
	if !ok || split.Split != want || split.Route != routeRef("shop") || split.ResourceVersion != "r-1" {
		t.Errorf("weight is written as %+v", split)
	}
	zero, ok := Decide(baking(2, time.Minute, canaryPods(2, 0))).Effects[0].(Split)
	if !ok || zero.Split.Weight != 0 {
		t.Errorf("a lost canary is written as %+v", zero)
	}
	canaries, ok := Decide(entered(2)).Effects[0].(Canaries)
	if !ok || canaries.Size != 2 || canaries.Revision.Name != "checkout-v2" || canaries.Revision.Exists {
		t.Errorf("canaries are %+v", canaries)
	}
	measure, ok := Decide(baking(2, time.Minute)).Effects[0].(Measure)
	if want := (Measure{Attempt: 7, Step: 2, Since: noon.Add(-time.Minute), StablePods: 4}); !ok || !reflect.DeepEqual(measure, want) {
		t.Errorf("measured is %+v", measure)
	}
	effects := Decide(pinningState()).Effects
	if e, ok := effects[0].(EnsureAttempt); !ok || e.Pin.String() != "7.41/pod-template-hash=v1" || e.Split.Weight != 0 {
		t.Errorf("parameters are %+v", effects[0])
	}
	if e, ok := effects[1].(EnsureCanaryService); !ok || e != (EnsureCanaryService{Name: "checkout-canary", Service: "checkout", Revision: "v2"}) {
		t.Errorf("the canary's Service is %+v", effects[1])
	}
	if e, ok := effects[2].(Pin); !ok || e.Service != "checkout" || e.ResourceVersion != "s-1" || e.Pin.Value != "v1" {
		t.Errorf("pinned is %+v", effects[2])
	}
}
