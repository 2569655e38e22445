package canarybench

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/belay-dev/belay/analysis/latency"
)

// LatencyTruth is what a service does, in buckets.
type LatencyTruth struct {
	Bounds         []float64 // seconds
	Stable, Canary []float64 // shares of the buckets
	Requests       float64   // of both arms in a tick, on average
	Weight         float64
	Ticks          int
}

// latencyTruth of the shop and a canary that is slower.
func latencyTruth(bounds []float64, slowing Slowing, requests, weight float64, ticks int) LatencyTruth {
	return LatencyTruth{
		Bounds: bounds, Stable: buckets(bounds, shop().exceeds), Canary: buckets(bounds, slowing.after(shop())),
		Requests: requests, Weight: weight, Ticks: ticks,
	}
}

// history of the stable before, as if nothing were left to chance.
func (t LatencyTruth) history() []int64 {
	const requests = 1e6
	counts := make([]int64, len(t.Stable))
	for j, share := range t.Stable {
		counts[j] = int64(math.Round(requests * share))
	}
	return counts
}

// LatencyStream is one course of it.
type LatencyStream struct {
	truth  LatencyTruth
	chance *rand.Rand
	tick   latency.Tick
	ticks  int
}

// Stream number replication of a seed.
func (t LatencyTruth) Stream(seed, replication uint64) *LatencyStream {
	counts := func() []int64 { return make([]int64, len(t.Bounds)+1) }
	return &LatencyStream{truth: t, chance: generator(seed, replication), tick: latency.Tick{Canary: counts(), Stable: counts()}}
}

// Next tick, whose counts are overwritten by the one after it; none at the end.
func (s *LatencyStream) Next() (tick latency.Tick, more bool) {
	if s.ticks >= s.truth.Ticks {
		return latency.Tick{}, false
	}
	s.ticks++
	s.draw(s.tick.Canary, s.truth.Canary, s.truth.Requests*s.truth.Weight)
	s.draw(s.tick.Stable, s.truth.Stable, s.truth.Requests*(1-s.truth.Weight))
	return s.tick, true
}

// draw requests that come independently of each other: each bucket is a Poisson stream.
func (s *LatencyStream) draw(counts []int64, shares []float64, requests float64) {
	for j, share := range shares {
		counts[j] = 0
		if mean := requests * share; mean > 0 {
			counts[j] = int64(distuv.Poisson{Lambda: mean, Src: s.chance}.Rand())
		}
	}
}
