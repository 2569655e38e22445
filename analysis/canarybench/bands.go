package canarybench

import (
	"math"

	"github.com/belay-dev/belay/analysis/latency"
)

// bands around the empirical distribution of each arm, that hold at any time with probability 1 - α (Howard and
// Ramdas, Sequential estimation of quantiles with applications to A/B testing and best-arm identification,
// Bernoulli 28 (2022), the uniform bound for a whole distribution):
//
//	sup_x |F_t(x) - F(x)| ≤ 0.85·√( (ln ln(e·t) + 0.8·ln(1612/α))/t )
//
// The canary is slower where the bands of the arms are apart, with α/2 for each.
type bands struct{ canary, stable []float64 }

func newBands(buckets int) *bands { return &bands{make([]float64, buckets), make([]float64, buckets)} }

func (b *bands) Add(t latency.Tick) {
	for j := range b.canary {
		b.canary[j] += float64(t.Canary[j])
		b.stable[j] += float64(t.Stable[j])
	}
}

func (b *bands) RollsBack() bool {
	canary, stable, nc, ns := 0.0, 0.0, sum(b.canary), sum(b.stable)
	if nc == 0 || ns == 0 {
		return false
	}
	width := bandWidth(nc) + bandWidth(ns)
	for j := range b.canary {
		canary, stable = canary+b.canary[j]/nc, stable+b.stable[j]/ns
		if stable-canary > width {
			return true
		}
	}
	return false
}

func bandWidth(t float64) float64 {
	return 0.85 * math.Sqrt((math.Log(1+math.Log(t))+0.8*math.Log(1612/(Alpha/2)))/t)
}

func sum(xs []float64) float64 {
	s := 0.0
	for _, x := range xs {
		s += x
	}
	return s
}
