package offline

import (
	"math"

	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/cmd/kubectl-belay/ticks"
)

// goneWeight is the weight at which stable has no traffic left.
const goneWeight = 100

// Judge looks at ticks one after the other.
type Judge struct {
	name     string
	counters *evidence.Comparison
	cost     evidence.Cost
	ticks    int
	reached  place
}

// place is where a verdict was reached.
type place struct {
	verdict evidence.Verdict
	line    int
	time    string
}

// NewJudge makes a judge of the metric called name.
func NewJudge(name string, p evidence.Params) (*Judge, error) {
	c, err := evidence.New(p)
	if err != nil {
		return nil, err
	}
	return &Judge{name: name, counters: c}, nil
}

// Add takes the next tick in, and says whether the verdict is final.
func (j *Judge) Add(t ticks.Tick) (final bool) {
	tick := evidence.Tick{Canary: t.Canary, Stable: t.Stable, WeightChanged: t.WeightChanged}
	if t.Weighed && t.Weight == goneWeight && t.Stable.Requests == 0 {
		tick.Baseline = evidence.Gone
	}
	if tick.WeightChanged && tick.Baseline == evidence.Measured {
		j.reached = place{} // a Pass belongs to a weight, and may be won again in the same tick
	}
	j.counters.Add(tick)
	j.cost.Add(tick)
	j.ticks++
	verdict := j.counters.Verdict()
	if verdict != j.reached.verdict {
		j.reached = place{verdict, t.Line, t.Time}
	}
	return verdict == evidence.Fail
}

// Step is how it stands after the tick t, the last one that was added.
func (j *Judge) Step(t ticks.Tick) Step {
	s := Step{
		Tick: j.ticks - 1, Line: t.Line, Time: t.Time,
		Canary: arm(t.Canary), Stable: arm(t.Stable),
		Verdict: verdict(j.counters.Verdict()), LogE: j.counters.LogE(), LogAccept: j.counters.LogAccept(),
	}
	if t.Weighed {
		s.Weight = &t.Weight
	}
	s.EValue = expOf(s.LogE)
	s.Lower, s.Upper = j.counters.Interval()
	return s
}

// Result so far.
func (j *Judge) Result() Result {
	report, p := j.counters.Report(), j.counters.Params()
	r := Result{
		Verdict: verdict(report.Verdict), Ticks: j.ticks,
		LogE: report.LogE, EValue: expOf(report.LogE), LogThreshold: p.LogThreshold(),
		Lower: report.Lower, Upper: report.Upper,
		Sentence: report.Sentence(j.name, p),
		Canary:   arm(report.Canary), Stable: arm(report.Stable),
		Bad: j.cost.Bad(), Excess: j.cost.Excess(), cost: j.cost.Sentence(),
	}
	if report.Tick >= 0 {
		r.Tick, r.Line, r.Time = &report.Tick, j.reached.line, j.reached.time
	}
	if report.Verdict == evidence.Fail {
		r.Culprit = &j.name
	}
	return r
}

// expOf is e^x, or the largest number that there is.
func expOf(x float64) float64 { return min(math.Exp(x), math.MaxFloat64) }
