package canarybench

import "math"

// Effect is what a bound speaks of: bad shares of the arms, the canary's share of requests, and the margin.
type Effect struct {
	Canary, Stable, Weight float64
	Relative, Absolute     float64
}

// Information is how much one request tells, on average, against the nearest pair of bad shares with
// p_c = r·p_s + a, in Poisson counts:
//
//	I = min over q of  w·d(p_c, r·q + a) + (1-w)·d(p_s, q),    d(x, y) = x·ln(x/y) - x + y
//
// For a = 0 the minimum is λ·KL( w·p_c/λ ‖ w·r/(w·r + 1 - w) ) with λ = w·p_c + (1-w)·p_s.
// The sum is convex in q, and its derivative w·r·(1 - p_c/(r·q + a)) + (1-w)·(1 - p_s/q) rises.
func (e Effect) Information() float64 {
	low, high := 1e-12, 1.0
	for range 200 {
		q := (low + high) / 2
		slope := e.Weight*e.Relative*(1-e.Canary/(e.Relative*q+e.Absolute)) + (1-e.Weight)*(1-e.Stable/q)
		if slope < 0 {
			low = q
		} else {
			high = q
		}
	}
	return e.Weight*divergence(e.Canary, e.Relative*high+e.Absolute) + (1-e.Weight)*divergence(e.Stable, high)
}

// Bound is how many requests a test needs, on average, that errs with this probability at the margin and
// does not miss this effect: ln(1/chance)/I (Wald's inequality).
func (e Effect) Bound(chance float64) float64 { return -math.Log(chance) / e.Information() }

func divergence(x, y float64) float64 {
	if x == 0 {
		return y
	}
	return x*math.Log(x/y) - x + y
}
