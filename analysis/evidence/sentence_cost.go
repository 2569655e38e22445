package evidence

import "math"

// Cost is what an attempt cost its users: how many requests of the canary were bad, and how many of them
// would have been good had stable answered. It is counted over the whole attempt, through all weights.
// The zero value has seen nothing.
type Cost struct {
	canary, stable Counts
	expected       float64
}

// Add takes the next tick in. What stable would have done to the canary's requests is taken from stable's
// share of bad requests in the same tick, and where it had no requests then, from its share so far.
func (c *Cost) Add(t Tick) {
	canary, stable := t.Canary.sane(), t.Stable.sane()
	if t.Baseline != Measured {
		stable = Counts{}
	}
	c.canary, c.stable = c.canary.plus(canary), c.stable.plus(stable)
	share := stable.BadShare()
	if stable.Requests == 0 {
		share = c.stable.BadShare()
	}
	c.expected += float64(canary.Requests) * share
}

// Counts of both arms over the whole attempt.
func (c Cost) Counts() (canary, stable Counts) { return c.canary, c.stable }

// Bad is the number of the canary's bad requests.
func (c Cost) Bad() int64 { return c.canary.Bad }

// Excess is by how many they are more than with stable's share, to the nearest, and never below 0.
func (c Cost) Excess() int64 {
	return max(0, c.canary.Bad-int64(math.Round(min(c.expected, float64(math.MaxInt64/2)))))
}

// Sentence says both.
func (c Cost) Sentence() string {
	requests := " bad requests of the canary, "
	if c.Bad() == 1 {
		requests = " bad request of the canary, "
	}
	return Grouped(c.Bad()) + requests + Grouped(c.Excess()) + " more than at stable's share"
}
