package canarybench

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/belay-dev/belay/analysis/evidence"
)

// Stream is one course of a truth.
type Stream struct {
	truth          Truth
	chance         *rand.Rand
	canary, stable arm
	tick           int
	rung, left     int // where on the ladder, and how many of its ticks are to come
}

// Stream number replication of a seed.
func (t Truth) Stream(seed, replication uint64) *Stream {
	s := &Stream{truth: t, chance: generator(seed, replication), left: t.Ladder[0].Ticks}
	s.canary, s.stable = s.arm(t.CanaryPods), s.arm(t.StablePods)
	return s
}

// generator number replication of a seed.
func generator(seed, replication uint64) *rand.Rand {
	high := mixed(seed + mixed(replication))
	return rand.New(rand.NewPCG(high, mixed(high)))
}

// mixed bits of a number (the finalizer of SplitMix64): generators that start from neighbours would have
// courses that are related to each other.
func mixed(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Next tick; none at the end of the ladder.
func (s *Stream) Next() (tick evidence.Tick, more bool) {
	changed := false
	for s.left == 0 {
		if s.rung++; s.rung >= len(s.truth.Ladder) {
			s.rung--
			return evidence.Tick{}, false
		}
		s.left, changed = s.truth.Ladder[s.rung].Ticks, true
	}
	s.left--
	tick = s.At(s.Weight())
	tick.WeightChanged = changed
	return tick, true
}

// At is the next tick at a weight that need not be the ladder's.
func (s *Stream) At(weight float64) evidence.Tick {
	canary, stable := s.truth.shares(s.tick)
	share := weight * s.truth.Skew
	s.tick++
	tick := evidence.Tick{
		Canary: s.counts(&s.canary, s.truth.Requests*share, canary),
		Stable: s.counts(&s.stable, s.truth.Requests*(1-share), stable),
	}
	if share >= 1 {
		tick.Baseline = evidence.Gone
	}
	return tick
}

// Weight of the tick that Next gave last, or will give first.
func (s *Stream) Weight() float64 { return s.truth.Ladder[s.rung].Weight }

// counts of an arm with this many requests, of which this share is bad, on average. Requests come
// independently of each other, so good and bad ones are two Poisson streams.
func (s *Stream) counts(a *arm, requests, share float64) evidence.Counts {
	if requests <= 0 {
		return evidence.Counts{}
	}
	share = min(1, share*s.scatter(a))
	bad := s.bad(requests * share)
	return evidence.Counts{Requests: bad + s.poisson(requests*(1-share)), Bad: bad}
}

// bad requests in clusters: a Poisson number of them, with geometric sizes. What n geometric sizes exceed
// n by is a negative binomial, which is a Poisson number whose mean has a gamma distribution.
func (s *Stream) bad(mean float64) int64 {
	n := s.poisson(mean / s.truth.Cluster)
	if n == 0 || s.truth.Cluster == 1 {
		return n
	}
	more := distuv.Gamma{Alpha: float64(n), Beta: 1 / (s.truth.Cluster - 1), Src: s.chance}.Rand()
	return n + s.poisson(more)
}

func (s *Stream) poisson(mean float64) int64 {
	if !(mean > 0) {
		return 0
	}
	return int64(distuv.Poisson{Lambda: mean, Src: s.chance}.Rand())
}

// forgotten is the correlation of a pod's jitter from one tick to the next.
func (t Truth) forgotten() float64 { return math.Exp(-1 / t.JitterTicks) }
