package latency

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/belay-dev/belay/analysis/evidence"
)

// Small simulations with fixed seeds; the large ones are in canarybench.

// information that one request of either arm has on average against the hypothesis that the canary is not slower,
// by the bet that grows fastest of all that are fair under it: the likelihood ratio, made monotone.
func information(w float64, canary, stable []float64) float64 {
	sum := 0.0
	for j, ratio := range monotone(canary, stable) {
		q := 1 - w + w*ratio
		if canary[j] > tiny {
			sum += w * canary[j] * math.Log(ratio/q)
		}
		sum -= (1 - w) * stable[j] * math.Log(q)
	}
	return sum
}

// release is a stream with known truth.
type release struct {
	bounds   []float64
	stable   func(t float64) float64 // share that takes longer than t
	canary   func(z float64) func(t float64) float64
	requests float64 // per tick
	weight   float64
	cluster  float64 // requests that end in one bucket together
}

func (s release) run(r *rand.Rand, p evidence.Params, ticks int, enough func(*Comparison) bool) {
	stable := law(s.bounds, s.stable)
	canary := law(s.bounds, s.canary(r.NormFloat64()))
	c, err := New(p, s.bounds, expected(stable, 1e6))
	if err != nil {
		panic(err)
	}
	for range ticks {
		c.Add(Tick{
			Canary: s.draw(r, canary, s.requests*s.weight),
			Stable: s.draw(r, stable, s.requests*(1-s.weight)),
		})
		if enough(c) {
			return
		}
	}
}

func (s release) draw(r *rand.Rand, law []float64, requests float64) []int64 {
	counts := drawCounts(r, law, requests/s.cluster)
	for j := range counts {
		counts[j] *= int64(s.cluster)
	}
	return counts
}

func TestDelayOverTheBound(t *testing.T) {
	for name, bounds := range map[string][]float64{"classic": classic(), "native": native()} {
		for _, s := range []shift{{0, 1.2}, {0, 1.6}, {0.93, 1.5}, {0.70, 1.3}} {
			for _, w := range []float64{0.05, 0.5} {
				t.Run(fmt.Sprint(name, " ", s, " ", w), func(t *testing.T) {
					p := plain(1, 0)
					p.NoRestart = false
					canary := slower(usual(), s.from, s.times)
					bound := p.LogThreshold() / information(w, law(bounds, canary), law(bounds, usual().above))
					fine := p.LogThreshold() / information(w, law(dense(), canary), law(dense(), usual().above))
					stream := release{bounds: bounds, stable: usual().above, canary: func(float64) func(float64) float64 { return canary },
						requests: bound / 40, weight: w, cluster: 1}
					r, ticks := rand.New(rand.NewPCG(1, 2)), 0
					const times = 100
					for range times {
						stream.run(r, p, 2000, func(c *Comparison) bool {
							ticks++
							return c.Verdict() == evidence.Fail
						})
					}
					ratio := float64(ticks) / times * stream.requests / bound
					t.Logf("mean delay is %.2f of the bound of these buckets, %.2f of that of all latencies", ratio, ratio*bound/fine)
					if ratio > 2.2 || ratio < 1 {
						t.Errorf("mean delay is %.2f of the bound", ratio)
					}
				})
			}
		}
	}
}

func dense() []float64 {
	var bounds []float64
	for i := -800; i <= 400; i++ {
		bounds = append(bounds, math.Exp2(float64(i)/80))
	}
	return bounds
}

func times(z float64) func(float64) func(float64) float64 {
	return func(float64) func(float64) float64 { return slower(usual(), 0, z) }
}

// noisy pods: the canary's are faster or slower by e^(s·z), z drawn once.
func noisy(stretch, s float64) func(float64) func(float64) float64 {
	return func(z float64) func(float64) float64 { return slower(usual(), 0, stretch*math.Exp(s*z)) }
}

// Every canary here is at the margin or as far from it as noise takes it, and every tick is looked at.
// With α = 5 % and 200 replications 10 rejections are allowed, and 22 would be four standard deviations more.
func TestFalseRejections(t *testing.T) {
	judge := func(stretch, a, phi, s float64) evidence.Params {
		p := evidence.Defaults()
		p.Alpha, p.MarginRelative, p.MarginAbsolute, p.Phi, p.Noise = 0.05, stretch, a, phi, s
		return p
	}
	base := release{bounds: classic(), stable: usual().above, canary: times(1), requests: 5000, weight: 0.25, cluster: 1}
	with := func(change func(*release)) release {
		s := base
		change(&s)
		return s
	}
	tests := map[string]struct {
		release release
		params  evidence.Params
		high    bool // the simulation must show what is wrong without the remedy
	}{
		"as fast":                     {base, judge(1, 0, 1, 0), false},
		"as fast, native":             {with(func(s *release) { s.bounds = native() }), judge(1, 0, 1, 0), false},
		"at the stretch":              {with(func(s *release) { s.canary = times(1.1) }), judge(1.1, 0, 1, 0), false},
		"at the stretch, native":      {with(func(s *release) { s.bounds, s.canary = native(), times(1.1) }), judge(1.1, 0, 1, 0), false},
		"clusters":                    {with(func(s *release) { s.cluster = 4 }), judge(1, 0, 4, 0), false},
		"clusters without φ":          {with(func(s *release) { s.cluster = 4 }), judge(1, 0, 1, 0), true},
		"pods differ":                 {with(func(s *release) { s.canary = noisy(1.1, 0.1) }), judge(1.1, 0.0005, 1, 0.1), false},
		"pods differ, native":         {with(func(s *release) { s.bounds, s.canary = native(), noisy(1, 0.1) }), judge(1, 0.0005, 1, 0.1), false},
		"pods differ, without noise":  {with(func(s *release) { s.canary = noisy(1.1, 0.1) }), judge(1.1, 0.0005, 1, 0), true},
		"at a large stretch":          {with(func(s *release) { s.canary, s.requests = times(1.5), 200_000 }), judge(1.5, 0.0005, 1, 0), false},
		"beyond the stretch is found": {with(func(s *release) { s.canary = times(1.3) }), judge(1.1, 0.0005, 1, 0), true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r, n := rand.New(rand.NewPCG(1, 2)), 0
			for range 200 {
				tc.release.run(r, tc.params, 60, func(c *Comparison) bool {
					if c.Verdict() == evidence.Fail {
						n++
					}
					return c.Verdict() == evidence.Fail
				})
			}
			t.Logf("%d of 200 rejected", n)
			if high := n >= 22; high != tc.high {
				t.Errorf("%d of 200 rejected", n)
			}
		})
	}
}

// A canary that is beyond the margin at one exceedance only is accepted with probability ≤ β = 5 %.
func TestFalseAcceptances(t *testing.T) {
	for name, tc := range map[string]struct {
		params evidence.Params
		canary func(float64) func(float64) float64
		high   bool
	}{
		"as fast, no margin":       {plain(1, 0), times(1), false},
		"at the stretch":           {plain(1.1, 0), times(1.1), false},
		"only the tail is slower":  {plain(1.1, 0), func(float64) func(float64) float64 { return slower(usual(), 0.97, 4) }, false},
		"within the stretch":       {plain(1.2, 0.0005), times(1), true},
		"faster than no margin is": {plain(1, 0), times(0.8), true},
	} {
		t.Run(name, func(t *testing.T) {
			s := release{bounds: native(), stable: usual().above, canary: tc.canary, requests: 20_000, weight: 0.25, cluster: 1}
			r, n := rand.New(rand.NewPCG(1, 2)), 0
			for range 200 {
				s.run(r, tc.params, 60, func(c *Comparison) bool {
					if c.passed >= 0 {
						n++
					}
					return c.passed >= 0
				})
			}
			t.Logf("%d of 200 accepted", n)
			if high := n >= 22; high != tc.high {
				t.Errorf("%d of 200 accepted", n)
			}
		})
	}
}

// All three intervals hold the truth at every look of a stream, with probability 1 - α = 95 %.
func TestExcessHoldsTheTruth(t *testing.T) {
	p := plain(1.1, 0.0005)
	p.Alpha = 0.05
	for name, by := range map[string]float64{"equal": 1, "slower": 1.3, "faster": 0.8} {
		t.Run(name, func(t *testing.T) {
			canary := slower(usual(), 0, by)
			s := release{bounds: classic(), stable: usual().above, canary: times(by), requests: 5000, weight: 0.2, cluster: 1}
			r, missed, wide := rand.New(rand.NewPCG(1, 2)), 0, 0
			for range 100 {
				var last Report
				missedBefore := missed
				s.run(r, p, 60, func(c *Comparison) bool {
					last = c.Report()
					for _, e := range last.Excess {
						if truth := canary(e.Bound) - usual().above(e.Bound); truth < e.Lower || truth > e.Upper {
							missed++
							return true
						}
					}
					return false
				})
				if e := last.Excess[0]; missed == missedBefore && e.Upper-e.Lower > 0.1 {
					wide++
				}
			}
			if missed >= 14 || wide > 0 {
				t.Errorf("truth missed in %d of 100, bounds far apart in %d", missed, wide)
			}
		})
	}
}
