package latency

import (
	"math"
	"math/rand/v2"

	"pgregory.net/rapid"

	"github.com/belay-dev/belay/analysis/evidence"
)

// plain is the bare mixture: no dispersion, no cap, no restart.
func plain(stretch, a float64) evidence.Params {
	p := evidence.Defaults()
	p.MarginRelative, p.MarginAbsolute = stretch, a
	p.Phi, p.Noise = 1, 0
	p.NoCap, p.NoRestart = true, true
	return p
}

func comparison(t rapid.TB, p evidence.Params, bounds []float64, history []int64) *Comparison {
	t.Helper()
	c, err := New(p, bounds, history)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func near(t rapid.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.12g, want %.12g", what, got, want)
	}
}

// classic bounds, as most libraries have them, in seconds.
func classic() []float64 {
	return []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}
}

// native bounds with four buckets to a doubling.
func native() []float64 {
	var bounds []float64
	for i := -40; i <= 20; i++ {
		bounds = append(bounds, math.Exp2(float64(i)/4))
	}
	return bounds
}

// shop is how long requests take: log-normal, with a second kind that is slow.
type shop struct{ median, sigma, slowShare, slowTimes float64 }

func usual() shop { return shop{median: 0.08, sigma: 0.6, slowShare: 0.02, slowTimes: 8} }

func (s shop) above(t float64) float64 {
	one := func(median float64) float64 { return math.Erfc(math.Log(t/median)/s.sigma/math.Sqrt2) / 2 }
	return (1-s.slowShare)*one(s.median) + s.slowShare*one(s.median*s.slowTimes)
}

// slower is the shop after a shift, with its own exceedance.
func slower(s shop, from, times float64) func(float64) float64 {
	low, high := 1e-6, 1e6
	for range 100 {
		if middle := math.Sqrt(low * high); s.above(middle) > 1-from {
			low = middle
		} else {
			high = middle
		}
	}
	if from == 0 {
		low = 0
	}
	return func(t float64) float64 { return s.above(max(t/times, min(t, low))) }
}

func law(bounds []float64, above func(float64) float64) []float64 { return over(bounds, above) }

// drawCounts of so many requests.
func drawCounts(r *rand.Rand, law []float64, mean float64) []int64 {
	counts := make([]int64, len(law))
	for j, p := range law {
		counts[j] = drawPoisson(r, mean*p)
	}
	return counts
}

func drawPoisson(r *rand.Rand, mean float64) int64 {
	if mean > 50 {
		return max(0, int64(math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	limit, product, n := math.Exp(-mean), r.Float64(), int64(0)
	for product > limit {
		product *= r.Float64()
		n++
	}
	return n
}

// expected counts of so many requests, for a history.
func expected(law []float64, requests float64) []int64 {
	counts := make([]int64, len(law))
	for j, p := range law {
		counts[j] = int64(math.Round(requests * p))
	}
	return counts
}
