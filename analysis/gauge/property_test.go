package gauge

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

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
