package canarybench

import (
	"fmt"
	"io"
	"strings"
)

// Named is a truth with a name and a sentence, as `generate` offers it.
type Named struct {
	Name, Says string
	Truth      Truth
}

// Truths by name: a thousand requests in a tick, an hour at 5 % and an hour at 25 %, half a percent bad.
func Truths() []Named {
	base := Steady(1000, 0.005, 0.05, 360)
	base.Ladder = append(base.Ladder, Rung{0.25, 360})
	base.CanaryPods, base.StablePods = 2, 10
	with := func(name, says string, change func(*Truth)) Named {
		t := base
		change(&t)
		return Named{name, says, t}
	}
	return []Named{
		with("clean", "both versions alike, every request on its own", func(*Truth) {}),
		with("moving-baseline", "alike, and the bad share of both rises and falls sevenfold each quarter of an hour",
			func(t *Truth) { t.Swing, t.Period = 1, 90 }),
		with("bursts", "alike, and bad requests come three at once on average", func(t *Truth) { t.Cluster = 3 }),
		with("pod-noise", "alike, and each pod's bad share comes and goes by 30 %, over a minute",
			func(t *Truth) { t.PodJitter, t.JitterTicks = 0.3, 6 }),
		with("pod-difference", "alike, and pods differ by 20 % as long as they live", func(t *Truth) { t.PodSpread = 0.2 }),
		with("worse", "the canary has twice the bad share", func(t *Truth) { t.Ratio = 2 }),
		with("late-onset", "the canary has twice the bad share, from the second hour on",
			func(t *Truth) { t.Ratio, t.Onset = 2, 360 }),
		with("low-traffic", "alike, and twenty requests in a tick: one of the canary", func(t *Truth) { t.Requests = 20 }),
		with("wrong-split", "alike, and the canary gets twice the traffic that its weight says", func(t *Truth) { t.Skew = 2 }),
	}
}

// Names of the streams.
func Names() []string {
	var names []string
	for _, n := range Truths() {
		names = append(names, n.Name)
	}
	return append(names, latencyClassic, latencyNative)
}

// Streams of buckets: an hour at 25 %, and every request of the canary takes a fifth longer.
const (
	latencyClassic = "latency-classic"
	latencyNative  = "latency-native"
)

// Change of a stream that is asked for by name.
type Change func(*Truth)

// Generate writes the stream of this name, with changes if it is one of counters.
func Generate(w io.Writer, name string, seed, replication uint64, changes ...Change) error {
	bounds, isLatency := map[string][]float64{latencyClassic: Classic(), latencyNative: Native()}[name]
	if isLatency {
		if len(changes) > 0 {
			return fmt.Errorf("stream %q is one of latencies: nothing but the seed and the replication can be changed", name)
		}
		return latencyTruth(bounds, Slowing{0, 1.2}, 1000, 0.25, hourTicks).Stream(seed, replication).WriteCSV(w)
	}
	for _, n := range Truths() {
		if n.Name != name {
			continue
		}
		for _, change := range changes {
			change(&n.Truth)
		}
		if err := n.Truth.Validate(); err != nil {
			return err
		}
		return n.Truth.Stream(seed, replication).WriteCSV(w)
	}
	return fmt.Errorf("there is no stream %q: there are %s", name, strings.Join(Names(), ", "))
}
