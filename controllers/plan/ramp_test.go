package plan

import (
	"slices"
	"testing"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// gentle is a ramp from 1 % to all of the traffic that may make 0.2 % of all requests bad within half an hour.
var gentle = Ramp{From: 10, To: 1000, Budget: 0.002, Max: 30 * time.Minute}

// climbing is a ramp that has taken these weights and is at the last of them, with its clock at elapsed. It began a minute
// ago, and nothing has been compared yet.
func climbing(r Ramp, weights []int32, elapsed time.Duration, edits ...edit) Observed {
	o := baking(1, elapsed)
	p := &o.Progress
	if len(weights) > 1 {
		p.Ramp = weights
	}
	o.Config.Ramp, o.Config.Ladder = &r, RampLadder(r, p.Ramp)
	p.Step, p.WeightPermille = int32(len(weights)), weights[len(weights)-1]
	canaryPods(o.size(), o.size())(&o)
	weight(p.WeightPermille)(&o)
	p.Exposures = []v1alpha1.Exposure{{Step: 1, WeightPermille: r.From, Since: micro(noon.Add(-time.Minute))}}
	return with(o, edits...)
}

// bounded is a comparison of errors that has no verdict yet and bounds them.
func bounded(upper string) edit {
	return func(o *Observed) {
		o.Metrics = append(o.Metrics, v1alpha1.MetricStatus{
			Name: "errors", Verdict: v1alpha1.VerdictPending, Value: "1/900", Limit: "1.1 × stable", Message: "canary 1/900", Step: o.Progress.Step,
			Comparison: &v1alpha1.ComparisonStatus{Upper: upper, Cost: "1 bad request", ExcessBad: 1},
		})
	}
}

// errorsSay changes what the comparison of errors says.
func errorsSay(change func(*v1alpha1.MetricStatus)) edit {
	return func(o *Observed) { change(&o.Metrics[0]) }
}

// latencySays is a comparison of latencies, which bounds no errors.
func latencySays(v v1alpha1.Verdict) edit {
	return func(o *Observed) {
		o.Metrics = append(o.Metrics, v1alpha1.MetricStatus{
			Name: "latency", Verdict: v, Value: "p99 1 s", Limit: "1.1 × stable", Step: o.Progress.Step, Comparison: &v1alpha1.ComparisonStatus{Upper: "0.3"},
		})
	}
}

func TestRampLadder(t *testing.T) {
	rung := func(permille int32) Step { return Step{Permille: permille, Bake: 30 * time.Second} }
	end := Step{Permille: 1000, Bake: 30 * time.Second, Appended: true}
	for name, tc := range map[string]struct {
		ramp   Ramp
		chosen []int32
		want   []Step
	}{
		"before anything was chosen": {gentle, nil, []Step{rung(10), end}},
		"on the way":                 {gentle, []int32{10, 20, 30}, []Step{rung(10), rung(20), rung(30), end}},
		"at its end":                 {gentle, []int32{10, 1000}, []Step{rung(10), rung(1000)}},
		"from all of the traffic":    {Ramp{From: 1000, To: 1000}, nil, []Step{rung(1000)}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := RampLadder(tc.ramp, tc.chosen); !slices.Equal(got, tc.want) {
				t.Errorf("ladder %+v, want %+v", got, tc.want)
			}
		})
	}
}

const half = 30 * time.Second

// The sentences of a bound in a budget of 0.2 %.
func most(percent string) string {
	return "at most " + percent + " % of the canary's requests are bad that would not be at stable, and the budget is 0.2% of all"
}

func TestRampGoesUp(t *testing.T) {
	short := Ramp{From: 10, To: 500, Budget: 0.002, Max: gentle.Max}
	narrow := Ramp{From: 50, To: 50, Budget: 0.002, Max: gentle.Max}
	twice := func(o *Observed) { bounded("0.04")(o); o.Metrics[1].Name = "other" }
	decide(t, map[string]decision{
		"no faster than twice": {
			climbing(gentle, []int32{10}, half, bounded("0.001")),
			want{rule: "stepFinished", reason: most("0.1") + ": step 2/3 (2%) begins", phase: v1alpha1.PhaseProgressing, record: "step 2"},
		},
		"as far as the budget goes": { // 0.2 % / 1.3 % = 15.4 %
			climbing(gentle, []int32{10, 20, 40, 80}, half, bounded("0.013")),
			want{rule: "stepFinished", reason: most("2") + ": step 5/6 (15%) begins", record: "step 5"},
		},
		"the least that is ruled out decides": { // 0.2 % / 4 % = 5 %
			climbing(gentle, []int32{10, 20, 40}, half, bounded("0.001"), twice),
			want{rule: "stepFinished", reason: most("4") + ": step 4/5 (5%) begins", record: "step 4"},
		},
		"better than stable": {
			climbing(gentle, []int32{10}, half, bounded("-0.001")),
			want{rule: "stepFinished", reason: most("0") + ": step 2/3 (2%) begins", record: "step 2"},
		},
		"to all of the traffic": {
			climbing(gentle, []int32{10, 500}, half, bounded("0.002")),
			want{rule: "stepFinished", reason: most("0.2") + ": step 3/3 (100%) begins", record: "step 3"},
		},
		"no further than to": {
			climbing(short, []int32{10, 400}, half, bounded("0.001")),
			want{rule: "stepFinished", reason: most("0.1") + ": step 3/4 (50%) begins", record: "step 3"},
		},
		"and from there to all of the traffic": {
			climbing(short, []int32{10, 500}, half, bounded("0.001")),
			want{rule: "stepFinished", reason: most("0.1") + ": step 3/3 (100%) begins", record: "step 3"},
		},
		"from one weight to all of the traffic": {
			climbing(narrow, []int32{50}, half, bounded("0.001")),
			want{rule: "stepFinished", reason: most("0.1") + ": step 2/2 (100%) begins", record: "step 2"},
		},
		"or not at all": { // 0.2 % / 0.25 % = 80 %, which is neither
			climbing(short, []int32{10, 500}, half, bounded("0.0025")),
			want{rule: "stepUnfinished", reason: "the ramp stays at 50%: " + most("0.3"), effects: []string{"Measure"}, wake: 29 * time.Minute},
		},
		"the end": {
			climbing(gentle, []int32{10, 1000}, half, bounded("0.5")),
			want{rule: "finished", reason: "revision v2 passed every step: it is handed over", record: "Unpinning"},
		},
		"the end, with a Pass that is frozen": {
			climbing(gentle, []int32{10, 1000}, half, bounded("0.5"), errorsSay(func(m *v1alpha1.MetricStatus) { m.Verdict = v1alpha1.VerdictPass })),
			want{rule: "finished", reason: "revision v2 passed every step: it is handed over", record: "Unpinning"},
		},
		"latencies are open on the way": {
			climbing(gentle, []int32{10, 20}, half, bounded("0.001"), latencySays(v1alpha1.VerdictPending)),
			want{rule: "stepFinished", reason: most("0.1") + ": step 3/4 (4%) begins", record: "step 3"},
		},
		"everything else passes": {
			climbing(gentle, []int32{10}, half, bounded("0.001"), latencySays(v1alpha1.VerdictPass)),
			want{rule: "stepFinished", reason: most("0.1") + ": step 2/3 (2%) begins", record: "step 2"},
		},
	})
	p := Decide(climbing(gentle, []int32{10}, half, bounded("0.001")))
	if !slices.Equal(p.Progress.Ramp, []int32{10, 20}) || p.Progress.WeightPermille != 20 {
		t.Errorf("recorded are %v and a weight of %d", p.Progress.Ramp, p.Progress.WeightPermille)
	}
}

func TestRampStays(t *testing.T) {
	at := func(text string) string { return "the ramp stays at 4%: " + text }
	stays := func(text string) want {
		return want{rule: "stepUnfinished", reason: at(text), phase: v1alpha1.PhaseProgressing, effects: []string{"Measure"}, wake: 29 * time.Minute}
	}
	on := func(elapsed time.Duration, edits ...edit) Observed {
		return climbing(gentle, []int32{10, 20, 40}, elapsed, edits...)
	}
	open := "errors has no verdict yet"
	bakes := want{rule: "stepUnfinished", reason: "step 3/4 bakes at 4% for 30s", phase: v1alpha1.PhaseProgressing, effects: []string{"Measure"}, wake: 10 * time.Second}
	typo := func(m *v1alpha1.MetricStatus) {
		m.Comparison.NeverSeen, m.Message = true, "ErrorsNeverSeen: x matched nothing"
	}
	decide(t, map[string]decision{
		"the bound is too high":   {on(half, bounded("0.2")), stays(most("20"))},
		"as high as a bound is":   {on(half, bounded("+Inf")), stays(most("100"))},
		"30 s are not over":       {on(20*time.Second, bounded("0.001")), bakes},
		"nothing was measured":    {on(half), stays("nothing has been measured yet")},
		"nothing was compared":    {on(half, latencySays(v1alpha1.VerdictPass)), stays("nothing has been compared yet")},
		"a bound that is none":    {on(half, bounded("")), stays("errors: canary 1/900")},
		"a bound of nothing":      {on(half, bounded("NaN")), stays("errors: canary 1/900")},
		"a typo may hide errors":  {on(half, bounded("0.001"), errorsSay(typo)), stays("errors: ErrorsNeverSeen: x matched nothing")},
		"of another step":         {on(half, bounded("0.001"), errorsSay(func(m *v1alpha1.MetricStatus) { m.Step = 2 })), stays("nothing has been measured yet")},
		"in dry run":              {on(half, bounded("0.001"), errorsSay(func(m *v1alpha1.MetricStatus) { m.DryRun = true })), stays("nothing has been measured yet")},
		"no tick at this weight":  {on(half, bounded("0.001"), errorsSay(func(m *v1alpha1.MetricStatus) { m.Comparison = nil })), stays(open)},
		"no data any more":        {on(half, bounded("0.001"), errorsSay(func(m *v1alpha1.MetricStatus) { m.Counts.ConsecutiveNoData = 1 })), stays(open)},
		"no answer of the source": {on(half, bounded("0.001"), errorsSay(func(m *v1alpha1.MetricStatus) { m.Counts.ConsecutiveError = 1 })), stays(open)},
		"no latencies any more":   {on(half, bounded("0.001"), latencySays(v1alpha1.VerdictPass), func(o *Observed) { o.Metrics[1].Counts.ConsecutiveNoData = 1 }), stays("latency has no verdict yet")},
		"latencies are open, and all of the traffic is next": {
			climbing(gentle, []int32{10, 500}, half, bounded("0.001"), latencySays(v1alpha1.VerdictPending)),
			want{rule: "stepUnfinished", reason: "the ramp stays at 50%: latency has no verdict yet", effects: []string{"Measure"}, wake: 29 * time.Minute},
		},
		"latencies are open at the end": {
			climbing(gentle, []int32{10, 1000}, half, bounded("0.001"), latencySays(v1alpha1.VerdictPending)),
			want{rule: "stepUnfinished", reason: "the ramp stays at 100%: latency has no verdict yet", effects: []string{"Measure"}, wake: 29 * time.Minute},
		},
		"a threshold is open": {on(half, says(v1alpha1.VerdictPending), bounded("0.001")), stays("error-rate has no verdict yet")},
		"nothing gates": {
			on(half, func(o *Observed) { o.Config.Gating = false }), stays("nothing has been compared yet"),
		},
		"the last weight bakes too": {
			climbing(gentle, []int32{10, 1000}, 20*time.Second, bounded("0.001")),
			want{rule: "stepUnfinished", reason: "step 2/2 bakes at 100% for 30s", effects: []string{"Measure"}, wake: 10 * time.Second},
		},
		"and needs data": {
			climbing(gentle, []int32{10, 1000}, half),
			want{rule: "stepUnfinished", reason: "the ramp stays at 100%: nothing has been measured yet", effects: []string{"Measure"}, wake: 29 * time.Minute},
		},
		"paused": {
			on(half, bounded("0.2"), func(o *Observed) { o.Progress.Paused = true }),
			want{rule: "stepUnfinished", reason: at(most("20")), phase: v1alpha1.PhasePaused, effects: []string{"Measure"}, wake: 29 * time.Minute},
		},
		"paused, and it might go on": {
			on(half, bounded("0.001"), func(o *Observed) { o.Progress.Paused = true }),
			want{rule: "waitingForPerson", reason: "step 3/4 is done; paused by a person: kubectl belay resume, promote or abort", phase: v1alpha1.PhasePaused, effects: []string{"Measure"}},
		},
		"suspended": {
			on(half, bounded("0.001"), func(o *Observed) { o.Suspend, o.Progress.FrozenSince = true, microPtr(noon) }),
			want{rule: "waitingForPerson", reason: "step 3/4 is done; the Rollout is suspended", effects: []string{"Measure"}, wake: 10 * time.Minute},
		},
	})
}

func TestRampFails(t *testing.T) {
	bad := func(m *v1alpha1.MetricStatus) { m.Verdict, m.Message = v1alpha1.VerdictFail, "6 points worse" }
	on := func(edits ...edit) Observed { return climbing(gentle, []int32{10, 20}, half, edits...) }
	decide(t, map[string]decision{
		"errors":    {on(bounded("0.001"), errorsSay(bad)), want{rule: "analysisFailed", reason: "errors: 6 points worse", record: "Aborting, outcome Failed"}},
		"latencies": {on(bounded("0.001"), latencySays(v1alpha1.VerdictFail)), want{rule: "analysisFailed", reason: "latency is p99 1 s (1.1 × stable)", record: "Aborting, outcome Failed"}},
	})
	// What fails is gone before a ramp is asked; it would not let it through either.
	failed := on(bounded("0.001"), errorsSay(bad), latencySays(v1alpha1.VerdictPass))
	if v := failed.gates(false); v.verdict != v1alpha1.VerdictFail {
		t.Errorf("the gates say %+v", v)
	}
}

// Evidence against a release does not end with its step: it counts while the next one gets its pods. What a threshold said of
// the step before does not.
func TestFailsBetweenSteps(t *testing.T) {
	before := func(v v1alpha1.Verdict, comparison *v1alpha1.ComparisonStatus) edit {
		return func(o *Observed) {
			o.Metrics = []v1alpha1.MetricStatus{{Name: "errors", Verdict: v, Value: "7 % against 1 %", Limit: "1.1 × stable", Message: "6 points worse", Step: 1, Comparison: comparison}}
		}
	}
	compared := &v1alpha1.ComparisonStatus{Cost: "7 of 100 were bad"}
	waits := want{rule: "podsPending", reason: "waits until 2 canary pods are ready, 1 are", wake: 10*time.Minute - time.Second}
	on := func(edits ...edit) Observed { return entered(2, append([]edit{canaryPods(2, 1)}, edits...)...) }
	fail := on(before(v1alpha1.VerdictFail, compared))
	decide(t, map[string]decision{
		"a comparison that fails":   {fail, want{rule: "analysisFailed", reason: "errors: 6 points worse", record: "Aborting, outcome Failed"}},
		"a threshold of before":     {on(before(v1alpha1.VerdictFail, nil)), waits},
		"a comparison that is open": {on(before(v1alpha1.VerdictPending, compared)), waits},
		"one in dry run":            {on(before(v1alpha1.VerdictFail, compared), errorsSay(func(m *v1alpha1.MetricStatus) { m.DryRun = true })), waits},
	})
	ending := Decide(fail).Progress.Ending
	if !slices.Equal(ending.Evidence, []string{"errors\t7 % against 1 %\t1.1 × stable\tFail"}) || ending.Cost != "7 of 100 were bad" {
		t.Errorf("the ending is %+v", ending)
	}
}

// A ramp whose time is over is a person's: it was compared all the time, so what is missing is traffic, or a larger budget.
func TestRampRunsOut(t *testing.T) {
	over := func(o *Observed) { o.Progress.Exposures[0].Since = micro(noon.Add(-gentle.Max)) }
	known := func(o *Observed) { o.Progress.Inconclusive = "the ramp is at 4%" }
	unexposed := func(o *Observed) {
		o.Progress.Exposures, o.Progress.StepSince = nil, microPtr(noon.Add(-gentle.Max+time.Minute))
	}
	aborts := func(o *Observed) { o.Config.OnInconclusive = v1alpha1.InconclusiveAbort }
	on := func(elapsed time.Duration, edits ...edit) Observed {
		return climbing(gentle, []int32{10, 20, 40}, elapsed, edits...)
	}
	why := "the ramp is at 4% after 30m0s: " + most("20")
	decide(t, map[string]decision{
		"over":         {on(half, bounded("0.2"), over), want{rule: "stepUnfinished", reason: why, phase: v1alpha1.PhaseInconclusive, record: "inconclusive=true"}},
		"over, aborts": {on(half, bounded("0.2"), over, aborts), want{rule: "stepUnfinished", reason: why, record: "Aborting, outcome Undecided"}},
		"it can go on": {on(half, bounded("0.001"), over), want{rule: "stepFinished", reason: most("0.1") + ": step 4/5 (8%) begins", record: "step 4"}},
		"it still bakes": {on(20*time.Second, bounded("0.2"), over),
			want{rule: "stepUnfinished", reason: "step 3/4 bakes at 4% for 30s", effects: []string{"Measure"}, wake: 10 * time.Second}},
		"known": {on(half, bounded("0.2"), over, known),
			want{rule: "stepUnfinished", reason: "the ramp is at 4%; promote, abort or resume", phase: v1alpha1.PhaseInconclusive, effects: []string{"Measure"}}},
		"known, and it might go on": {on(half, bounded("0.001"), over, known),
			want{rule: "waitingForPerson", reason: "the ramp is at 4%; promote, abort or resume", phase: v1alpha1.PhaseInconclusive, effects: []string{"Measure"}}},
		"from a record without exposures": {on(half, bounded("0.2"), unexposed),
			want{rule: "stepUnfinished", reason: "the ramp stays at 4%: " + most("20"), effects: []string{"Measure"}, wake: time.Minute}},
	})
}

// A person's word goes as far as the ramp might go by itself, and no further: promote-full is the word for more.
func TestRampPromoted(t *testing.T) {
	last := Ramp{From: 10, To: 40, Budget: 0.002, Max: gentle.Max}
	full := func(o *Observed) { o.Progress.PromoteFull = true }
	on := func(r Ramp, edits ...edit) Observed {
		return climbing(r, []int32{10, 20, 40}, half, append([]edit{bounded("0.2")}, edits...)...)
	}
	decide(t, map[string]decision{
		"promote":              {on(gentle, asks("promote", "v2")), want{rule: "requested", reason: "promoted by a person: step 4/5 (8%) begins", record: "step 4, request t-promote answered"}},
		"promote, from its to": {on(last, asks("promote", "v2")), want{rule: "requested", reason: "promoted by a person: step 4/4 (100%) begins", record: "step 4, request t-promote answered"}},
		"promote-full":         {on(gentle, asks("promote-full", "v2")), want{rule: "requested", reason: "a person promotes to 100 %", record: "request t-promote-full answered"}},
		"and then":             {on(gentle, full), want{rule: "stepFinished", reason: "step 3/4 is done: step 4/4 (100%) begins", record: "step 4"}},
		"at the end": {climbing(gentle, []int32{10, 1000}, half, full),
			want{rule: "finished", reason: "revision v2 goes on without the rest of its steps: it is handed over", record: "Unpinning"}},
	})
	p := Decide(on(gentle, asks("promote", "v2")))
	if !slices.Equal(p.Progress.Ramp, []int32{10, 20, 40, 80}) || p.Progress.WeightPermille != 80 {
		t.Errorf("recorded are %v and a weight of %d", p.Progress.Ramp, p.Progress.WeightPermille)
	}
}

// The end of a ramp rests on its bound, and on a Pass of whatever else is measured.
func TestCheckOfARamp(t *testing.T) {
	end := func(edits ...edit) Observed { return climbing(gentle, []int32{10, 1000}, half, edits...) }
	for name, tc := range map[string]struct {
		state Observed
		laws  int
	}{
		"a bound":                    {end(bounded("0.001")), 0},
		"nothing":                    {end(), 1},
		"a bound, and no latencies":  {end(bounded("0.001"), latencySays(v1alpha1.VerdictPending)), 1},
		"a bound, and a bad latency": {end(bounded("0.001"), latencySays(v1alpha1.VerdictFail)), 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := tc.state.record("", "", func(p *v1alpha1.Progress) { p.Stage = v1alpha1.StageUnpinning })
			got := Check(tc.state, *p)
			if len(got) != tc.laws || tc.laws > 0 && got[0].Law != "I10" {
				t.Errorf("broken are %+v, want %d", got, tc.laws)
			}
		})
	}
}

// A bound is told with one digit, rounded up, so that a sentence stays the same while evidence grows a little.
func TestOneDigit(t *testing.T) {
	for bound, want := range map[float64]string{
		-1: "0", 0: "0", 0.2: "0.2", 0.2001: "0.3", 0.0101: "0.02", 0.99: "1", 1: "1", 3.41: "4", 9.1: "10", 20: "20", 21: "30", 100: "100",
	} {
		if got := oneDigit(bound); got != want {
			t.Errorf("%v is told as %s, want %s", bound, got, want)
		}
	}
}
