package latency

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Log-logistic latencies are just what the curve assumes: S = 1/(1 + (t/median)³).
func logLogistic(median float64) func(float64) float64 {
	return func(t float64) float64 { return 1 / (1 + t/median*t/median*t/median) }
}

func TestCurveBetweenBounds(t *testing.T) {
	above := logLogistic(0.08)
	c := newCurve(classic(), expected(law(classic(), above), 1e12))
	for _, at := range []float64{0.003, 0.007, 0.03, 0.08, 0.17, 0.4, 0.6} {
		near(t, "share", c.above(at)/above(at), 1, 1e-3)
		near(t, "quantile", c.quantile(1-above(at))/at, 1, 1e-3)
	}
	near(t, "share above 0", c.above(0), 1, 0)
	near(t, "share above +Inf", c.above(math.Inf(1)), 0, 0)
	// Log-normal latencies are not, and an even spread inside a bucket would be off by 0.05 and more.
	normal := shop{median: 0.08, sigma: 0.6, slowTimes: 1}
	c = newCurve(classic(), expected(law(classic(), normal.above), 1e12))
	for _, at := range []float64{0.03, 0.06, 0.08, 0.15, 0.2, 0.4} {
		near(t, "share of log-normal", c.above(at), normal.above(at), 0.02)
	}
}

func TestAnyHistoryGivesACurve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		c := newCurve(h.bounds, h.counts)
		low, high := rapid.Float64Range(1e-9, 1e9).Draw(t, "low"), rapid.Float64Range(1e-9, 1e9).Draw(t, "high")
		low, high = min(low, high), max(low, high)
		if a, b := c.above(low), c.above(high); !(a >= b && a <= 1 && b >= 0) {
			t.Errorf("%v take longer than %v, %v longer than %v", a, low, b, high)
		}
		for _, q := range []float64{0.01, 0.5, 0.93, 0.999} {
			if at := c.quantile(q); !(at > 0) || math.Abs(c.above(at)-(1-q)) > 1e-9 {
				t.Errorf("p%v is %v, which %v take longer than", 100*q, at, c.above(at))
			}
		}
	})
}

func TestAnyHistoryGivesKernels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		c := newCurve(h.bounds, h.counts)
		g := newGroups(h.bounds, c)
		stretch := rapid.Float64Range(leastStretch, mostStretch).Draw(t, "stretch")
		k, more := newKernel(g, c, stretch), newKernel(g, c, stretch*1.2)
		for i, r := range k.rows {
			before := 1.0
			for m := range g.edges {
				p := r.longer(m)
				near(t, "where it lands", p, landsAbove(g, c, i, g.edges[m]/stretch), 0)
				if !(p >= 0 && p <= before) {
					t.Errorf("group %d: %v above edge %d after %v", i, p, m, before)
				}
				notAbove(t, "a smaller stretch", p, more.rows[i].longer(m))
				if i > 0 {
					notAbove(t, "a faster group", k.rows[i-1].longer(m), p)
				}
				before = p
			}
		}
		for i, r := range newKernel(g, c, 1).rows {
			if r.first != i || len(r.above) != 0 {
				t.Errorf("without stretch, group %d moves", i)
			}
		}
	})
}

// Requests that are stretched by the kernel are those of a stretched service.
func TestKernelStretches(t *testing.T) {
	for name, bounds := range map[string][]float64{"classic": classic(), "native": native()} {
		t.Run(name, func(t *testing.T) {
			above := logLogistic(0.08)
			history := expected(law(bounds, above), 1e9)
			c := newCurve(bounds, history)
			g := newGroups(bounds, c)
			k := newKernel(g, c, 1.3)
			for m, edge := range g.edges {
				got := 0.0
				for i, p := range law(g.edges, above) {
					got += p * k.rows[i].longer(m)
				}
				near(t, "share", got, above(edge/1.3), 1e-4)
			}
		})
	}
}

func TestGroupsHoldTheirBuckets(t *testing.T) {
	c := newCurve(native(), expected(law(native(), usual().above), 1e6))
	g := newGroups(native(), c)
	if n := g.len(); n < 12 || n > 22 {
		t.Errorf("%d groups of %d buckets", n, len(native())+1)
	}
	for bucket := range len(native()) + 1 {
		low, high := g.span(g.of[bucket])
		if bucket > 0 && native()[bucket-1] < low || bucket < len(native()) && native()[bucket] > high {
			t.Errorf("bucket %d is in the group from %v to %v", bucket, low, high)
		}
	}
}

func TestMonotone(t *testing.T) {
	tests := map[string]struct{ a, b, want []float64 }{
		"rises":           {[]float64{1, 2, 6}, []float64{1, 1, 2}, []float64{1, 2, 3}},
		"falls":           {[]float64{3, 2, 1}, []float64{1, 1, 1}, []float64{2, 2, 2}},
		"a dip":           {[]float64{1, 4, 1, 8}, []float64{1, 1, 4, 2}, []float64{1, 1, 1, 4}},
		"a dip that ends": {[]float64{1, 6, 2, 8}, []float64{2, 2, 2, 1}, []float64{0.5, 2, 2, 8}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := monotone(tc.a, tc.b); !slices.Equal(got, tc.want) {
				t.Errorf("%v", got)
			}
		})
	}
}

// Every bet of the dictionary rises and takes as much as it gives; those of the accept side fall.
func TestDictionaryIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, h := drawParams(t), drawHistory(t)
		j := comparison(t, p, h.bounds, h.counts).judges
		for _, b := range j.reject.bets {
			if !slices.IsSorted(b.delta) || b.delta[0] > slack || b.delta[len(b.delta)-1] < -slack {
				t.Errorf("bet %v", b.delta)
			}
		}
		for _, s := range j.accept {
			for _, b := range s.bets {
				falling := slices.Clone(b.delta)
				slices.Reverse(falling)
				if !slices.IsSorted(falling) {
					t.Errorf("bet of the accept side %v", b.delta)
				}
			}
		}
	})
}
