package plan

import (
	"fmt"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// judgement is what the gating metrics of the current step say together.
type judgement struct {
	verdict  v1alpha1.Verdict
	sentence string
}

// verdict sums up the gating metrics: one Fail fails, one Inconclusive leaves it open, Pass needs every one.
func (o *Observed) verdict() judgement {
	return o.together(func(m v1alpha1.MetricStatus) v1alpha1.MetricStatus { return m })
}

// together sums up the gating metrics, each as it is taken.
func (o *Observed) together(taken func(v1alpha1.MetricStatus) v1alpha1.MetricStatus) judgement {
	if !o.measured() || !o.Config.Gating {
		return judgement{v1alpha1.VerdictPass, "nothing is measured at this step"}
	}
	out := judgement{v1alpha1.VerdictPass, "every metric passes"}
	seen := false
	for _, m := range o.Metrics {
		if m.DryRun || !o.speaks(m) {
			continue
		}
		seen = true
		if out = out.and(taken(m)); out.verdict == v1alpha1.VerdictFail {
			return out
		}
	}
	if !seen {
		return judgement{v1alpha1.VerdictPending, "nothing has been measured yet"}
	}
	return out
}

// speaks says that a metric was measured at the current step, or speaks of the whole attempt: evidence against a release
// does not end with a step, and users are on the canary while the next one gets its pods and its weight.
func (o *Observed) speaks(m v1alpha1.MetricStatus) bool {
	return m.Step == o.Progress.Step || m.Comparison != nil && m.Verdict == v1alpha1.VerdictFail
}

// and adds what one more metric says.
func (j judgement) and(m v1alpha1.MetricStatus) judgement {
	switch {
	case m.Verdict == v1alpha1.VerdictFail, m.Verdict == v1alpha1.VerdictInconclusive:
		return judgement{m.Verdict, metricSentence(m)}
	case m.Verdict != v1alpha1.VerdictPass && j.verdict == v1alpha1.VerdictPass:
		return judgement{v1alpha1.VerdictPending, m.Name + " has no verdict yet"}
	}
	return j
}

// measured says that metrics run at the current step. They also run while a person is waited for: users are on the
// canary all that time.
func (o *Observed) measured() bool {
	_, ok := o.step()
	return ok && o.Config.Measuring && o.Progress.Step >= o.Config.StartAt
}

func metricSentence(m v1alpha1.MetricStatus) string {
	if m.Message != "" {
		return fmt.Sprintf("%s: %s", m.Name, m.Message)
	}
	return fmt.Sprintf("%s is %s (%s)", m.Name, m.Value, m.Limit)
}

// evidence is one line per metric, for the commit and the history: what failed first.
func (o *Observed) evidence() []string {
	var failed, others []string
	for _, m := range o.Metrics {
		if !o.speaks(m) {
			continue
		}
		line := fmt.Sprintf("%s\t%s\t%s\t%s", m.Name, m.Value, m.Limit, m.Verdict)
		if m.Verdict == v1alpha1.VerdictFail && !m.DryRun {
			failed = append(failed, line)
		} else {
			others = append(others, line)
		}
	}
	return append(failed, others...)
}

// cost is what the attempt cost its users so far, by the comparison that counted most; empty: none counts.
func (o *Observed) cost() string {
	var most *v1alpha1.ComparisonStatus
	for _, m := range o.Metrics {
		if c := m.Comparison; c != nil && c.Cost != "" && (most == nil || c.ExcessBad > most.ExcessBad) {
			most = c
		}
	}
	if most == nil {
		return ""
	}
	return most.Cost
}

// step is the current rung.
func (o *Observed) step() (Step, bool) {
	i := int(o.Progress.Step) - 1
	if i < 0 || i >= len(o.Config.Ladder) {
		return Step{}, false
	}
	return o.Config.Ladder[i], true
}

// last says that the current step is the ladder's end.
func (o *Observed) last() bool { return int(o.Progress.Step) >= len(o.Config.Ladder) }

// elapsed is what the step's clock shows: it runs from the moment all routes were programmed plus the settle time.
func (o *Observed) elapsed() time.Duration {
	d := o.Progress.ClockElapsed.Duration
	if start := o.clockStart(); !start.IsZero() && o.Now.After(start) {
		d += o.Now.Sub(start)
	}
	return d
}

// clockStart is when the clock was started last; zero: it stands.
func (o *Observed) clockStart() time.Time {
	if o.Progress.ProgrammedSince == nil {
		return time.Time{}
	}
	return o.Progress.ProgrammedSince.Add(o.Config.Settle)
}

// clockReaches is when the clock will show d, if nothing stops it; zero while it stands.
func (o *Observed) clockReaches(d time.Duration) time.Time {
	start := o.clockStart()
	if start.IsZero() {
		return start
	}
	return start.Add(d - o.Progress.ClockElapsed.Duration)
}

// stepDeadline is how long the clock may run without a Pass.
func (o *Observed) stepDeadline() time.Duration {
	step, _ := o.step()
	if o.Config.StepDeadline > 0 {
		return max(o.Config.StepDeadline, step.Bake)
	}
	return max(3*step.Bake, step.Bake+o.Config.FourMeasurements)
}

// size is how many canary pods the current step needs: its share of the workload's replicas at the attempt's start,
// at least one, and all of the workload's at the last step.
func (o *Observed) size() int32 {
	var size int32 = 1
	for i := range min(int(o.Progress.Step), len(o.Config.Ladder)) {
		size = max(size, o.sizeOf(o.Config.Ladder[i]))
	}
	if o.last() {
		return max(1, o.Workload.Replicas)
	}
	return min(size, max(1, o.Progress.Replicas))
}

func (o *Observed) sizeOf(s Step) int32 {
	n := int64(o.Progress.Replicas)
	switch {
	case s.Replicas > 0:
		return s.Replicas
	case s.Percent > 0:
		return int32((n*int64(s.Percent) + 99) / 100)
	}
	return int32((n*int64(s.Permille) + 999) / 1000)
}

// canaryUp is how many canary pods count: ready ones, and at the hand-over those that have been ready for as long as the
// workload asks.
func (o *Observed) canaryUp() int32 {
	c, _ := o.canary()
	if o.Progress.Stage == v1alpha1.StageStepping {
		return c.Ready
	}
	return c.Available
}

// canaryReady is how many canary pods are ready.
func (o *Observed) canaryReady() int32 {
	c, _ := o.canary()
	return c.Ready
}
