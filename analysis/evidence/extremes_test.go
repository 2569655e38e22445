package evidence

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func finite(t rapid.TB, r Report) {
	t.Helper()
	for what, v := range map[string]float64{"ln E": r.LogE, "ln E of the accept side": r.LogAccept, "lower": r.Lower, "upper": r.Upper, "level": r.Level} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("%s is %v in %+v", what, v, r)
		}
	}
	if r.Lower > r.Upper || r.Lower < -1 || r.Upper > 1 {
		t.Errorf("interval from %v to %v", r.Lower, r.Upper)
	}
}

func TestAnyCountsGiveNumbers(t *testing.T) {
	count := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{0, 1, 1e9, 1e15, math.MaxInt64, math.MinInt64}), rapid.Int64Range(0, 100))
	rapid.Check(t, func(t *rapid.T) {
		c := comparison(t, drawParams(t))
		finite(t, c.Report())
		for range rapid.IntRange(1, 30).Draw(t, "ticks") {
			tick := both(count.Draw(t, "canary requests"), count.Draw(t, "canary errors"), count.Draw(t, "stable requests"), count.Draw(t, "stable errors"))
			tick.WeightChanged = rapid.Bool().Draw(t, "weight changed")
			tick.Baseline = rapid.SampledFrom([]Baseline{Measured, Measured, Missing, Gone}).Draw(t, "baseline")
			c.Add(tick)
			finite(t, c.Report())
		}
	})
}

// Half a day of ticks with 10⁹ requests each.
func TestLongAndHuge(t *testing.T) {
	const ticks = 5000
	tests := map[string]struct {
		tick Tick
		want Verdict
	}{
		"equal":            {both(500_000_000, 1_000_000, 500_000_000, 1_000_000), Pass},
		"small canary":     {both(5, 0, 1_000_000_000, 0), Pass},
		"small stable":     {both(1_000_000_000, 1000, 1, 0), Undecided},
		"everywhere good":  {both(10_000_000, 0, 990_000_000, 0), Pass},
		"everywhere bad":   {both(10_000_000, 10_000_000, 990_000_000, 990_000_000), Pass},
		"ten times":        {both(10_000_000, 100_000, 990_000_000, 990_000), Fail},
		"a thousand times": {both(10_000_000, 1_000_000, 990_000_000, 99_000), Fail},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := comparison(t, Defaults())
			for i := range ticks {
				c.Add(tc.tick)
				if i%1000 == 0 {
					finite(t, c.Report())
				}
			}
			r := c.Report()
			finite(t, r)
			if tc.want != Undecided && r.Verdict != tc.want {
				t.Errorf("%+v", r)
			}
			excess := tc.tick.Canary.BadShare() - tc.tick.Stable.BadShare()
			if r.Lower > excess || r.Upper < excess {
				t.Errorf("%v is not between %v and %v", excess, r.Lower, r.Upper)
			}
		})
	}
}

// With 10⁹ requests and a bad share that is just the margin, both sides add up numbers of 10⁷ that cancel: what is
// left must not be rounding.
func TestNothingIsLostInHugeCounts(t *testing.T) {
	for _, n := range []int64{1_000, 1_000_000, 1_000_000_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			tick := compared(Counts{n, n / 100}, Counts{n, n / 100}, 1)
			for _, delta := range []float64{0.15, 4, -0.05, -3} {
				// ℓ(δ) = -k·ln cosh(δ/2) where both arms are equal: δ/2·k - k·ln((1+e^δ)/2).
				want := -float64(n/50) * math.Log(math.Cosh(delta/2))
				near(t, fmt.Sprintf("ℓ(%v)", delta), tick.ell(newNode(delta), 0), want, 1e-13*float64(n))
			}
		})
	}
	// A stable of 1 request against 10⁹ of the canary: 1 - w is 10⁻⁹ and has all its digits.
	tick := compared(Counts{1_000_000_000, 5}, Counts{1, 0}, 1)
	q := (1 + 1e9*math.Exp(-40)) / (1 + 1e9)
	near(t, "ℓ(-40)", tick.ell(newNode(-40), 0), -200-5*math.Log(q), 1e-9)
}

// One request of the canary among 10⁹: q is 1 and a little, and k·ln q is that little times 10⁸.
func TestNothingIsLostInSmallShares(t *testing.T) {
	tick := compared(Counts{1, 1}, Counts{1_000_000_000, 100_000_000}, 1)
	w := 1 / (1 + 1e9)
	want := 0.15 - (1e8+1)*(w*math.Expm1(0.15)-w*w*math.Expm1(0.15)*math.Expm1(0.15)/2)
	near(t, "ℓ(0.15)", tick.ell(newNode(0.15), 0), want, 1e-12)
}

// 10⁵ ticks of a healthy canary, and then it turns bad. Nearly nothing is left in the reserve, e^-278 of it,
// and the cap lets e^3.45 through in a tick: 82 ticks at best.
func TestLateAfterManyTicks(t *testing.T) {
	const ticks = 100_000
	c := comparison(t, Defaults())
	for range ticks {
		c.Add(both(250_000_000, 2_500_000, 750_000_000, 7_500_000))
	}
	finite(t, c.Report())
	if c.Verdict() != Pass {
		t.Fatalf("%+v", c.Report())
	}
	for range 150 {
		c.Add(both(250_000_000, 25_000_000, 750_000_000, 7_500_000))
	}
	if r := c.Report(); r.Verdict != Fail || r.Tick < ticks+81 || r.Tick > ticks+90 {
		t.Errorf("%+v", r)
	}
}
