package canarybench

import (
	"fmt"
	"math"
)

// TickSeconds is the length of a tick.
const TickSeconds = 10

// Truth is what a service with a canary does.
type Truth struct {
	// Requests of both arms in a tick, on average.
	Requests float64
	Ladder   []Rung

	// Stable is the bad share of the stable. It moves by e^±Swing over Period ticks.
	Stable, Swing float64
	Period        int
	// From tick Onset on the canary's bad share is Ratio times the stable's and Extra; before, the stable's.
	Ratio, Extra float64
	Onset        int

	// Cluster is how many bad requests come at once, on average; sizes are geometric. 1 is no cluster.
	Cluster float64
	// A pod's bad share is e^Z times that of its version: Z has a part that lasts as long as the pod, and
	// one that is forgotten after JitterTicks. Both are normal, with these standard deviations.
	PodSpread, PodJitter   float64
	JitterTicks            float64
	CanaryPods, StablePods int

	// Skew is the canary's share of requests over its weight. 1 is a router that does as it is told.
	Skew float64
}

// Rung of a ladder: some ticks at a weight from 0 to 1.
type Rung struct {
	Weight float64
	Ticks  int
}

// Steady is a service with a canary that is as good as the stable.
func Steady(requests, stable, weight float64, ticks int) Truth {
	return Truth{
		Requests: requests, Ladder: []Rung{{weight, ticks}},
		Stable: stable, Period: 1, Ratio: 1,
		Cluster: 1, JitterTicks: 1, CanaryPods: 1, StablePods: 1, Skew: 1,
	}
}

// worse gives the canary a bad share of ratio times the stable's and extra.
func (t Truth) worse(ratio, extra float64) Truth {
	t.Ratio, t.Extra = ratio, extra
	return t
}

// Ticks of the whole ladder.
func (t Truth) Ticks() int {
	ticks := 0
	for _, rung := range t.Ladder {
		ticks += rung.Ticks
	}
	return ticks
}

// shares are the bad shares of the two versions in a tick.
func (t Truth) shares(tick int) (canary, stable float64) {
	stable = t.Stable
	if t.Swing != 0 {
		stable *= math.Exp(t.Swing * math.Sin(2*math.Pi*float64(tick)/float64(t.Period)))
	}
	if tick < t.Onset {
		return stable, stable
	}
	return t.Ratio*stable + t.Extra, stable
}

// Validate says what is wrong, and what is allowed.
func (t Truth) Validate() error {
	for _, limit := range []struct {
		name             string
		value, low, high float64
	}{
		{"requests", t.Requests, 0, 1e9},
		{"stable bad share", t.Stable, 0, 1},
		{"swing", t.Swing, 0, 5},
		{"period", float64(t.Period), 1, 1e9},
		{"ratio", t.Ratio, 0, 1e6},
		{"extra", t.Extra, 0, 1},
		{"onset", float64(t.Onset), 0, 1e9},
		{"cluster", t.Cluster, 1, 1000},
		{"lasting spread of pods", t.PodSpread, 0, 2},
		{"jitter of pods", t.PodJitter, 0, 2},
		{"ticks of jitter", t.JitterTicks, 1, 1e6},
		{"canary pods", float64(t.CanaryPods), 1, 1000},
		{"stable pods", float64(t.StablePods), 1, 1000},
		{"skew", t.Skew, 0, 100},
	} {
		if !(limit.value >= limit.low && limit.value <= limit.high) {
			return fmt.Errorf("%s is %v: it must be from %v to %v", limit.name, limit.value, limit.low, limit.high)
		}
	}
	if len(t.Ladder) == 0 {
		return fmt.Errorf("the ladder is empty: give at least one weight with its ticks")
	}
	for _, rung := range t.Ladder {
		if !(rung.Weight >= 0 && rung.Weight*t.Skew <= 1) || rung.Ticks < 1 {
			return fmt.Errorf("the ladder has %d ticks at weight %v with skew %v: a rung has at least one tick, and weight times skew is from 0 to 1",
				rung.Ticks, rung.Weight, t.Skew)
		}
	}
	return nil
}
