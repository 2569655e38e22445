package evidence

import "math"

// NextWeight of an adaptive ramp, as a fraction of the traffic. With at most upper of the canary's
// requests bad that would not have been bad at the stable, a weight w harms at most w·upper of all
// requests; the budget says how much of that may be risked:
//
//	next weight = min(limit, budget/upper)
//
// So a small weight needs little evidence, and everything needs upper ≤ budget. What is not a number
// risks nothing: the answer is then 0.
func NextWeight(upper, budget, limit float64) float64 {
	switch {
	case math.IsNaN(upper) || !(budget > 0) || !(limit > 0):
		return 0
	case upper*limit <= budget:
		return limit
	}
	return budget / upper
}
