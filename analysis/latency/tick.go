package latency

import (
	"fmt"
	"math"

	"github.com/belay-dev/belay/analysis/evidence"
)

// Tick is what both arms did over the same interval of the grid: how many requests ended in each bucket.
// Counts are not cumulative. There is one more of them than of bounds: bucket j holds what took longer
// than bound j-1 and no longer than bound j, the last what took longer than the last bound.
//
// An arm without counts had no requests. Counts are read while Add runs and are not kept.
type Tick struct {
	Canary, Stable []int64
	// WeightChanged: this is the first tick at a new weight.
	WeightChanged bool
	Baseline      evidence.Baseline
}

// Validate refuses counts that do not belong to so many bounds, or that no histogram can show. Add does not
// need it: there, a negative count is none, and an arm with another number of buckets had no requests. It
// is for ticks that a person wrote.
func (t Tick) Validate(bounds int) error {
	for _, arm := range []struct {
		name   string
		counts []int64
	}{{"canary", t.Canary}, {"stable", t.Stable}} {
		if n := len(arm.counts); n != 0 && n != bounds+1 {
			return fmt.Errorf("%s has %d buckets: with %d bounds there are %d, the last for what took longer than all of them", arm.name, n, bounds, bounds+1)
		}
		for j, n := range arm.counts {
			if n < 0 {
				return fmt.Errorf("%s bucket %d is %d: a count is 0 or more; if the histogram is cumulative, subtract neighbours first", arm.name, j, n)
			}
		}
	}
	return nil
}

// validateBounds says what is wrong with the bounds of a histogram.
func validateBounds(bounds []float64) error {
	if len(bounds) == 0 {
		return fmt.Errorf("the histogram has no bounds: at least one is needed, and +Inf is not one of them")
	}
	before := 0.0
	for j, b := range bounds {
		if !(b > before) || math.IsInf(b, 1) {
			return fmt.Errorf("bound %d of the histogram is %v after %v: bounds are above 0, rise, and end before +Inf", j, b, before)
		}
		before = b
	}
	return nil
}
