package evidence

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Small simulations with fixed seeds; the large ones are in canarybench.

// stream is a release with known truth.
type stream struct {
	requests float64                 // per tick
	pStable  func(tick int) float64  // bad share of the stable
	ratio    func(z float64) float64 // of the canary's bad share to the margin; z is drawn once
	cluster  float64                 // bad requests come in clusters of this size
	weights  []float64               // equally long
}

func steady(p float64) func(int) float64 { return func(int) float64 { return p } }
func noisy(s float64) func(float64) float64 {
	return func(z float64) float64 { return math.Exp(s * z) }
}

func (s stream) run(r *rand.Rand, p Params, ticks int, look func(*Comparison) (enough bool)) {
	c, err := New(p)
	if err != nil {
		panic(err)
	}
	ratio := s.ratio(r.NormFloat64())
	for i := range ticks {
		at := i * len(s.weights) / ticks
		canary := math.Round(s.requests * s.weights[at])
		stable := s.requests - canary
		bad := s.pStable(i)
		tick := both(int64(canary), s.bad(r, canary*ratio*(p.MarginRelative*bad+p.MarginAbsolute)), int64(stable), s.bad(r, stable*bad))
		tick.WeightChanged = i > 0 && at != (i-1)*len(s.weights)/ticks
		c.Add(tick)
		if look(c) {
			return
		}
	}
}

func (s stream) bad(r *rand.Rand, mean float64) int64 {
	return int64(s.cluster) * poissonDraw(r, mean/s.cluster)
}

func (s stream) rejections(p Params, replications, ticks int) int {
	r, count := rand.New(rand.NewPCG(1, 2)), 0
	for range replications {
		s.run(r, p, ticks, func(c *Comparison) bool {
			if c.Verdict() == Fail {
				count++
			}
			return c.Verdict() == Fail
		})
	}
	return count
}

// Every canary here is at the margin or as far from it as noise takes it, and every tick is looked at.
// With α = 5 % and 300 replications 15 rejections are allowed, and 30 would be four standard deviations more.
func TestFalseRejections(t *testing.T) {
	ramp := []float64{0.05, 0.25, 0.5}
	base := stream{requests: 20_000, pStable: steady(0.005), ratio: noisy(0), cluster: 1, weights: ramp}
	with := func(change func(*stream)) stream {
		s := base
		change(&s)
		return s
	}
	judge := func(r, a, phi, s float64) Params {
		p := Defaults()
		p.Alpha, p.MarginRelative, p.MarginAbsolute, p.Phi, p.Noise = 0.05, r, a, phi, s
		return p
	}
	bursts := with(func(s *stream) { s.cluster = 4 })
	pods := with(func(s *stream) { s.ratio, s.requests = noisy(0.1), 2_000_000 })
	tests := map[string]struct {
		stream stream
		params Params
		high   bool // the simulation must show what is wrong without the remedy
	}{
		"at the margin":                {base, judge(1, 0, 1, 0), false},
		"with margins":                 {base, judge(1.1, 0.0005, 1, 0), false},
		"the base rate moves":          {with(func(s *stream) { s.pStable = func(i int) float64 { return 0.005 * math.Exp(2*math.Sin(float64(i)/9)) } }), judge(1, 0, 1, 0), false},
		"clusters":                     {bursts, judge(1, 0, 4, 0), false},
		"clusters without φ":           {bursts, judge(1, 0, 1, 0), true},
		"pods differ, a = 0":           {pods, judge(1, 0, 1, 0.1), false},
		"pods differ, a > 0":           {pods, judge(1.1, 0.002, 1, 0.1), false},
		"pods differ, without noise":   {pods, judge(1, 0, 1, 0), true},
		"pods differ and few requests": {with(func(s *stream) { s.ratio = noisy(0.1) }), judge(1, 0.002, 1, 0.1), false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			n := tc.stream.rejections(tc.params, 300, 150)
			t.Logf("%d of 300 rejected", n)
			if high := n >= 30; high != tc.high {
				t.Errorf("%d of 300 rejected", n)
			}
		})
	}
}

// A canary at the margin is accepted at one weight with probability ≤ β = 5 %.
func TestFalseAcceptances(t *testing.T) {
	for name, p := range map[string]Params{"r 1": plain(1, 0), "margins": plain(1.1, 0.0005)} {
		t.Run(name, func(t *testing.T) {
			s := stream{requests: 20_000, pStable: steady(0.005), ratio: noisy(0), cluster: 1, weights: []float64{0.25}}
			r, count := rand.New(rand.NewPCG(1, 2)), 0
			for range 300 {
				s.run(r, p, 200, func(c *Comparison) bool {
					if c.passed >= 0 {
						count++
					}
					return c.passed >= 0
				})
			}
			if count >= 30 {
				t.Errorf("%d of 300 accepted", count)
			}
		})
	}
}

// The interval holds the truth at every look of a stream, with probability 1 - α = 95 %; and it becomes narrow.
func TestIntervalHoldsTheTruth(t *testing.T) {
	p := plain(1, 0)
	p.Alpha = 0.05
	for name, ratio := range map[string]float64{"equal": 1, "double": 2, "half": 0.5} {
		t.Run(name, func(t *testing.T) {
			const bad = 0.01
			s := stream{requests: 5000, pStable: steady(bad), ratio: func(float64) float64 { return ratio }, cluster: 1, weights: []float64{0.2}}
			truth, missed, wide := bad*(ratio-1), 0, 0
			r := rand.New(rand.NewPCG(1, 2))
			for range 200 {
				var lower, upper float64
				s.run(r, p, 100, func(c *Comparison) bool {
					lower, upper = c.Interval()
					return lower > truth || upper < truth
				})
				if lower > truth || upper < truth {
					missed++
				} else if upper-lower > bad*ratio/2 {
					wide++
				}
			}
			if missed >= 22 || wide > 0 {
				t.Errorf("truth missed in %d of 200, bounds far apart in %d", missed, wide)
			}
		})
	}
}

// The delay over the information bound: ln(1/α)/I requests, I = λ·KL(w·p₁/λ ‖ w·r/(w·r + 1 - w)).
func TestDelayOverTheBound(t *testing.T) {
	for name, tc := range map[string]struct{ from, to, weight float64 }{
		"0.1 to 1 %, 5 %": {0.001, 0.01, 0.05}, "1 to 2 %, 25 %": {0.01, 0.02, 0.25}, "0.5 to 0.6 %, 50 %": {0.005, 0.006, 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			p := plain(1, 0)
			p.NoRestart = false
			rate := tc.weight*tc.to + (1-tc.weight)*tc.from
			share := tc.weight * tc.to / rate
			kl := share*math.Log(share/tc.weight) + (1-share)*math.Log((1-share)/(1-tc.weight))
			bound := p.LogThreshold() / (rate * kl)
			s := stream{requests: math.Ceil(bound / 40), pStable: steady(tc.from), ratio: func(float64) float64 { return tc.to / tc.from },
				cluster: 1, weights: []float64{tc.weight}}
			r, ticks := rand.New(rand.NewPCG(1, 2)), 0
			for range 200 {
				s.run(r, p, 2000, func(c *Comparison) bool {
					ticks++
					return c.Verdict() == Fail
				})
			}
			ratio := float64(ticks) / 200 * s.requests / bound
			t.Logf("mean delay is %.2f of the bound", ratio)
			if ratio > 1.65 || ratio < 1 {
				t.Errorf("mean delay is %.2f of the bound", ratio)
			}
		})
	}
}
