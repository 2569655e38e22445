package latency

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/belay-dev/belay/analysis/evidence"
)

func finite(t rapid.TB, r Report) {
	t.Helper()
	values := []float64{r.LogE, r.LogAccept, r.Canary.P50, r.Canary.P90, r.Canary.P99, r.Stable.P50, r.Stable.P99}
	for _, e := range r.Excess {
		values = append(values, e.Bound, e.Lower, e.Upper)
		if e.Lower > e.Upper || e.Lower < -1 || e.Upper > 1 {
			t.Errorf("excess from %v to %v", e.Lower, e.Upper)
		}
	}
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("%+v", r)
		}
	}
}

func TestAnyCountsGiveNumbers(t *testing.T) {
	count := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{0, 1, 1e9, 1e15, math.MaxInt64, math.MinInt64}), rapid.Int64Range(0, 100))
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		if rapid.Bool().Draw(t, "no history") {
			h.counts = nil
		}
		buckets := len(h.bounds) + 1
		c := comparison(t, drawParams(t), h.bounds, h.counts)
		finite(t, c.Report())
		for range rapid.IntRange(1, 20).Draw(t, "ticks") {
			c.Add(Tick{
				Canary:        rapid.SliceOfN(count, buckets, buckets).Draw(t, "canary"),
				Stable:        rapid.SliceOfN(count, buckets, buckets).Draw(t, "stable"),
				WeightChanged: rapid.Bool().Draw(t, "weight changed"),
				Baseline:      rapid.SampledFrom([]evidence.Baseline{evidence.Measured, evidence.Measured, evidence.Missing, evidence.Gone}).Draw(t, "baseline"),
			})
			finite(t, c.Report())
		}
	})
}

// Eight hours of ticks with 10⁹ requests each.
func TestLongAndHuge(t *testing.T) {
	h := usualHistory()
	tests := map[string]struct {
		tick Tick
		want evidence.Verdict
	}{
		"equal":        {tickOf(500_000_000, 500_000_000, 0, 1), evidence.Pass},
		"small canary": {tickOf(5_000, 1_000_000_000, 0, 1), evidence.Pass},
		"small stable": {tickOf(1_000_000_000, 5_000, 0, 1), evidence.Pass},
		"slower":       {tickOf(10_000_000, 990_000_000, 0, 1.4), evidence.Fail},
		"much slower":  {tickOf(10_000_000, 990_000_000, 0, 30), evidence.Fail},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := comparison(t, evidence.Defaults(), h.bounds, h.counts)
			for i := range 3000 {
				c.Add(tc.tick)
				if i%1000 == 0 {
					finite(t, c.Report())
				}
			}
			r := c.Report()
			finite(t, r)
			if r.Verdict != tc.want {
				t.Errorf("%+v", r)
			}
			for _, e := range r.Excess {
				if truth := e.Canary.BadShare() - e.Stable.BadShare(); truth < e.Lower-1e-9 || truth > e.Upper+1e-9 {
					t.Errorf("%v is not in %+v", truth, e)
				}
			}
		})
	}
}

// 10⁵ ticks are more than eleven days of ten seconds.
func TestManyTicks(t *testing.T) {
	h := usualHistory()
	c := comparison(t, plain(1.1, 0.0005), h.bounds, h.counts)
	tick := tickOf(5_000_000, 95_000_000, 0, 1)
	for range 100_000 {
		c.Add(tick)
	}
	r := c.Report()
	finite(t, r)
	if r.Verdict != evidence.Pass || r.Canary.Requests != 100_000*counts(tick.Canary).requests() {
		t.Errorf("%+v", r)
	}
}

// With 10⁹ requests and equal arms, both sums of ℓ are numbers of 10⁸ that nearly cancel: what is left must grow
// as the requests do, and not be rounding.
func TestNothingIsLostInHugeCounts(t *testing.T) {
	h := usualHistory()
	j := comparison(t, plain(1, 0), h.bounds, h.counts).judges
	of := func(n int64) []float64 {
		unit := []int64{1, 2, 30, 200, 400, 200, 40, 20, 3, 2, 1, 1}
		arm := make(counts, len(unit))
		for k := range unit {
			arm[k] = unit[k] * n
		}
		e := j.load(arm, arm)
		var ells []float64
		for g := range j.reject.bets {
			s, b := &j.reject, &j.reject.bets[g]
			ells = append(ells, s.ell(g, 0, b.won(e, s.v, &s.logs), e)/float64(n))
		}
		return ells
	}
	small, huge := of(1), of(1_000_000)
	for g := range small {
		near(t, "ℓ of a request", huge[g], small[g], 1e-9*math.Abs(small[g]))
	}
}

func TestAddDoesNotAllocate(t *testing.T) {
	h := usualHistory()
	c := comparison(t, evidence.Defaults(), h.bounds, h.counts)
	tick, gone := tickOf(250, 4750, 0, 1), with(evidence.Gone, tickOf(5000, 0, 0, 1))
	changed := atNewWeight(tick)
	if allocations := testing.AllocsPerRun(100, func() {
		c.Add(tick)
		c.Add(changed)
		c.Add(gone)
		c.Report()
	}); allocations != 0 {
		t.Errorf("%v allocations for three ticks and a report", allocations)
	}
}
