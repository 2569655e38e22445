package gauge

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/belay-dev/belay/analysis/evidence"
)

func ticksOf(n int, canary, stable float64, seed uint64) []Tick {
	r := rand.New(rand.NewPCG(seed, 3))
	var ticks []Tick
	for range n {
		draw := func(level float64) float64 { return level * math.Exp(0.1*r.NormFloat64()) }
		ticks = append(ticks, Tick{Canary: []float64{draw(canary), draw(canary)}, Stable: []float64{draw(stable), draw(stable), draw(stable)}})
	}
	return ticks
}

func atNewWeight(ticks []Tick) []Tick {
	ticks[0].WeightChanged = true
	return ticks
}

func gone(ticks []Tick) []Tick {
	for i := range ticks {
		ticks[i].Baseline, ticks[i].Stable = evidence.Gone, nil
	}
	return ticks
}

func added(t rapid.TB, p Params, ticks []Tick) *Comparison {
	t.Helper()
	c, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, tick := range ticks {
		c.Add(tick)
	}
	return c
}

func TestVerdicts(t *testing.T) {
	high, same := func(n int) []Tick { return ticksOf(n, 2, 1, 1) }, func(n int) []Tick { return ticksOf(n, 1, 1, 2) }
	constant := func(n int, canary float64) []Tick {
		return slices.Repeat([]Tick{{Canary: []float64{canary, canary}, Stable: []float64{1, 1, 1}}}, n)
	}
	tests := map[string]struct {
		ticks   []Tick
		verdict evidence.Verdict
		looks   int
		frozen  bool
	}{
		"nothing":                      {nil, evidence.Undecided, 0, false},
		"too few to look at":           {high(11), evidence.Undecided, 0, false},
		"higher":                       {high(24), evidence.Fail, 1, false},
		"as high":                      {same(96), evidence.Pass, 4, false},
		"looks double":                 {same(95), evidence.Pass, 3, false},
		"Fail stays":                   {append(high(24), atNewWeight(same(300))...), evidence.Fail, 1, false},
		"Pass belongs to a weight":     {append(same(96), atNewWeight(same(11))...), evidence.Undecided, 4, false},
		"and is won again":             {append(same(96), atNewWeight(same(96))...), evidence.Pass, 8, false},
		"higher at the next weight":    {append(same(96), atNewWeight(high(48))...), evidence.Fail, 6, false},
		"late":                         {append(same(200), high(100)...), evidence.Fail, 5, false},
		"frozen":                       {append(same(96), gone(atNewWeight(high(96)))...), evidence.Pass, 4, true},
		"one arm alone is left out":    {gone(high(100)), evidence.Undecided, 0, true},
		"what never moves says little": {constant(400, 2), evidence.Undecided, 6, false},
		"within the margin":            {ticksOf(800, 1.05, 1, 4), evidence.Pass, 7, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := added(t, Defaults(), tc.ticks).Report()
			if r.Verdict != tc.verdict || r.Looks != tc.looks || r.Frozen != tc.frozen || r.Ticks != len(tc.ticks) {
				t.Errorf("%+v", r)
			}
			if (r.Tick >= 0) != (r.Verdict != evidence.Undecided) {
				t.Errorf("verdict %s at tick %d", r.Verdict, r.Tick)
			}
		})
	}
}

// Many pods are much news, but not before there were twelve ticks; and one pod needs more than those.
func TestLeastThatDecides(t *testing.T) {
	many := Tick{Canary: make([]float64, 100), Stable: make([]float64, 100)}
	for i := range many.Canary {
		many.Canary[i] = 1000 + float64(i)
		many.Stable[i] = float64(i)
	}
	if r := added(t, Defaults(), slices.Repeat([]Tick{many}, 11)).Report(); r.Verdict != evidence.Undecided || r.Enough {
		t.Errorf("%+v", r)
	}
	var one []Tick
	for _, tick := range ticksOf(40, 50, 1, 1) {
		one = append(one, Tick{Canary: tick.Canary[:1], Stable: tick.Stable[:1]})
	}
	if r := added(t, Defaults(), one[:12]).Report(); r.Verdict != evidence.Undecided || r.Enough || r.Looks != 1 {
		t.Errorf("%+v", r)
	}
	if r := added(t, Defaults(), one[:24]).Report(); !r.Enough {
		t.Errorf("%+v", r)
	}
}

// A window that is full forgets its older half, so that samples do not grow for ever.
func TestOldSamplesAreForgotten(t *testing.T) {
	c := added(t, Defaults(), ticksOf(lastDoubling, 1, 1, 5))
	if c.canary.ticks != lastDoubling/2 || c.looks != 9 || c.Verdict() != evidence.Pass {
		t.Errorf("%d ticks are kept, %d looks, %s", c.canary.ticks, c.looks, c.Verdict())
	}
}

// What begins late is seen when the newest samples are looked at alone, after 96 ticks at the latest for what
// is so clear, and shown.
func TestLateOnset(t *testing.T) {
	for _, onset := range []int{100, 150, 400, 1000} {
		c := added(t, Defaults(), ticksOf(onset, 1, 1, 5))
		if c.Verdict() != evidence.Pass {
			t.Errorf("%s after %d ticks", c.Verdict(), onset)
		}
		for _, tick := range ticksOf(2*recentTicks, 2, 1, 6) {
			c.Add(tick)
		}
		if r := c.Report(); r.Verdict != evidence.Fail || r.Canary.Samples != 2*recentTicks || r.Canary.Median < 1.5 {
			t.Errorf("onset at %d: %+v", onset, r)
		}
	}
}

// tolerant parameters never decide against the canary.
func tolerant() Params {
	p := Defaults()
	p.MarginRelative = 50
	return p
}

func TestReport(t *testing.T) {
	r := added(t, tolerant(), ticksOf(200, 2, 1, 1)).Report()
	if r.Canary.Samples != 2*192 || r.Stable.Samples != 3*192 || r.NextLook != 384-200 || !r.Enough {
		t.Errorf("%+v", r)
	}
	near(t, "canary's median", r.Canary.Median, 2, 0.05)
	near(t, "stable's median", r.Stable.Median, 1, 0.02)
	near(t, "ratio", r.Ratio(), 2, 0.06)
	near(t, "shift", r.Shift, 1, 0.05)
	if !(r.Lower < r.Shift && r.Shift < r.Upper && r.Lower > 0.9 && r.Upper < 1.1) {
		t.Errorf("from %v to %v", r.Lower, r.Upper)
	}
	// At the fifth look, α/4/30 a side.
	c := added(t, tolerant(), ticksOf(192, 2, 1, 1))
	l := newLook(&c.canary, &c.stable)
	lower, upper := l.bounds(normalQuantile(0.01 / 4 / 30))
	near(t, "lower", r.Lower, lower, 1e-12)
	near(t, "upper", r.Upper, upper, 1e-12)
	if !math.IsNaN((Report{}).Ratio()) {
		t.Error("nothing has a ratio")
	}
}

func TestBadParametersAreNamed(t *testing.T) {
	for want, change := range map[string]func(*Params){
		"alpha is 0: for a gauge":         func(p *Params) { p.Alpha = 0 },
		"beta is 2":                       func(p *Params) { p.Beta = 2 },
		"relative margin is 0":            func(p *Params) { p.MarginRelative = 0 },
		"absolute margin is -1":           func(p *Params) { p.MarginAbsolute = -1 },
		"noise is NaN: for a gauge it mu": func(p *Params) { p.Noise = math.NaN() },
	} {
		p := Defaults()
		change(&p)
		if _, err := New(p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestNoDataMovesNothing(t *testing.T) {
	c := added(t, Defaults(), ticksOf(50, 1.3, 1, 7))
	before := c.Report()
	for range 100 {
		c.Add(Tick{})
		c.Add(Tick{Canary: []float64{5}, Stable: []float64{math.NaN()}})
		c.Add(Tick{Canary: []float64{5}, Stable: []float64{1}, Baseline: evidence.Missing})
	}
	after := c.Report()
	after.Ticks = before.Ticks
	if before != after {
		t.Errorf("%+v became %+v", before, after)
	}
}

// A tick between looks costs nothing; all looks of an hour together cost microseconds a tick.
func BenchmarkHour(b *testing.B) {
	ticks := ticksOf(360, 1, 1, 1)
	for b.Loop() {
		added(b, Defaults(), ticks)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/360, "µs/tick")
}
