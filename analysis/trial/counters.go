package trial

import (
	"time"

	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/analysis/samples"
)

// counters judges requests and errors.
type counters struct {
	metric      string
	comparison  *evidence.Comparison
	ticks       []evidence.Tick // of the last count
	errorsKnown bool            // an errors series was seen in one of the arms
}

func countersJudge(t *Trial, p evidence.Params, in taken, now time.Time) (judge, []samples.Problem, error) {
	past := samples.Count(t.grid, t.before(), -1, t.counters(taken{stable: in.stable}, now))
	comparison, err := evidence.New(t.dispersion(past.StableCounts(), p))
	if err != nil {
		return nil, nil, err
	}
	return &counters{metric: t.o.Plan.Metric.Name, comparison: comparison, errorsKnown: len(in.stable.errors) > 0}, past.Problems, nil
}

func (t *Trial) counters(in taken, now time.Time) samples.Counters {
	return samples.Counters{
		Metric: t.o.Plan.Metric.Name, PodLabel: t.pods, Now: now,
		Canary: samples.Arm{Requests: in.canary.requests, Errors: in.canary.errors},
		Stable: samples.Arm{Requests: in.stable.requests, Errors: in.stable.errors},
	}
}

func (c *counters) count(t *Trial, first, last int64, in taken, now time.Time) counted {
	out := samples.Count(t.grid, first, last, t.counters(in, now))
	c.ticks = out.Ticks
	c.errorsKnown = c.errorsKnown || len(in.canary.errors)+len(in.stable.errors) > 0
	return counted{ticks: out.Ticks, canarySeen: out.CanarySeen, stableSeen: out.StableSeen, problems: out.Problems}
}

func (c *counters) add(k int, changed bool, baseline evidence.Baseline) {
	tick := c.ticks[k]
	tick.WeightChanged, tick.Baseline = changed, baseline
	c.comparison.Add(tick)
}

func (c *counters) said() said {
	r, p := c.comparison.Report(), c.comparison.Params()
	return said{
		verdict: r.Verdict, logE: r.LogE, logAccept: r.LogAccept, lower: r.Lower, upper: r.Upper,
		value: r.Value(), sentence: r.Finding(p), phi: p.Phi, noise: p.Noise,
		frozen: r.Frozen, errorsKnown: c.errorsKnown, ticks: r.Ticks,
	}
}
