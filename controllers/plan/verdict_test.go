package plan

import (
	"slices"
	"testing"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

func TestVerdict(t *testing.T) {
	metric := func(name string, v v1alpha1.Verdict) v1alpha1.MetricStatus {
		return v1alpha1.MetricStatus{Name: name, Verdict: v, Value: "1", Limit: "result < 2", Step: 2}
	}
	dry := func(m v1alpha1.MetricStatus) v1alpha1.MetricStatus { m.DryRun = true; return m }
	pass, fail, open, pending := v1alpha1.VerdictPass, v1alpha1.VerdictFail, v1alpha1.VerdictInconclusive, v1alpha1.VerdictPending
	tests := map[string]struct {
		metrics  []v1alpha1.MetricStatus
		edit     edit
		verdict  v1alpha1.Verdict
		sentence string
	}{
		"all pass":               {metrics: []v1alpha1.MetricStatus{metric("a", pass), metric("b", pass)}, verdict: pass, sentence: "every metric passes"},
		"one fails":              {metrics: []v1alpha1.MetricStatus{metric("a", open), metric("b", fail)}, verdict: fail, sentence: "b is 1 (result < 2)"},
		"one is open":            {metrics: []v1alpha1.MetricStatus{metric("a", pass), metric("b", open), metric("c", pending)}, verdict: open, sentence: "b is 1 (result < 2)"},
		"one is pending":         {metrics: []v1alpha1.MetricStatus{metric("a", pending), metric("b", pass)}, verdict: pending, sentence: "a has no verdict yet"},
		"pending, then open":     {metrics: []v1alpha1.MetricStatus{metric("a", pending), metric("b", open)}, verdict: open, sentence: "b is 1 (result < 2)"},
		"a dry run alone":        {metrics: []v1alpha1.MetricStatus{dry(metric("a", pass))}, verdict: pending, sentence: "nothing has been measured yet"},
		"a dry run does not say": {metrics: []v1alpha1.MetricStatus{dry(metric("a", fail)), metric("b", pass)}, verdict: pass, sentence: "every metric passes"},
		"nothing measured":       {verdict: pending, sentence: "nothing has been measured yet"},
		"nothing to measure":     {edit: func(o *Observed) { o.Config.Measuring, o.Config.Gating = false, false }, verdict: pass, sentence: "nothing is measured at this step"},
		"nothing gates":          {edit: func(o *Observed) { o.Config.Gating = false }, verdict: pass, sentence: "nothing is measured at this step"},
		"before startAt":         {edit: func(o *Observed) { o.Config.StartAt = 3 }, verdict: pass, sentence: "nothing is measured at this step"},
		"no verdict at all":      {metrics: []v1alpha1.MetricStatus{metric("a", "")}, verdict: pending, sentence: "a has no verdict yet"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			o := baking(2, time.Minute)
			o.Metrics = tc.metrics
			if tc.edit != nil {
				tc.edit(&o)
			}
			if got := o.verdict(); got != (judgement{tc.verdict, tc.sentence}) {
				t.Errorf("verdict %+v, want %s, %q", got, tc.verdict, tc.sentence)
			}
		})
	}
	o := baking(2, time.Minute)
	o.Metrics = []v1alpha1.MetricStatus{metric("a", fail), {Name: "b", Step: 1}}
	if got := o.evidence(); !slices.Equal(got, []string{"a\t1\tresult < 2\tFail"}) {
		t.Errorf("evidence %q", got)
	}
}

func TestSize(t *testing.T) {
	ladder := []Step{{Permille: 1}, {Permille: 100}, {Permille: 500}, {Permille: 500, Approve: true}, {Permille: 1000}}
	tests := map[string]struct {
		replicas, now int32 // at the attempt's start, and now
		step          int32
		edit          func([]Step)
		want          int32
	}{
		"a thousandth is one pod":       {4, 4, 1, nil, 1},
		"rounded up":                    {11, 11, 2, nil, 2},
		"half":                          {10, 10, 3, nil, 5},
		"a person's step keeps it":      {10, 10, 4, nil, 5},
		"the last is all":               {10, 10, 5, nil, 10},
		"the last follows the workload": {10, 14, 5, nil, 14},
		"others do not":                 {10, 14, 3, nil, 5},
		"the last when scaled to zero":  {10, 0, 5, nil, 1},
		"started at zero":               {0, 0, 3, nil, 1},
		"a number":                      {10, 10, 2, func(l []Step) { l[1].Replicas = 3 }, 3},
		"a number above all":            {10, 10, 2, func(l []Step) { l[1].Replicas = 30 }, 10},
		"never smaller than before":     {10, 10, 3, func(l []Step) { l[1].Replicas = 8 }, 8},
		"a percentage":                  {10, 10, 2, func(l []Step) { l[1].Percent = 31 }, 4},
		"a thousand pods":               {1000, 1000, 2, nil, 100},
		"beyond 32 bits on the way":     {2_000_000_000, 2_000_000_000, 3, nil, 1_000_000_000},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			o := atRest()
			o.Config.Ladder = slices.Clone(ladder)
			if tc.edit != nil {
				tc.edit(o.Config.Ladder)
			}
			o.Progress.Replicas, o.Workload.Replicas, o.Progress.Step = tc.replicas, tc.now, tc.step
			if got := o.size(); got != tc.want {
				t.Errorf("size %d, want %d", got, tc.want)
			}
		})
	}
}

func TestClock(t *testing.T) {
	tests := map[string]struct {
		programmed time.Duration // before noon; 0: it stands
		before     time.Duration
		elapsed    time.Duration
		reaches    time.Duration // a minute, from noon; 0: never by itself
	}{
		"stands":              {0, 20 * time.Second, 20 * time.Second, 0},
		"settles":             {2 * time.Second, 0, 0, 61 * time.Second},
		"starts":              {3 * time.Second, 0, 0, time.Minute},
		"runs":                {33 * time.Second, 0, 30 * time.Second, 30 * time.Second},
		"runs again":          {13 * time.Second, 20 * time.Second, 30 * time.Second, 30 * time.Second},
		"settles again":       {2 * time.Second, 20 * time.Second, 20 * time.Second, 41 * time.Second},
		"is over it":          {93 * time.Second, 0, 90 * time.Second, -30 * time.Second},
		"was over it already": {2 * time.Second, 70 * time.Second, 70 * time.Second, -9 * time.Second},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			o := entered(1)
			o.Progress.ClockElapsed.Duration = tc.before
			if tc.programmed > 0 {
				o.Progress.ProgrammedSince = microPtr(noon.Add(-tc.programmed))
			}
			if got := o.elapsed(); got != tc.elapsed {
				t.Errorf("the clock shows %s, want %s", got, tc.elapsed)
			}
			at := o.clockReaches(time.Minute)
			if tc.reaches == 0 {
				if !at.IsZero() {
					t.Errorf("a clock that stands reaches a minute at %s", at)
				}
			} else if got := at.Sub(noon); got != tc.reaches {
				t.Errorf("reaches a minute in %s, want %s", got, tc.reaches)
			}
		})
	}
}

func TestStepDeadline(t *testing.T) {
	tests := map[string]struct {
		bake, written, four, want time.Duration
	}{
		"three times the bake":        {time.Minute, 0, 40 * time.Second, 3 * time.Minute},
		"time for four measurements":  {10 * time.Second, 0, 40 * time.Second, 50 * time.Second},
		"no bake":                     {0, 0, 40 * time.Second, 40 * time.Second},
		"as written":                  {time.Minute, 90 * time.Second, 40 * time.Second, 90 * time.Second},
		"never shorter than the bake": {time.Minute, time.Second, 40 * time.Second, time.Minute},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			o := entered(1)
			o.Config.Ladder[0].Bake, o.Config.StepDeadline, o.Config.FourMeasurements = tc.bake, tc.written, tc.four
			if got := o.stepDeadline(); got != tc.want {
				t.Errorf("deadline %s, want %s", got, tc.want)
			}
		})
	}
}

func TestPercent(t *testing.T) {
	for permille, want := range map[int32]string{0: "0%", 1: "0.1%", 5: "0.5%", 10: "1%", 255: "25.5%", 1000: "100%"} {
		if got := Percent(permille); got != want {
			t.Errorf("%d is %s, want %s", permille, got, want)
		}
	}
}

func TestStepText(t *testing.T) {
	o := baking(2, 0)
	if got := o.stepText(); got != "2/3 (50%)" {
		t.Errorf("step is %q", got)
	}
	o.Progress.Step = 0
	if got := o.stepText(); got != "" {
		t.Errorf("no step is %q", got)
	}
}
