package gauge

import (
	"math"
	"slices"
)

// arm holds the samples of one arm: pods[slot][tick], NaN where a pod did not report.
type arm struct {
	pods  [][]float64
	ticks int
}

// add takes a tick in. A pod that was not there before starts with holes.
func (a *arm) add(samples []float64) {
	for len(a.pods) < len(samples) {
		a.pods = append(a.pods, slices.Repeat([]float64{math.NaN()}, a.ticks))
	}
	for slot := range a.pods {
		v := math.NaN()
		if slot < len(samples) && usable(samples[slot]) {
			v = samples[slot]
		}
		a.pods[slot] = append(a.pods[slot], v)
	}
	a.ticks++
}

// forget the oldest ticks.
func (a *arm) forget(ticks int) {
	for slot, pod := range a.pods {
		a.pods[slot] = pod[:copy(pod, pod[ticks:])]
	}
	a.ticks -= ticks
}

// last ticks alone.
func (a *arm) last(ticks int) *arm {
	newest := &arm{ticks: min(ticks, a.ticks)}
	for _, pod := range a.pods {
		newest.pods = append(newest.pods, pod[len(pod)-newest.ticks:])
	}
	return newest
}

func (a *arm) reset() { a.pods, a.ticks = a.pods[:0], 0 }

// sorted samples of all pods.
func (a *arm) sorted() []float64 {
	var all []float64
	for _, pod := range a.pods {
		all = append(all, reported(pod)...)
	}
	slices.Sort(all)
	return all
}

// reported samples of a pod.
func reported(pod []float64) []float64 {
	var all []float64
	for _, v := range pod {
		if !math.IsNaN(v) {
			all = append(all, v)
		}
	}
	return all
}

// anyReported says whether a tick has a sample.
func anyReported(samples []float64) bool {
	return slices.ContainsFunc(samples, usable)
}

// largest is far from where sums and differences of samples overflow.
const largest = 1e300

// usable samples are numbers.
func usable(v float64) bool { return math.Abs(v) <= largest }

// median of sorted samples.
func median(sorted []float64) float64 {
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return sorted[(n-1)/2]/2 + sorted[n/2]/2
}
