package latency

import "math"

// counts of one arm by bucket.
type counts []int64

// add takes more in without overflowing; less than nothing is nothing.
func (c counts) add(more []int64) {
	if len(more) != len(c) {
		return
	}
	for j, n := range more {
		c[j] = addCapped(c[j], max(0, n))
	}
}

func addCapped(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

func (c counts) requests() int64 {
	sum := int64(0)
	for _, n := range c {
		sum = addCapped(sum, n)
	}
	return sum
}

// above is how many are in buckets after the given one.
func (c counts) above(bucket int) int64 { return c[bucket+1:].requests() }
