package backtest

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/belay-dev/belay/cmd/kubectl-belay/ticks"
)

// halves divides pods at random between canary and stable.
type halves struct {
	random *rand.Rand
	canary map[string]bool
	// apart: there are pods to divide. Otherwise the requests are.
	apart bool
}

func newHalves(random *rand.Rand, pods []string) *halves {
	h := &halves{random: random, canary: map[string]bool{}, apart: len(pods) > 1}
	for i, at := range random.Perm(len(pods)) {
		h.canary[pods[at]] = i < len(pods)/2
	}
	return h
}

// has says whose half a pod is in. One that comes later is put into one of them.
func (h *halves) has(pod string) bool {
	canary, known := h.canary[pod]
	if !known {
		canary = h.random.IntN(2) == 0
		h.canary[pod] = canary
	}
	return canary
}

// split makes a tick of both halves, in which the canary has the share w of the requests: the half that has more than
// that loses some, at random.
func (h *halves) split(pods []podTick, buckets int, w float64) ticks.Tick {
	out := ticks.Tick{Weighed: true, Weight: 100 * w, CanaryBuckets: make([]int64, buckets), StableBuckets: make([]int64, buckets)}
	for _, p := range pods {
		counts, into := &out.Stable, out.StableBuckets
		if h.apart && h.has(p.pod) {
			counts, into = &out.Canary, out.CanaryBuckets
		}
		*counts = plus(*counts, p.counts)
		for j, n := range p.buckets {
			into[j] += n
		}
	}
	if !h.apart {
		h.divide(&out, w)
		return out
	}
	canary, stable := out.Canary.Requests+sum(out.CanaryBuckets), out.Stable.Requests+sum(out.StableBuckets)
	switch much, little := float64(canary)*(1-w), float64(stable)*w; {
	case w >= 1:
		out.Stable.Requests, out.Stable.Bad = 0, 0
		clear(out.StableBuckets)
	case much > little:
		h.thin(&out.Canary.Requests, &out.Canary.Bad, out.CanaryBuckets, little/much)
	case much < little:
		h.thin(&out.Stable.Requests, &out.Stable.Bad, out.StableBuckets, much/little)
	}
	return out
}

// divide gives the canary the share w of all requests, where pods are not told apart.
func (h *halves) divide(t *ticks.Tick, w float64) {
	bad, good := h.some(t.Stable.Bad, w), h.some(t.Stable.Requests-t.Stable.Bad, w)
	t.Canary.Bad, t.Canary.Requests = bad, bad+good
	t.Stable.Bad, t.Stable.Requests = t.Stable.Bad-bad, t.Stable.Requests-bad-good
	for j, n := range t.StableBuckets {
		t.CanaryBuckets[j] = h.some(n, w)
		t.StableBuckets[j] = n - t.CanaryBuckets[j]
	}
}

// thin keeps each request with the probability q.
func (h *halves) thin(requests, bad *int64, buckets []int64, q float64) {
	good := h.some(*requests-*bad, q)
	*bad = h.some(*bad, q)
	*requests = good + *bad
	for j, n := range buckets {
		buckets[j] = h.some(n, q)
	}
}

// spoil makes a share of the canary's good requests bad.
func (h *halves) spoil(t *ticks.Tick, share float64) {
	t.Canary.Bad += h.some(t.Canary.Requests-t.Canary.Bad, share)
}

// some of n, each with the probability q.
func (h *halves) some(n int64, q float64) int64 {
	switch {
	case n <= 0 || q <= 0:
		return 0
	case q >= 1:
		return n
	}
	return int64(distuv.Binomial{N: float64(n), P: q, Src: h.random}.Rand())
}
