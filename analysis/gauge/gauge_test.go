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

func near(t rapid.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.12g, want %.12g", what, got, want)
	}
}

func unmoved() moved { return moved{times: 1} }

// Of the pairs of 1, 3, 5 and 2, 3, three are above and one is a tie.
func TestPreferenceByHand(t *testing.T) {
	canary, stable := []float64{1, 3, 5}, []float64{2, 3}
	near(t, "preference", preference(canary, stable, unmoved()), 3.5/6, 1e-15)
	near(t, "preference over twice as much", preference(canary, stable, moved{times: 2}), 1.0/6, 1e-15)
	near(t, "preference over 2 more", preference(canary, stable, moved{times: 1, plus: 2}), 1.5/6, 1e-15)
	if got := below(canary, stable, unmoved()); !slices.Equal(got, []float64{0, 0.75, 1}) {
		t.Errorf("placements %v", got)
	}
}

// The mean of the squares around 7/12 is (49 + 4 + 25)/144/2.
func TestVarianceByHand(t *testing.T) {
	near(t, "variance", variance([]float64{0, 0.75, 1}), 78.0/144/2, 1e-15)
	near(t, "variance of arms that do not overlap", variance([]float64{1, 1, 1}), 1.0/12, 1e-15)
}

// 30 of the canary at 3 and 40 of stable at 1 and 2, worth half: p = 1, and no placement varies.
func TestDeviationByHand(t *testing.T) {
	l := look{canary: slices.Repeat([]float64{3}, 30), stable: append(slices.Repeat([]float64{1}, 20), slices.Repeat([]float64{2}, 20)...),
		canaryWorth: 15, stableWorth: 20}
	near(t, "z", l.deviation(unmoved()), 0.5/math.Sqrt((1.0/15+1.0/20)/12), 1e-12)
	near(t, "shift", l.shift(0.5), 1.5, 0.5)
	lower, upper := l.bounds(1)
	if !(lower >= 1-1e-9 && upper <= 2+1e-9) {
		t.Errorf("from %v to %v", lower, upper)
	}
}

// The differences of 1, 4, 9 and 0, 2 are 1, -1, 4, 2, 9, 7: their median is 3.
func TestShiftIsTheMedianOfDifferences(t *testing.T) {
	l := look{canary: []float64{1, 4, 9}, stable: []float64{0, 2}}
	if d := l.shift(0.5); !(d >= 2-1e-9 && d <= 4+1e-9) {
		t.Errorf("shift is %v", d)
	}
	rapid.Check(t, func(t *rapid.T) {
		sample := rapid.SliceOfN(rapid.Float64Range(-1000, 1000), 1, 30)
		l := look{canary: sample.Draw(t, "canary"), stable: sample.Draw(t, "stable")}
		slices.Sort(l.canary)
		slices.Sort(l.stable)
		var differences []float64
		for _, x := range l.canary {
			for _, y := range l.stable {
				differences = append(differences, x-y)
			}
		}
		slices.Sort(differences)
		n, d := len(differences), l.shift(0.5)
		if d < differences[(n-1)/2]-1e-9 || d > differences[n/2]+1e-9 {
			t.Errorf("shift is %v, the middle of the differences from %v to %v", d, differences[(n-1)/2], differences[n/2])
		}
	})
}

func armOf(pods ...[]float64) *arm {
	return &arm{pods: pods, ticks: len(pods[0])}
}

// Values that follow their neighbour with 0.5 have τ = (1 + 0.5)/(1 - 0.5) = 3, with 0.8 they have 9.
func TestInflation(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	following := func(follow float64, ticks int) []float64 {
		pod, state := make([]float64, ticks), 0.0
		for i := range pod {
			state = follow*state + math.Sqrt(1-follow*follow)*r.NormFloat64()
			pod[i] = state
		}
		return pod
	}
	for follow, want := range map[float64]float64{0: 1, 0.5: 3, 0.8: 9} {
		near(t, "τ", armOf(following(follow, 20_000)).inflation(), want, 0.15*want)
	}
	two := armOf(following(0.5, 10_000), following(0.5, 10_000))
	near(t, "τ of two pods", two.inflation(), 3, 0.45)
	for i := range two.pods[1] {
		two.pods[1][i] += 100
	}
	near(t, "τ of two pods with levels of their own", two.inflation(), 3, 0.5)
	near(t, "τ of what never moves", armOf(slices.Repeat([]float64{7}, 50), slices.Repeat([]float64{8}, 50)).inflation(), 50, 0)
	// Holes do not matter where nothing follows anything.
	holes := following(0, 5000)
	for i := 0; i < len(holes); i += 3 {
		holes[i] = math.NaN()
	}
	near(t, "τ with holes", armOf(holes).inflation(), 1, 0.2)
	// Neighbours that are opposite are not taken as worth more than they are.
	zigzag := make([]float64, 1000)
	for i := range zigzag {
		zigzag[i] = float64(i % 2)
	}
	if tau := armOf(zigzag).inflation(); tau < 1 {
		t.Errorf("τ is %v", tau)
	}
}

func TestSpendingAddsUp(t *testing.T) {
	sum := 0.0
	for k := 1; k <= 100_000; k++ {
		sum += spent(0.01, k)
	}
	near(t, "all that is spent", sum, 0.01*(1-1.0/100_001), 1e-12)
}

// Three pods whose logarithms are -0.1, 0, 0.1 have σ = 0.1, and Student's quantile for two degrees of freedom
// and 0.5 % is 9.9248. Against one pod: exp(9.9248·0.1·√(1 + 1/3)).
func TestAllowance(t *testing.T) {
	steady := func(v float64) []float64 { return slices.Repeat([]float64{v}, noiseSamples) }
	one := armOf(steady(5))
	three := armOf(steady(math.Exp(-0.1)), steady(1), steady(math.Exp(0.1)))
	near(t, "allowance", allowance(one, three, 0.05, 0.005), math.Exp(9.9248432*0.1*math.Sqrt(4.0/3)), 1e-6)
	assumed := math.Exp(0.05 * 2.5758293)
	near(t, "allowance of two pods", allowance(one, armOf(three.pods[:2]...), 0.05, 0.005), assumed, 1e-8)
	near(t, "allowance where one has nothing", allowance(one, armOf(steady(0), steady(1), steady(2)), 0.05, 0.005), assumed, 1e-8)
	near(t, "allowance of pods that just came", allowance(one, armOf(three.pods[0][:5], three.pods[1][:5], three.pods[2][:5]), 0.05, 0.005), assumed, 1e-8)
}

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

func drawTicks(t *rapid.T) []Tick {
	value := rapid.OneOf(rapid.Float64Range(0, 100), rapid.SampledFrom([]float64{0, 1, 1, 2, math.NaN()}))
	canary, stable := rapid.IntRange(1, 3).Draw(t, "canary's pods"), rapid.IntRange(1, 4).Draw(t, "stable's pods")
	ticks := make([]Tick, rapid.IntRange(1, 30).Draw(t, "ticks"))
	for i := range ticks {
		ticks[i] = Tick{
			Canary:        rapid.SliceOfN(value, canary, canary).Draw(t, "canary"),
			Stable:        rapid.SliceOfN(value, stable, stable).Draw(t, "stable"),
			WeightChanged: rapid.IntRange(0, 20).Draw(t, "weight changed") == 0,
		}
	}
	return ticks
}

func TestAnyValuesGiveNumbers(t *testing.T) {
	value := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, 1e-320}))
	rapid.Check(t, func(t *rapid.T) {
		c, err := New(Defaults())
		if err != nil {
			t.Fatal(err)
		}
		for range 26 {
			c.Add(Tick{Canary: rapid.SliceOfN(value, 0, 3).Draw(t, "canary"), Stable: rapid.SliceOfN(value, 0, 3).Draw(t, "stable")})
		}
		r := c.Report()
		for _, v := range []float64{r.Canary.Worth, r.Canary.Median, r.Stable.Median, r.Shift, r.Lower, r.Upper, r.Allowance, r.Deviation} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%+v", r)
			}
		}
	})
}

// A higher value of the canary never lowers the preference, the shift or its place among the values.
func TestHigherValuesOfTheCanaryNeverHelpIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sample := rapid.SliceOfN(rapid.Float64Range(0, 10), 1, 30)
		before := look{canary: sample.Draw(t, "canary"), stable: sample.Draw(t, "stable")}
		after := look{canary: slices.Clone(before.canary), stable: before.stable}
		after.canary[rapid.IntRange(0, len(after.canary)-1).Draw(t, "at")] += rapid.Float64Range(0, 10).Draw(t, "more")
		for _, s := range [][]float64{before.canary, after.canary, before.stable} {
			slices.Sort(s)
		}
		m := moved{times: 1.1, plus: 0.1}
		if a, b := preference(before.canary, before.stable, m), preference(after.canary, after.stable, m); a > b+1e-12 {
			t.Errorf("preference %v and then %v", a, b)
		}
		if a, b := before.shift(0.5), after.shift(0.5); a > b+1e-9 {
			t.Errorf("shift %v and then %v", a, b)
		}
	})
}

func TestSameTicksGiveTheSameBits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ticks := drawTicks(t)
		at := rapid.IntRange(0, len(ticks)).Draw(t, "looked at")
		c := added(t, Defaults(), ticks[:at])
		c.Report()
		for _, tick := range ticks[at:] {
			c.Add(tick)
		}
		if a, b := c.Report(), added(t, Defaults(), ticks).Report(); a != b {
			t.Errorf("%+v and %+v", a, b)
		}
	})
}

// Neither the order of the pods nor the unit of the samples matters.
func TestOrderAndUnitDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ticks := drawTicks(t)
		other := slices.Clone(ticks)
		for i := range other {
			for _, arm := range []*[]float64{&other[i].Canary, &other[i].Stable} {
				*arm = slices.Clone(*arm)
				slices.Reverse(*arm)
				for slot := range *arm {
					(*arm)[slot] *= 1024
				}
			}
		}
		a, b := added(t, Defaults(), ticks).Report(), added(t, Defaults(), other).Report()
		near(t, "z", a.Deviation, b.Deviation, 1e-9)
		near(t, "shift", 1024*a.Shift, b.Shift, 1e-6)
		if a.Verdict != b.Verdict || a.Tick != b.Tick {
			t.Errorf("%+v and %+v", a, b)
		}
	})
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
