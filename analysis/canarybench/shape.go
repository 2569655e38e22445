package canarybench

import "math"

// Shape is how long requests of a service take: log-normal, with a share that takes longer by a factor.
type Shape struct{ Median, Sigma, SlowShare, SlowTimes float64 }

// shop has its median at 80 ms, and one request in fifty takes eight times as long.
func shop() Shape { return Shape{Median: 0.08, Sigma: 0.6, SlowShare: 0.02, SlowTimes: 8} }

// exceeds is the share of requests that take longer.
func (s Shape) exceeds(seconds float64) float64 {
	beyond := func(median float64) float64 { return math.Erfc(math.Log(seconds/median)/s.Sigma/math.Sqrt2) / 2 }
	return (1-s.SlowShare)*beyond(s.Median) + s.SlowShare*beyond(s.Median*s.SlowTimes)
}

// quantile by bisection.
func (s Shape) quantile(q float64) float64 {
	low, high := 1e-9, 1e9
	for range 200 {
		middle := math.Sqrt(low * high)
		if s.exceeds(middle) > 1-q {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// Slowing is how a canary gets slower: every request above a quantile takes Times as long. 0 is all.
type Slowing struct{ From, Times float64 }

// after gives the share that takes longer, once the shape was slowed.
func (w Slowing) after(s Shape) func(seconds float64) float64 {
	from := 0.0
	if w.From > 0 {
		from = s.quantile(w.From)
	}
	return func(seconds float64) float64 {
		if seconds <= from {
			return s.exceeds(seconds)
		}
		return s.exceeds(max(from, seconds/w.Times)) // nobody is between the quantile and Times of it
	}
}

// buckets are the shares of requests between bounds, from below the first to above the last.
func buckets(bounds []float64, exceeds func(float64) float64) []float64 {
	shares := make([]float64, len(bounds)+1)
	before := 1.0
	for j, bound := range bounds {
		now := exceeds(bound)
		shares[j], before = before-now, now
	}
	shares[len(bounds)] = before
	return shares
}

// Classic are the bounds that client libraries have if nothing is said, in seconds.
func Classic() []float64 {
	return []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}
}

// Native are bounds of a native histogram with eight buckets to a doubling (schema 3), from 4 ms to 16 s.
func Native() []float64 { return geometric(8, -8, 4) }

// geometric bounds 2^(i/steps), from 2^low to 2^high.
func geometric(steps, low, high int) []float64 {
	var bounds []float64
	for i := low * steps; i <= high*steps; i++ {
		bounds = append(bounds, math.Exp2(float64(i)/float64(steps)))
	}
	return bounds
}
