package offline

import (
	"fmt"
	"math"
	"strings"

	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/analysis/latency"
	"github.com/belay-dev/belay/cmd/kubectl-belay/ticks"
)

// Input says what ticks hold.
type Input struct {
	// Name of the metric; empty is "errors" for counters and "latency" for a histogram. Where there are both, the
	// histogram's is "<name> latency".
	Name string
	// Counters says that there are requests and errors.
	Counters bool
	// Bounds of the histogram, the last +Inf; none without one. Unit is theirs, "s" or "ms".
	Bounds []float64
	Unit   string
	// AssumedNoise says that nobody gave the noise of the parameters. A histogram's is then what is assumed of latencies.
	AssumedNoise bool
}

// Judge looks at ticks one after the other, at one metric or at two.
type Judge struct {
	metrics  []metric
	parts    []evidence.Part
	counters *counters // the first; nil without
	ticks    int
	verdict  evidence.Verdict
	reached  place // of the verdict
}

// place is where something happened.
type place struct {
	tick, line int
	time       string
}

// Spec is one metric to judge.
type Spec struct {
	Name   string
	Params evidence.Params
	// Bounds of a histogram, without +Inf; none: counters are judged. History are stable's requests per bucket, before.
	Bounds  []float64
	History []int64
	Unit    string
}

// NewJudge makes a judge of what the input has, with the same parameters for each metric, an assumed noise aside.
func NewJudge(in Input, p evidence.Params) (*Judge, error) {
	var specs []Spec
	if in.Counters {
		specs = append(specs, Spec{Name: nameOr(in.Name, "errors"), Params: p})
	}
	if n := len(in.Bounds); n > 0 {
		name := nameOr(in.Name, "latency")
		if in.Counters && in.Name != "" {
			name = in.Name + " latency"
		}
		if in.AssumedNoise {
			p.Noise = latency.DefaultNoise
		}
		specs = append(specs, Spec{Name: name, Params: p, Bounds: in.Bounds[:n-1], Unit: in.Unit})
	}
	return Of(specs...)
}

// Of makes a judge of some metrics.
func Of(specs ...Spec) (*Judge, error) {
	j := &Judge{}
	for _, s := range specs {
		if err := j.watch(s); err != nil {
			return nil, err
		}
		j.parts = append(j.parts, evidence.Part{Name: s.Name, Alpha: s.Params.Alpha})
	}
	return j, nil
}

func (j *Judge) watch(s Spec) error {
	if len(s.Bounds) > 0 {
		c, err := latency.New(s.Params, s.Bounds, s.History)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		j.metrics = append(j.metrics, &latencies{Comparison: c, name: s.Name, unit: s.Unit})
		return nil
	}
	c, err := evidence.New(s.Params)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	one := &counters{Comparison: c, name: s.Name}
	if j.metrics = append(j.metrics, one); j.counters == nil {
		j.counters = one
	}
	return nil
}

func nameOr(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return name
}

// Add takes the next tick in, with the counts of each metric, and says whether the verdict is final.
func (j *Judge) Add(t ticks.Tick) (final bool) {
	return j.add(t, func(int) ticks.Tick { return t })
}

// AddEach does the same where every metric has a tick of its own. They have the same weight.
func (j *Judge) AddEach(each []ticks.Tick) (final bool) {
	return j.add(each[0], func(i int) ticks.Tick { return each[i] })
}

// Verdict so far.
func (j *Judge) Verdict() evidence.Verdict { return j.verdict }

// LogE is the evidence of all metrics together, as a logarithm.
func (j *Judge) LogE() float64 { return j.merged().LogE }

func (j *Judge) add(t ticks.Tick, of func(i int) ticks.Tick) (final bool) {
	for i, m := range j.metrics {
		m.add(of(i))
		j.parts[i].LogE = m.logE()
	}
	now := j.look()
	if now != j.verdict || t.WeightChanged && now == evidence.Pass && j.passedLast() == j.ticks {
		j.verdict, j.reached = now, place{j.ticks, t.Line, t.Time}
	}
	j.ticks++
	return now == evidence.Fail
}

// look brings the verdicts of the metrics together: Pass needs all, and for a Fail their evidence is enough, if it is
// together what one would need.
func (j *Judge) look() evidence.Verdict {
	passes := 0
	for _, m := range j.metrics {
		switch m.verdict() {
		case evidence.Fail:
			return evidence.Fail
		case evidence.Pass:
			passes++
		}
	}
	switch {
	case len(j.parts) > 1 && evidence.Merge(j.parts).Fail:
		return evidence.Fail
	case passes == len(j.metrics):
		return evidence.Pass
	}
	return evidence.Undecided
}

// passedLast is the tick of the last metric's Pass: one that was lost to a new weight may be won again in the same tick,
// and one that stable left behind at weight 100 is kept.
func (j *Judge) passedLast() int {
	last := -1
	for _, m := range j.metrics {
		if tick := m.report().Tick; tick != nil {
			last = max(last, *tick)
		}
	}
	return last
}

// merged is the evidence of all metrics together. That of one is its own, to the last bit.
func (j *Judge) merged() evidence.Merged {
	m := evidence.Merge(j.parts)
	if len(j.parts) == 1 {
		m.LogE, m.Threshold = j.parts[0].LogE, -math.Log(j.parts[0].Alpha)
	}
	return m
}

// Step is how it stands after the tick t, the last one that was added.
func (j *Judge) Step(t ticks.Tick) Step {
	first := j.metrics[0].report()
	logE := j.merged().LogE
	s := Step{
		Tick: j.ticks - 1, Line: t.Line, Time: t.Time, Verdict: verdict(j.verdict),
		Canary: arm(t.Canary), Stable: arm(t.Stable),
		EValue: expOf(logE), LogE: logE, LogAccept: first.LogAccept,
		Lower: first.Lower, Upper: first.Upper,
	}
	if j.counters == nil {
		s.Canary, s.Stable = Arm{Requests: sum(t.CanaryBuckets)}, Arm{Requests: sum(t.StableBuckets)}
	}
	for _, m := range j.metrics[1:] {
		s.LogAccept = min(s.LogAccept, m.logAccept())
	}
	if t.Weighed {
		s.Weight = &t.Weight
	}
	return s
}

// Result so far.
func (j *Judge) Result() Result {
	merged := j.merged()
	r := Result{
		Verdict: verdict(j.verdict), Ticks: j.ticks,
		LogE: merged.LogE, EValue: expOf(merged.LogE), LogThreshold: merged.Threshold,
	}
	if j.verdict != evidence.Undecided {
		r.Tick, r.Line, r.Time = &j.reached.tick, j.reached.line, j.reached.time
	}
	for _, m := range j.metrics {
		r.Metrics = append(r.Metrics, m.report())
	}
	if j.verdict == evidence.Fail {
		culprit := j.culprit(merged)
		r.Culprit = &culprit
	}
	r.speak()
	if j.counters != nil {
		bad, excess := j.counters.cost.Bad(), j.counters.cost.Excess()
		r.Bad, r.Excess, r.cost = &bad, &excess, j.counters.cost.Sentence()
	}
	return r
}

// culprit is the metric that failed, or if none failed alone, the one with the most evidence.
func (j *Judge) culprit(merged evidence.Merged) string {
	for i, m := range j.metrics {
		if m.verdict() == evidence.Fail {
			return j.parts[i].Name
		}
	}
	return merged.Culprit
}

// speak takes from the metrics what stands for all of them: the culprit's words, or those of all.
func (r *Result) speak() {
	told := 0
	var sentences []string
	for i, m := range r.Metrics {
		if r.Culprit != nil && m.Name == *r.Culprit {
			told = i
			sentences = []string{m.Sentence}
			break
		}
		sentences = append(sentences, m.Sentence)
	}
	r.Lower, r.Upper = r.Metrics[told].Lower, r.Metrics[told].Upper
	r.Sentence = strings.Join(sentences, "; ")
}

// expOf is e^x, or the largest number that there is.
func expOf(x float64) float64 { return min(math.Exp(x), math.MaxFloat64) }
