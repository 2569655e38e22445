package canarybench

import "math"

// Slowness is what a bound on latencies speaks of: the shares of both arms in buckets from fast to slow, and the
// canary's share of requests.
type Slowness struct {
	Canary, Stable []float64
	Weight         float64
}

// Information of one request, on average, against "the canary is not slower": of all laws that are not slower,
// those that are hardest to tell from the truth. With m_j = w·c_j + (1-w)·s_j, the share of requests in bucket j
// that are the canary's is θ_j = w·c_j/m_j; with θ* the non-decreasing sequence that is nearest to it (isotonic
// regression, weights m_j),
//
//	I = Σ_j w·c_j·ln(θ*_j/w) + (1-w)·s_j·ln( (1-θ*_j)/(1-w) )
//
// which is what the best bet with non-decreasing δ_j wins.
func (s Slowness) Information() float64 {
	var blocks []pool
	for j := range s.Canary {
		next := pool{canary: s.Weight * s.Canary[j], all: s.Weight*s.Canary[j] + (1-s.Weight)*s.Stable[j]}
		if next.all <= 0 {
			continue
		}
		for len(blocks) > 0 && blocks[len(blocks)-1].share() >= next.share() {
			last := blocks[len(blocks)-1]
			next.canary, next.all = next.canary+last.canary, next.all+last.all
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, next)
	}
	sum := 0.0
	for _, b := range blocks {
		sum += times(b.canary, math.Log(b.share()/s.Weight)) + times(b.all-b.canary, math.Log((1-b.share())/(1-s.Weight)))
	}
	return sum
}

// Bound as for errors.
func (s Slowness) Bound(chance float64) float64 { return -math.Log(chance) / s.Information() }

// pool of neighbouring buckets with one share of the canary.
type pool struct{ canary, all float64 }

func (p pool) share() float64 { return p.canary / p.all }

// times is x·y, and 0 for x = 0 whatever y is.
func times(x, y float64) float64 {
	if x <= 0 {
		return 0
	}
	return x * y
}
