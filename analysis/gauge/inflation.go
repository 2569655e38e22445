package gauge

import (
	"math"
	"slices"
)

// inflation is τ, by which the variance of a mean over the arm's samples is larger than if they were
// independent:
//
//	τ = 1 + 2·Σ_h ρ(h)
//
// over the autocorrelations ρ of the ranks within the arm, each pod around its own mean. The sum ends by
// Geyer's rule for sequences that are correlated over time (the initial monotone sequence: "Practical Markov
// Chain Monte Carlo", 1992): with Γ_k = ρ(2k) + ρ(2k+1), it goes on as long as these are positive, and none
// counts for more than the one before it. What is estimated from few samples is put higher, by twice the
// standard error of such a sum, τ·√(2(2M + 1)/N) for M lags (Madras and Sokal, 1988).
//
// A pod that never moves says one thing only, however often it says it: then τ is the number of ticks.
func (a *arm) inflation() float64 {
	pods, samples := a.centredRanks()
	variance := products(pods, 0)
	if samples == 0 || variance == 0 {
		return max(1, float64(a.ticks))
	}
	sum, before := 0.0, math.Inf(1)
	lag := 0
	for ; lag+1 < a.ticks; lag += 2 {
		pair := min(before, (products(pods, lag)+products(pods, lag+1))/variance)
		if pair <= 0 {
			break
		}
		sum, before = sum+pair, pair
	}
	tau := max(1, 2*sum-1)
	tau *= 1 + 2*math.Sqrt(2*float64(2*lag+1)/float64(samples))
	return min(tau, float64(a.ticks))
}

// centredRanks gives the midrank of every sample within the arm, less the mean of its pod; holes are 0, which
// adds nothing to any product.
func (a *arm) centredRanks() (pods [][]float64, samples int) {
	sorted := a.sorted()
	for _, pod := range a.pods {
		ranks, sum, n := make([]float64, len(pod)), 0.0, 0
		for t, v := range pod {
			if math.IsNaN(v) {
				continue
			}
			low, _ := slices.BinarySearch(sorted, v)
			high, _ := slices.BinarySearchFunc(sorted, v, func(s, v float64) int {
				if s <= v {
					return -1
				}
				return 1
			})
			ranks[t] = float64(low+high) / 2
			sum += ranks[t]
			n++
		}
		for t, v := range pod {
			if !math.IsNaN(v) {
				ranks[t] -= sum / float64(n)
			}
		}
		pods, samples = append(pods, ranks), samples+n
	}
	return pods, samples
}

// products of what is lag ticks apart, over all pods.
func products(pods [][]float64, lag int) float64 {
	sum := 0.0
	for _, pod := range pods {
		for t := lag; t < len(pod); t++ {
			sum += pod[t] * pod[t-lag]
		}
	}
	return sum
}
