package latency

import (
	"math"
	"slices"
)

// groups are neighbouring buckets taken together. What a comparison costs grows with their number, and what
// it sees hardly does: a native histogram has a hundred buckets and more, of which two dozen groups keep
// nearly everything. Which buckets are one group is decided from the history, before anything of the
// canary is seen.
type groups struct {
	cuts  []int     // bucket that a group ends with, but for the last group
	edges []float64 // its bound
	of    []int     // group of a bucket
}

// Cuts are wanted where the log-odds of taking longer are 3, 2.5 … -7, that is from the stable's p5 to its
// p99.9.
const (
	firstCut = 3.0
	lastCut  = -7.0
	cutStep  = 0.5
)

func newGroups(bounds []float64, c curve) groups {
	var g groups
	for odds := firstCut; odds >= lastCut; odds -= cutStep {
		g.cuts = append(g.cuts, nearestOdds(c.odds, odds))
	}
	slices.Sort(g.cuts)
	g.cuts = slices.Compact(g.cuts)
	for _, cut := range g.cuts {
		g.edges = append(g.edges, bounds[cut])
	}
	for bucket := range len(bounds) + 1 {
		at, _ := slices.BinarySearch(g.cuts, bucket)
		g.of = append(g.of, at)
	}
	return g
}

// nearestOdds is the first bound with the odds nearest to those wanted.
func nearestOdds(odds []float64, wanted float64) int {
	best := 0
	for j := range odds {
		if math.Abs(odds[j]-wanted) < math.Abs(odds[best]-wanted) {
			best = j
		}
	}
	return best
}

func (g groups) len() int { return len(g.edges) + 1 }

// span of a group: what took longer than low and no longer than high.
func (g groups) span(i int) (low, high float64) {
	high = math.Inf(1)
	if i > 0 {
		low = g.edges[i-1]
	}
	if i < len(g.edges) {
		high = g.edges[i]
	}
	return low, high
}

// fill adds the counts of the buckets up by group.
func (g groups) fill(into []float64, of counts) {
	clear(into)
	for bucket, n := range of {
		into[g.of[bucket]] += float64(n)
	}
}

// cutsAt are the cuts nearest to the quantiles, each once.
func (g groups) cutsAt(c curve, quantiles []float64) []int {
	odds := make([]float64, len(g.cuts))
	for m, cut := range g.cuts {
		odds[m] = c.odds[cut]
	}
	var at []int
	for _, q := range quantiles {
		at = append(at, nearestOdds(odds, oddsAbove(q)))
	}
	return slices.Compact(at)
}
