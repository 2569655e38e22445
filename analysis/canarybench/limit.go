package canarybench

import "gonum.org/v1/gonum/mathext"

// UpperLimit of a probability, with 95 % confidence, after so many of n trials (Clopper and Pearson, 1934):
// the p at which that many or fewer have a probability of 5 %.
func UpperLimit(successes, n int) float64 {
	if successes >= n {
		return 1
	}
	return mathext.InvRegIncBeta(float64(successes+1), float64(n-successes), 0.95)
}
