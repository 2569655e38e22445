package backtest

import (
	"fmt"
	"math"
	"time"

	"github.com/belay-dev/belay/analysis/evidence"
)

// Report of a back test. The names of its fields in JSON are part of the interface.
type Report struct {
	Namespace string        `json:"namespace"`
	Name      string        `json:"name"`
	Since     time.Time     `json:"since"`
	Until     time.Time     `json:"until"`
	Ladder    string        `json:"ladder"`
	Length    time.Duration `json:"-"`
	Tick      time.Duration `json:"-"`
	Seed      uint64        `json:"seed"`
	// Metrics that compare, Thresholds those with conditions.
	Metrics    []Metric    `json:"metrics,omitempty"`
	Thresholds []Threshold `json:"thresholds,omitempty"`
	// Healthy: stable against itself. Injected: the same with a fault in the canary half.
	Healthy  Outcomes  `json:"healthy"`
	Injected *Outcomes `json:"injected,omitempty"`
	// Earlier attempts that really were.
	Earlier []Earlier `json:"earlier,omitempty"`

	inject    *Injection
	threshold float64 // ln of the evidence that is a Fail
}

// Metric is what history says of a compare metric.
type Metric struct {
	Name     string  `json:"name"`
	Latency  bool    `json:"latency,omitempty"`
	Requests int64   `json:"requests"`
	Bad      int64   `json:"bad"`
	Pods     int     `json:"pods"`
	Phi      float64 `json:"phi"`
	PodNoise float64 `json:"podNoise"`
	// Assumed: the two were not measured.
	Assumed bool `json:"assumed,omitempty"`
	// Remarks for people.
	Remarks []string `json:"remarks,omitempty"`
}

// From here on a metric is called noisy.
const (
	noisyPhi   = 5
	noisyPods  = 0.3
	fewPerTick = 1
)

func describe(m *metric, d evidence.Dispersion, ticks int64) Metric {
	out := Metric{
		Name: m.name(), Latency: m.plan.Comparison.Latency, Requests: m.total.Requests, Bad: m.total.Bad, Pods: len(m.pods),
		Phi: d.Phi, PodNoise: d.PodNoise, Assumed: !d.PhiKnown || !d.NoiseKnown,
	}
	remark := func(format string, args ...any) { out.Remarks = append(out.Remarks, fmt.Sprintf(format, args...)) }
	switch {
	case m.problem != "":
		remark("not judged: %s", m.problem)
		return out
	case m.total.Requests == 0:
		remark("no data: %s matched nothing of stable", m.selectors.Main())
		return out
	}
	if !out.Latency && m.total.Bad == 0 {
		remark("no error in all of history: is the selector %s right?", m.selectors.Errors)
	}
	if m.total.Requests < fewPerTick*ticks {
		remark("little traffic: %d requests in %d ticks", m.total.Requests, ticks)
	}
	if len(m.pods) < 2 {
		remark("pods are not told apart (compare.podLabel): requests were divided at random, which hides how much pods differ")
	}
	if d.PhiKnown && d.Phi >= noisyPhi {
		remark("noisy: errors come in clusters of about %.0f, so as many times as many requests are needed", d.Phi)
	}
	if d.NoiseKnown && d.PodNoise >= noisyPods {
		remark("noisy: the errors of equal pods differ by a factor of %.1f", math.Exp(d.PodNoise))
	}
	return out
}

// Outcomes of many attempts.
type Outcomes struct {
	Attempts []Attempt `json:"attempts"`

	tick  time.Duration
	trace *trace
}

// Count of those that ended so.
func (o *Outcomes) Count(end string) int {
	n := 0
	for _, a := range o.Attempts {
		if a.End == end {
			n++
		}
	}
	return n
}

// of gives a number of each attempt that failed.
func (o *Outcomes) of(number func(Attempt) float64) []float64 {
	var out []float64
	for _, a := range o.Attempts {
		if a.End == Failed {
			out = append(out, number(a))
		}
	}
	return out
}

// Delay of the verdict since the fault began, for a share of those that saw it.
func (o *Outcomes) Delay(share float64) time.Duration {
	ticks := quantile(o.of(func(a Attempt) float64 { return float64(a.Ticks) }), share)
	return time.Duration(ticks) * o.tick
}

// Spent are the requests that the fault cost, for a share of those that saw it.
func (o *Outcomes) Spent(share float64) int64 {
	return int64(quantile(o.of(func(a Attempt) float64 { return float64(a.Spoilt) }), share))
}
