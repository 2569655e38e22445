package samples

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/belay-dev/belay/analysis/evidence"
)

// MaxSeries is how many series one arm may have under one selector.
const MaxSeries = 5_000

// Names of the arms in problems.
const (
	Canary = "canary"
	Stable = "stable"
)

// Arm is what was read for one arm.
type Arm struct {
	Requests, Errors []Series
	// Pods of the arm, with the moment before which each had no request: when it became ready. It may be
	// nil where pods cannot be told apart.
	Pods map[string]time.Time
}

// Counters are the samples of a metric that compares errors.
type Counters struct {
	// Metric is its name in messages.
	Metric string
	// PodLabel names the pod that answered. Empty: the series do not tell. The pod of a gateway is not it.
	PodLabel       string
	Canary, Stable Arm
	// Now, if given, is what samples must not be later than.
	Now time.Time
}

// Pod is what one pod did in each tick.
type Pod struct {
	Name   string
	Counts []evidence.Counts
}

// Counted is what both arms did.
type Counted struct {
	// First is the index of the first tick.
	First int64
	// Ticks in the order of the grid. What weights and Baseline were is not known here.
	Ticks []evidence.Tick
	// CanarySeen and StableSeen say for each tick whether requests of the arm were sampled in it at all.
	CanarySeen, StableSeen []bool
	// CanaryPods and StablePods in the order of their names, if there is a PodLabel.
	CanaryPods, StablePods []Pod
	// Problems in a fixed order.
	Problems []Problem
}

// StableCounts is what evidence.EstimateDispersion takes.
func (c Counted) StableCounts() [][]evidence.Counts {
	out := make([][]evidence.Counts, len(c.StablePods))
	for i, pod := range c.StablePods {
		out[i] = pod.Counts
	}
	return out
}

// Count counts the ticks first to last. The samples must reach back to g.ReadFrom(first), and the ticks
// must be complete; what else was read does not matter. No ticks: last is below first.
func Count(g Grid, first, last int64, in Counters) Counted {
	r := newReading(g, first, last, in.Metric, in.PodLabel, in.Now)
	r.apart(requests, in.Canary.Requests, in.Stable.Requests)
	canary := r.counters(Canary, in.Canary, in.Stable.Pods)
	stable := r.counters(Stable, in.Stable, in.Canary.Pods)
	out := Counted{First: first, Ticks: make([]evidence.Tick, r.ticks)}
	var canaryTotal, stableTotal []evidence.Counts
	canaryTotal, out.CanaryPods, out.CanarySeen = canary.count()
	stableTotal, out.StablePods, out.StableSeen = stable.count()
	for i := range out.Ticks {
		out.Ticks[i] = evidence.Tick{Canary: canaryTotal[i], Stable: stableTotal[i]}
	}
	out.Problems = r.problems.list()
	return out
}

// Names of the selectors in problems.
const (
	requests  = "requests"
	errs      = "errors"
	histogram = "histogram"
)

// counters makes the streams of an arm.
func (r *reading) counters(name string, in Arm, others map[string]time.Time) *armReading {
	a := r.arm(name, in.Pods, others)
	for _, list := range []struct {
		what   string
		series []Series
	}{{requests, in.Requests}, {errs, in.Errors}} {
		if !a.acceptable(list.what, list.series) {
			continue
		}
		for i := range list.series {
			s := &list.series[i]
			a.take(list.what, counter(s, a.teller(list.what, s.Labels)))
		}
	}
	return a
}

// moreErrors is by how much errors may exceed requests: those of two exporters are not read at one moment.
const moreErrors = 20

// count adds up what the arm's counters gained: in all, by pod, and whether there were samples.
func (a *armReading) count() (total []evidence.Counts, pods []Pod, seen []bool) {
	byPod := map[string][]evidence.Counts{}
	for _, s := range a.streams[requests] {
		counts := a.countsOf(byPod, s)
		a.gains(s, func(tick, _ int, gained int64) { counts[tick].Requests = plus(counts[tick].Requests, gained) })
	}
	for _, s := range a.streams[errs] {
		counts := a.countsOf(byPod, s)
		a.gains(s, func(tick, _ int, gained int64) { counts[tick].Bad = plus(counts[tick].Bad, gained) })
	}
	total = make([]evidence.Counts, a.ticks)
	var sum evidence.Counts
	for _, name := range slices.Sorted(maps.Keys(byPod)) {
		if name != "" {
			pods = append(pods, Pod{Name: name, Counts: byPod[name]})
		}
		for i, c := range byPod[name] {
			total[i] = evidence.Counts{Requests: plus(total[i].Requests, c.Requests), Bad: plus(total[i].Bad, c.Bad)}
			sum = evidence.Counts{Requests: plus(sum.Requests, c.Requests), Bad: plus(sum.Bad, c.Bad)}
		}
	}
	if sum.Bad > sum.Requests+moreErrors {
		a.problems.tell(spot{arm: a.name, kind: MoreErrors}, "")
	}
	return total, pods, a.seen(requests)
}

// countsOf is where the counts of a stream's pod go; all streams without a pod share one place.
func (a *armReading) countsOf(byPod map[string][]evidence.Counts, s *stream) []evidence.Counts {
	name := a.podOf(s.labels)
	if byPod[name] == nil {
		byPod[name] = make([]evidence.Counts, a.ticks)
	}
	return byPod[name]
}

// plus adds counts without overflowing.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
