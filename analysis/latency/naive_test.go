package latency

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/belay-dev/belay/analysis/evidence"
)

// naiveReject is the reject side against one margin, without logarithms of sums.
func naiveReject(c *Comparison, k kernel, ticks []Tick) float64 {
	p, j := c.params, c.judges
	_, mass := null{curve: newCurve(c.bounds, c.learned), groups: j.groups, stretch: p.MarginRelative, excess: p.MarginAbsolute}.rejectBets()
	reserve, limit := 0.5, math.Pow(p.Alpha, -0.75)
	if p.NoRestart {
		reserve = 0
	}
	if p.NoCap {
		limit = math.Inf(1)
	}
	bets := make([]float64, len(mass))
	for g := range bets {
		bets[g] = (1 - reserve) * mass[g]
	}
	sum := 0.0
	for i, tick := range ticks {
		h := 1 - math.Pow(1-1.0/360, p.TickSeconds/10)
		if tick.WeightChanged && i > 0 {
			h = 0.5
		}
		e := j.load(tick.Canary, tick.Stable)
		sum = 0
		for g := range bets {
			won := math.Exp(naiveEll(j.reject.bets[g], e, k, p.MarginAbsolute) / p.Phi)
			bets[g] = (bets[g] + h*reserve*mass[g]) * min(won, limit)
			sum += bets[g]
		}
		reserve *= 1 - h
	}
	return reserve + sum
}

// The cells of noise end at s, 2s and 3s, and the factors are as 1/density in their middles. For α = 1 % what is
// beyond 3s leaves 0.865 to be spent.
func TestAgainstTheFormulasAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, h := drawParams(t), drawHistory(t)
		p.Alpha, p.Noise = 0.01, rapid.SampledFrom([]float64{0, 0.1}).Draw(t, "noise or none")
		c := comparison(t, p, h.bounds, h.counts)
		ticks := make([]Tick, rapid.IntRange(1, 6).Draw(t, "ticks"))
		for i := range ticks {
			ticks[i] = Tick{Canary: drawArm(t, len(h.bounds)+1, "canary"), Stable: drawArm(t, len(h.bounds)+1, "stable"),
				WeightChanged: rapid.Bool().Draw(t, "weight changed")}
			c.Add(ticks[i])
		}
		curve := newCurve(h.bounds, h.counts)
		stretched := func(by float64) kernel { return newKernel(c.judges.groups, curve, by) }
		want := math.Log(naiveReject(c, stretched(p.MarginRelative), ticks))
		if p.Noise > 0 {
			below := func(z float64) float64 { return (1 + math.Erf(z/math.Sqrt2)) / 2 }
			inverse := func(z float64) float64 { return math.Exp(z * z / 2) }
			spent := below(1)*inverse(0.5) + (below(2)-below(1))*inverse(1.5) + (below(3)-below(2))*inverse(2.5)
			scale := (1 - (1-below(3))/p.Alpha) / spent
			want = math.Inf(1)
			for z := 1.0; z <= 3; z++ {
				e := naiveReject(c, stretched(p.MarginRelative*math.Exp(z*p.Noise)), ticks)
				want = min(want, math.Log(scale*inverse(z-0.5)*e))
			}
		}
		if math.IsNaN(want) || math.IsInf(want, 0) {
			return // Without logarithms and without a cap, so much evidence is no number.
		}
		near(t, "ln E", c.LogE(), want, 1e-7*(1+math.Abs(want)))
	})
}

func TestBlocks(t *testing.T) {
	p, h := evidence.Defaults(), usualHistory()
	whole := tickOf(40, 900, 0, 1.8)
	canary, stable := Tick{Canary: whole.Canary}, Tick{Stable: whole.Stable}
	none := Tick{}
	joined, nothing := added(t, p, h, whole).LogE(), comparison(t, p, h.bounds, h.counts).LogE()
	if joined == nothing {
		t.Fatal("the tick says nothing")
	}
	tests := map[string]struct {
		ticks []Tick
		want  float64
	}{
		"two halves":               {[]Tick{canary, stable}, joined},
		"the other way round":      {[]Tick{stable, none, canary}, joined},
		"the sixth tick":           {[]Tick{canary, none, none, none, none, stable}, joined},
		"too late":                 {[]Tick{canary, none, none, none, none, none, stable}, nothing},
		"the next block is fresh":  {[]Tick{tickOf(0, 500, 0, 1), none, none, none, none, none, canary, stable}, joined},
		"a missing stable ends it": {[]Tick{canary, with(evidence.Missing, none), stable}, nothing},
		"a weight ends a block":    {[]Tick{canary, atNewWeight(stable)}, nothing},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			near(t, "ln E", added(t, p, h, tc.ticks...).LogE(), tc.want, 0)
		})
	}
}

// A ramp changes the weight all the time, and its interval goes on.
func TestIntervalSpansWeights(t *testing.T) {
	tick := tickOf(500, 1500, 0, 1)
	for spans, same := range map[bool]bool{true: false, false: true} {
		p := evidence.Defaults()
		p.IntervalSpansWeights = spans
		once := added(t, p, usualHistory(), tick).Report().Excess[0]
		twice := added(t, p, usualHistory(), tick, atNewWeight(tick)).Report().Excess[0]
		if (once == twice) != same || twice.Canary != once.Canary {
			t.Errorf("%+v, and after the weight changed %+v", once, twice)
		}
	}
}

// 30 minutes with 100 slow of 1,000 each, then 60 with 20: an hour later only these count. Of 60,000 then 1,200 are
// slow, and the canary may have (√1201 + 3/2)²/60,000 + a.
func TestLevel(t *testing.T) {
	l := newLevel(2)
	for minute := range 90 {
		slow := 100.0
		if minute >= 30 {
			slow = 20
		}
		for range 6 {
			l.add([]float64{(1000 - slow) / 6, slow / 6}, 10)
		}
	}
	hour, known := l.hour()
	near(t, "slow", hour[1], 59*20, 1e-6) // the present minute is empty
	shares := make([]float64, 1)
	k := kernel{rows: []row{{first: 0}, {first: 1}}}
	k.allowed([]float64{58_800, 1200}, 0.001, 1, shares)
	near(t, "share", shares[0], math.Pow(math.Sqrt(1201)+1.5, 2)/60_000+0.001, 1e-12)
	k.rows[0].above = []float64{0.1}
	k.allowed([]float64{58_800, 1200}, 0, 4, shares)
	near(t, "share of the stretched", shares[0], math.Pow(math.Sqrt(5880+1200+1)+3, 2)/60_000, 1e-12)
	empty := newLevel(2)
	if _, any := empty.hour(); any || !known {
		t.Error("an hour without requests is not known")
	}
}
