package backtest

import (
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// atMost is the upper bound, with 95 %, of a probability that came true k times in n (Clopper and Pearson).
func atMost(k, n int) float64 {
	if k >= n {
		return 1
	}
	return distuv.Beta{Alpha: float64(k + 1), Beta: float64(n - k)}.Quantile(0.95)
}

// quantile of some numbers: the smallest that is at least as large as that share of them; 0 of none.
func quantile(of []float64, q float64) float64 {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	at := int(q*float64(len(sorted))+1-1e-9) - 1
	return sorted[max(0, min(at, len(sorted)-1))]
}
