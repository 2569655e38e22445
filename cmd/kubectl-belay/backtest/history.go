package backtest

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/analysis/samples"
)

const (
	// hour is how much of stable's past the controller reads before an attempt.
	hour = time.Hour
	// mostBuckets is how fine a native histogram is compared.
	mostBuckets = 160
	// chunk is read at once.
	chunk = 2 * time.Hour
)

// metric is a compare metric with what history says of it.
type metric struct {
	plan      *analysis.Plan
	selectors analysis.Selectors
	bounds    []float64 // of a histogram

	problem string // why it cannot be judged
	total   evidence.Counts
	pods    map[string]bool
}

func (m *metric) name() string { return m.plan.Metric.Name }

// podTick is what a pod did in a tick. The pod is "" where pods cannot be told apart.
type podTick struct {
	pod     string
	counts  evidence.Counts
	buckets []int64
}

// frame holds a tick of each metric.
type frame [][]podTick

// series of one metric over a span of time.
type series struct{ requests, errors, histogram []samples.Series }

func (s series) all() []samples.Series {
	return append(append(append([]samples.Series{}, s.requests...), s.errors...), s.histogram...)
}

func (m *metric) read(ctx context.Context, from Source, start, end time.Time) (series, error) {
	var out series
	var err error
	if m.selectors.Requests != "" {
		if out.requests, err = from.Raw(ctx, m.selectors.Requests, start, end); err != nil {
			return out, err
		}
		if out.errors, err = from.Raw(ctx, m.selectors.Errors, start, end); err != nil {
			return out, err
		}
	}
	for _, selector := range m.selectors.Histograms {
		some, err := from.Raw(ctx, selector, start, end)
		if err != nil {
			return out, err
		}
		out.histogram = append(out.histogram, some...)
	}
	return out, nil
}

// ticks counts first to last, pod by pod.
func (m *metric) ticks(g samples.Grid, first, last int64, s series) [][]podTick {
	if m.plan.Comparison.Latency {
		return m.latencies(g, first, last, s)
	}
	counted := samples.Count(g, first, last, samples.Counters{
		Metric: m.name(), PodLabel: m.plan.Comparison.PodLabel,
		Stable: samples.Arm{Requests: s.requests, Errors: s.errors},
	})
	m.complain(counted.Problems)
	out := make([][]podTick, last-first+1)
	for k := range out {
		m.total = plus(m.total, counted.Ticks[k].Stable)
		if len(counted.StablePods) == 0 {
			out[k] = []podTick{{counts: counted.Ticks[k].Stable}}
			continue
		}
		for _, pod := range counted.StablePods {
			if pod.Counts[k].Requests > 0 {
				m.pods[pod.Name] = true
				out[k] = append(out[k], podTick{pod: pod.Name, counts: pod.Counts[k]})
			}
		}
	}
	return out
}

// latencies counts the buckets of one pod after the other.
func (m *metric) latencies(g samples.Grid, first, last int64, s series) [][]podTick {
	out := make([][]podTick, last-first+1)
	byPod := map[string][]samples.Series{}
	for _, one := range s.histogram {
		pod := ""
		if label := m.plan.Comparison.PodLabel; label != "" {
			pod = one.Labels[label]
		}
		byPod[pod] = append(byPod[pod], one)
	}
	for _, pod := range slices.Sorted(maps.Keys(byPod)) {
		counted := samples.Histograms(g, first, last, samples.Latencies{
			Metric: m.name(), PodLabel: m.plan.Comparison.PodLabel, Bounds: m.bounds,
			Stable: samples.HistogramArm{Series: byPod[pod]},
		})
		m.complain(counted.Problems)
		for k, buckets := range counted.Stable {
			requests := sum(buckets)
			if requests == 0 {
				continue
			}
			if pod != "" {
				m.pods[pod] = true
			}
			m.total.Requests += requests
			out[k] = append(out[k], podTick{pod: pod, buckets: buckets})
		}
	}
	return out
}

// complain keeps the first problem that forbids judging. That there is no canary in history is none.
func (m *metric) complain(problems []samples.Problem) {
	for _, p := range problems {
		if p.Refuse && p.Kind != samples.Nothing && p.Arm != samples.Canary && m.problem == "" {
			m.problem = p.Text
		}
	}
}

func sum(counts []int64) int64 {
	all := int64(0)
	for _, n := range counts {
		all += n
	}
	return all
}

func plus(a, b evidence.Counts) evidence.Counts {
	return evidence.Counts{Requests: a.Requests + b.Requests, Bad: a.Bad + b.Bad}
}
