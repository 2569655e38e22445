package evidence

import "math"

// logZero is the logarithm of nothing.
func logZero() float64 { return math.Inf(-1) }

// logSum is ln Σ e^x.
func logSum(xs []float64) float64 {
	top := logZero()
	for _, x := range xs {
		top = max(top, x)
	}
	if math.IsInf(top, 0) {
		return top
	}
	sum := 0.0
	for _, x := range xs {
		sum += math.Exp(x - top)
	}
	return top + math.Log(sum)
}
