package evidence

import (
	"math"
	"testing"
)

func TestNextWeight(t *testing.T) {
	nan := math.NaN()
	for name, tc := range map[string]struct{ upper, budget, limit, want float64 }{
		"nothing known":          {1, 0.002, 1, 0.002},
		"a bound of 4 %":         {0.04, 0.002, 1, 0.05},
		"the step limits":        {0.04, 0.002, 0.02, 0.02},
		"everything":             {0.002, 0.002, 1, 1},
		"not quite":              {0.0021, 0.002, 1, 0.002 / 0.0021},
		"better than the stable": {-0.01, 0.002, 1, 1},
		"exactly as good":        {0, 0.002, 0.5, 0.5},
		"no budget":              {0.04, 0, 1, 0},
		"no limit":               {0.04, 0.002, 0, 0},
		"no bound":               {nan, 0.002, 1, 0},
		"no number":              {0.04, nan, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			near(t, "next weight", NextWeight(tc.upper, tc.budget, tc.limit), tc.want, 1e-15)
		})
	}
}

// A healthy canary climbs to everything, and no weight ever risks more than the budget.
func TestRampClimbs(t *testing.T) {
	const budget = 0.002
	p := Defaults()
	p.IntervalSpansWeights = true
	c := comparison(t, p)
	weight, ticks := 0.01, 0
	for ; weight < 1; ticks++ {
		canary := int64(20_000 * weight)
		c.Add(both(canary, canary/1000, 20_000-canary, (20_000-canary)/1000))
		_, upper := c.Interval()
		next := NextWeight(upper, budget, 1)
		if next*upper > budget*(1+1e-9) {
			t.Fatalf("weight %v with an upper bound of %v", next, upper)
		}
		if weight = max(weight, next); ticks > 500 {
			t.Fatalf("only at %v with an upper bound of %v", weight, upper)
		}
	}
	if ticks < 5 {
		t.Errorf("everything after %d ticks", ticks)
	}
}
