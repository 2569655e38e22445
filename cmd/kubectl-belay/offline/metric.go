package offline

import (
	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/analysis/latency"
	"github.com/belay-dev/belay/cmd/kubectl-belay/ticks"
)

// metric is one of the judges of comparisons, under the name that the input's author gave it.
type metric interface {
	add(ticks.Tick)
	verdict() evidence.Verdict
	logE() float64
	logAccept() float64
	// report is made only when somebody looks.
	report() Metric
}

// Metric is what one metric has to say. The names of its fields in JSON are part of the interface.
type Metric struct {
	Name    string `json:"name"`
	Verdict string `json:"verdict"`
	// Tick is the 0-based index of the tick that brought the verdict; null without one.
	Tick      *int    `json:"tick"`
	LogE      float64 `json:"logE"`
	LogAccept float64 `json:"logAccept"`
	// Lower and Upper bound the excess of the canary's share of bad requests at the last weight, at any look.
	Lower    float64 `json:"lower"`
	Upper    float64 `json:"upper"`
	Sentence string  `json:"sentence"`
	// Canary and Stable are counted at the last weight. Of a latency, bad are the requests that took longer than the
	// bound that the sentence names.
	Canary Arm `json:"canary"`
	Stable Arm `json:"stable"`
}

// baseline of a tick: at weight 100 stable has no traffic left.
func baseline(t ticks.Tick, stable int64) evidence.Baseline {
	const all = 100
	if t.Weighed && t.Weight == all && stable == 0 {
		return evidence.Gone
	}
	return evidence.Measured
}

// tickOf is nil for the -1 of no tick.
func tickOf(tick int) *int {
	if tick < 0 {
		return nil
	}
	return &tick
}

// counters judges bad requests.
type counters struct {
	*evidence.Comparison
	name string
	cost evidence.Cost
}

func (c *counters) add(t ticks.Tick) {
	tick := evidence.Tick{
		Canary: t.Canary, Stable: t.Stable, WeightChanged: t.WeightChanged,
		Baseline: baseline(t, t.Stable.Requests),
	}
	c.Add(tick)
	c.cost.Add(tick)
}

func (c *counters) verdict() evidence.Verdict { return c.Verdict() }
func (c *counters) logE() float64             { return c.LogE() }
func (c *counters) logAccept() float64        { return c.LogAccept() }

func (c *counters) report() Metric {
	r := c.Report()
	return Metric{
		Name: c.name, Verdict: verdict(r.Verdict), Tick: tickOf(r.Tick),
		LogE: r.LogE, LogAccept: r.LogAccept, Lower: r.Lower, Upper: r.Upper,
		Sentence: r.Sentence(c.name, c.Params()),
		Canary:   arm(r.Canary), Stable: arm(r.Stable),
	}
}

// latencies judges how long requests take.
type latencies struct {
	*latency.Comparison
	name, unit string
}

func (l *latencies) add(t ticks.Tick) {
	l.Add(latency.Tick{
		Canary: t.CanaryBuckets, Stable: t.StableBuckets, WeightChanged: t.WeightChanged,
		Baseline: baseline(t, sum(t.StableBuckets)),
	})
}

func (l *latencies) verdict() evidence.Verdict { return l.Verdict() }
func (l *latencies) logE() float64             { return l.LogE() }
func (l *latencies) logAccept() float64        { return l.LogAccept() }

func (l *latencies) report() Metric {
	r := l.Report()
	m := Metric{
		Name: l.name, Verdict: verdict(r.Verdict), Tick: tickOf(r.Tick),
		LogE: r.LogE, LogAccept: r.LogAccept, Lower: -1, Upper: 1,
		Sentence: l.name + ": " + r.Finding(l.Params(), l.unit),
		Canary:   Arm{Requests: r.Canary.Requests}, Stable: Arm{Requests: r.Stable.Requests},
	}
	if r.Strongest >= 0 {
		e := r.Excess[r.Strongest]
		m.Lower, m.Upper, m.Canary, m.Stable = e.Lower, e.Upper, arm(e.Canary), arm(e.Stable)
	}
	return m
}

func sum(counts []int64) int64 {
	all := int64(0)
	for _, n := range counts {
		all += n
	}
	return all
}
