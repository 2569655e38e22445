package trial

import (
	"fmt"
	"time"

	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/analysis/latency"
	"github.com/belay-dev/belay/analysis/samples"
)

// mostBuckets is how fine a native histogram is compared. Classic ones have a dozen.
const mostBuckets = 160

// latencies judges a histogram.
type latencies struct {
	comparison     *latency.Comparison
	unit           string
	bounds         []float64
	canary, stable [][]int64 // of the last count
}

func latencyJudge(t *Trial, p evidence.Params, in taken, now time.Time) (judge, []samples.Problem, error) {
	out := &latencies{unit: t.o.Plan.Comparison.Unit, bounds: samples.Bounds(in.stable.histogram, mostBuckets)}
	if len(out.bounds) == 0 {
		return nil, nil, fmt.Errorf("no histogram of stable in the hour before the attempt, which says where latencies lie: correct the selector %s, "+
			"or compare it with the names and labels that the metrics source has", t.o.Stable.Histograms[0])
	}
	past := samples.Histograms(t.grid, t.before(), -1, out.input(t, taken{stable: in.stable}, now))
	p = t.dispersion(nil, p)
	p.Noise = latency.DefaultNoise
	comparison, err := latency.New(p, out.bounds, sum(past.Stable, len(out.bounds)+1))
	if err != nil {
		return nil, nil, err
	}
	out.comparison = comparison
	return out, past.Problems, nil
}

// sum adds the buckets of ticks.
func sum(ticks [][]int64, buckets int) []int64 {
	out := make([]int64, buckets)
	for _, tick := range ticks {
		for i, n := range tick {
			out[i] += n
		}
	}
	return out
}

func (l *latencies) input(t *Trial, in taken, now time.Time) samples.Latencies {
	return samples.Latencies{
		Metric: t.o.Plan.Metric.Name, PodLabel: t.pods, Bounds: l.bounds, Now: now,
		Canary: samples.HistogramArm{Series: in.canary.histogram}, Stable: samples.HistogramArm{Series: in.stable.histogram},
	}
}

func (l *latencies) count(t *Trial, first, last int64, in taken, now time.Time) counted {
	out := samples.Histograms(t.grid, first, last, l.input(t, in, now))
	l.canary, l.stable = out.Canary, out.Stable
	ticks := make([]evidence.Tick, len(out.Canary))
	for k := range ticks {
		ticks[k].Canary.Requests, ticks[k].Stable.Requests = total(out.Canary[k]), total(out.Stable[k])
	}
	return counted{ticks: ticks, canarySeen: out.CanarySeen, stableSeen: out.StableSeen, problems: out.Problems}
}

func total(buckets []int64) int64 {
	var n int64
	for _, b := range buckets {
		n += b
	}
	return n
}

func (l *latencies) add(k int, changed bool, baseline evidence.Baseline) {
	l.comparison.Add(latency.Tick{Canary: l.canary[k], Stable: l.stable[k], WeightChanged: changed, Baseline: baseline})
}

func (l *latencies) said() said {
	r, p := l.comparison.Report(), l.comparison.Params()
	out := said{
		verdict: r.Verdict, logE: r.LogE, logAccept: r.LogAccept, value: r.Value(l.unit), sentence: r.Finding(p, l.unit),
		phi: p.Phi, noise: p.Noise, frozen: r.Frozen, errorsKnown: true, ticks: r.Ticks,
	}
	if i := max(0, r.Strongest); i < len(r.Excess) {
		out.lower, out.upper = r.Excess[i].Lower, r.Excess[i].Upper
	}
	return out
}
