package latency

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/belay-dev/belay/analysis/evidence"
)

// tick of the usual shop and one that is so much slower.
func tickOf(canary, stable int, from, times float64) Tick {
	return Tick{
		Canary: expected(law(classic(), slower(usual(), from, times)), float64(canary)),
		Stable: expected(law(classic(), usual().above), float64(stable)),
	}
}

func repeat(n int, tick Tick) []Tick {
	ticks := slices.Repeat([]Tick{tick}, n)
	for i := range ticks {
		ticks[i].WeightChanged = tick.WeightChanged && i == 0
	}
	return ticks
}

func atNewWeight(tick Tick) Tick {
	tick.WeightChanged = true
	return tick
}

func with(b evidence.Baseline, tick Tick) Tick {
	tick.Baseline = b
	return tick
}

func usualHistory() history {
	return history{classic(), expected(law(classic(), usual().above), 1e6)}
}

func TestVerdicts(t *testing.T) {
	healthy, faulty, slowTail := tickOf(2500, 7500, 0, 1), tickOf(2500, 7500, 0, 1.8), tickOf(2500, 7500, 0.93, 2.2)
	none := Tick{}
	tests := map[string]struct {
		ticks   []Tick
		verdict evidence.Verdict
		frozen  bool
	}{
		"nothing":                         {nil, evidence.Undecided, false},
		"one tick decides nothing":        {repeat(1, faulty), evidence.Undecided, false},
		"two are enough":                  {repeat(2, faulty), evidence.Fail, false},
		"a slow canary":                   {repeat(4, faulty), evidence.Fail, false},
		"a slow tail":                     {repeat(20, slowTail), evidence.Fail, false},
		"a healthy canary":                {repeat(60, healthy), evidence.Pass, false},
		"a faster canary":                 {repeat(20, tickOf(2500, 7500, 0, 0.7)), evidence.Pass, false},
		"Pass belongs to a weight":        {append(repeat(60, healthy), atNewWeight(healthy)), evidence.Undecided, false},
		"and is won again":                {append(repeat(60, healthy), repeat(60, atNewWeight(healthy))...), evidence.Pass, false},
		"Fail stays":                      {append(repeat(4, faulty), repeat(200, atNewWeight(healthy))...), evidence.Fail, false},
		"Fail after Pass":                 {append(repeat(60, healthy), repeat(9, faulty)...), evidence.Fail, false},
		"a fault after an hour of health": {append(repeat(360, healthy), repeat(9, atNewWeight(faulty))...), evidence.Fail, false},
		"frozen at weight 100":            {append(repeat(60, healthy), atNewWeight(with(evidence.Gone, tickOf(10_000, 0, 0, 1)))), evidence.Pass, true},
		"still judged at 100":             {append(repeat(60, healthy), repeat(5, atNewWeight(with(evidence.Gone, tickOf(10_000, 0, 0, 2))))...), evidence.Fail, true},
		"healthy at 100":                  {append(repeat(60, healthy), repeat(600, atNewWeight(with(evidence.Gone, tickOf(10_000, 0, 0, 1))))...), evidence.Pass, true},
		"undecided stays so at 100":       {append(repeat(2, healthy), repeat(600, atNewWeight(with(evidence.Gone, tickOf(10_000, 0, 0, 0.5))))...), evidence.Undecided, true},
		"missing is not gone":             {append(repeat(60, healthy), atNewWeight(with(evidence.Missing, healthy))), evidence.Undecided, false},
		"judged while stable is missing":  {append(repeat(60, healthy), repeat(9, with(evidence.Missing, faulty))...), evidence.Fail, false},
		"missing from the start":          {repeat(50, with(evidence.Missing, faulty)), evidence.Undecided, false},
		"no requests at all":              {repeat(500, none), evidence.Undecided, false},
		"no canary":                       {repeat(100, Tick{Stable: healthy.Stable}), evidence.Undecided, false},
		"no stable, unannounced":          {repeat(100, Tick{Canary: faulty.Canary}), evidence.Undecided, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := added(t, evidence.Defaults(), usualHistory(), tc.ticks...).Report()
			if r.Verdict != tc.verdict || r.Frozen != tc.frozen {
				t.Errorf("%+v", r)
			}
			if (r.Tick >= 0) != (r.Verdict != evidence.Undecided) || r.Tick >= len(tc.ticks) {
				t.Errorf("verdict %s at tick %d", r.Verdict, r.Tick)
			}
		})
	}
}

// Without a history the stable's first 500 requests make one, and what comes before is not judged.
func TestLearning(t *testing.T) {
	p, faulty := evidence.Defaults(), tickOf(100, 150, 0, 1.8)
	c := comparison(t, p, classic(), nil)
	for i := range 4 {
		if r := c.Report(); !r.Learning || r.LogE != 0 || r.LogAccept != 0 || r.Strongest != -1 || r.Excess[0] != (Excess{Lower: -1, Upper: 1}) {
			t.Errorf("before tick %d: %+v", i, r)
		}
		c.Add(faulty)
	}
	if r := c.Report(); r.Learning || r.Canary.Requests != 0 {
		t.Errorf("%+v", r)
	}
	for range 300 {
		c.Add(faulty)
	}
	if r := c.Report(); r.Verdict != evidence.Fail {
		t.Errorf("%+v", r)
	}
	// A little history counts.
	little := expected(law(classic(), usual().above), 300)
	c = comparison(t, p, classic(), little)
	c.Add(faulty)
	c.Add(faulty)
	if r := c.Report(); r.Learning {
		t.Errorf("%+v", r)
	}
}

// What a person reads of one tick.
func TestReport(t *testing.T) {
	p := plain(1.1, 0.0005)
	c := added(t, p, history{fourBounds(), []int64{400, 470, 115, 15}}, Tick{Canary: []int64{20, 30, 40, 10}, Stable: []int64{400, 400, 150, 50}})
	r := c.Report()
	if r.Canary != (Arm{Requests: 100, Beyond: 10, P50: 2, P90: 4, P99: 4}) || r.Stable.Requests != 1000 {
		t.Errorf("%+v", r)
	}
	near(t, "p50 of the stable", r.Stable.P50, math.Pow(2, 0.25), 1e-12)
	near(t, "p90 of the stable", r.Stable.P90, 2*math.Pow(2, 100.0/150), 1e-12)
	want := []struct {
		quantile, bound float64
		canary, stable  int64
	}{{0.5, 1, 80, 600}, {0.9, 2, 50, 200}, {0.99, 4, 10, 50}}
	for i, w := range want {
		got := r.Excess[i]
		if got.Quantile != w.quantile || got.Bound != w.bound || got.Canary != (evidence.Counts{Requests: 100, Bad: w.canary}) ||
			got.Stable != (evidence.Counts{Requests: 1000, Bad: w.stable}) {
			t.Errorf("%+v, want %+v", got, w)
		}
		interval := evidence.NewInterval(p.Alpha/3, p.Phi)
		interval.Add(got.Canary, got.Stable)
		lower, upper := interval.Bounds()
		near(t, "lower", got.Lower, lower, 0)
		near(t, "upper", got.Upper, upper, 0)
	}
	if r.Strongest != 1 {
		t.Errorf("the strongest is %d", r.Strongest)
	}
	// With one bound there is one exceedance, with its share of α.
	one := added(t, p, history{[]float64{1}, []int64{900, 100}}, Tick{Canary: []int64{80, 20}, Stable: []int64{900, 100}}).Report()
	if one.Excess[0].Quantile != 0.9 || one.Excess[1] != (Excess{Lower: -1, Upper: 1}) || one.Strongest != 0 {
		t.Errorf("%+v", one)
	}
}

func TestBadInputIsNamed(t *testing.T) {
	p := evidence.Defaults()
	alone := p
	alone.MarginRelative = 0
	loose := p
	loose.Alpha = 2
	tests := map[string]struct {
		params  evidence.Params
		bounds  []float64
		history []int64
		want    string
	}{
		"no stretch":         {alone, classic(), nil, "relative margin is 0: for latencies it must be from 0.1 to 10"},
		"alpha":              {loose, classic(), nil, "alpha is 2"},
		"no bounds":          {p, nil, nil, "no bounds"},
		"bounds fall":        {p, []float64{1, 3, 2}, nil, "bound 2 of the histogram is 2 after 3"},
		"bounds repeat":      {p, []float64{1, 1}, nil, "bound 1 of the histogram is 1 after 1"},
		"infinite bound":     {p, []float64{1, math.Inf(1)}, nil, "end before +Inf"},
		"not a number":       {p, []float64{math.NaN()}, nil, "bound 0 of the histogram is NaN"},
		"bound 0":            {p, []float64{0, 1}, nil, "above 0"},
		"history of another": {p, []float64{1, 2}, []int64{1, 2}, "the history has 2 buckets: with 2 bounds there are 3"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := New(tc.params, tc.bounds, tc.history); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v", err)
			}
		})
	}
	for name, tc := range map[string]struct {
		tick Tick
		want string
	}{
		"fine":            {Tick{Canary: []int64{1, 2, 3}}, ""},
		"too few buckets": {Tick{Stable: []int64{1, 2}}, "stable has 2 buckets: with 2 bounds there are 3"},
		"negative":        {Tick{Canary: []int64{1, -2, 3}}, "canary bucket 1 is -2"},
	} {
		t.Run(name, func(t *testing.T) {
			err := tc.tick.Validate(2)
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v", err)
			}
		})
	}
}
