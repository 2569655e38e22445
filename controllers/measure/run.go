package measure

import (
	"context"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/trial"
	"github.com/belay-dev/belay/api/v1alpha1"
)

// run is a job under way. Its fields, and those of its series, are read and written under the
// Runner's lock.
type run struct {
	key    types.NamespacedName
	job    Job
	series []*series
	ended  bool
}

// series is one metric of a run.
type series struct {
	run      *run
	plan     *analysis.Plan
	tick     int64     // the next tick that is due, counted from Since + initialDelay
	busy     bool      // due and not yet recorded
	measured time.Time // when the last measurement was begun; zero: not in this step
	finished bool
	cancel   context.CancelFunc // of the query under way
	status   v1alpha1.MetricStatus
	warning  string
	problem  string // why it is misconfigured

	// Of a comparison.
	trial          *trial.Trial
	canary, stable analysis.Selectors
	retry          time.Time // not read again before
}

// Pending is what is known of metrics at the start of a step: nothing.
func Pending(plans []analysis.Plan, step int32) []v1alpha1.MetricStatus {
	out := make([]v1alpha1.MetricStatus, 0, len(plans))
	for i := range plans {
		metric := &plans[i].Metric
		out = append(out, v1alpha1.MetricStatus{
			Name:    metric.Name,
			Verdict: v1alpha1.VerdictPending,
			Limit:   analysis.Limit(metric),
			Message: "not measured in this step yet",
			Step:    step,
			DryRun:  metric.DryRun,
		})
	}
	return out
}

// newRun begins a step. Comparisons go on from the step before, where that is one of the same attempt.
func newRun(key types.NamespacedName, job Job, before *run) *run {
	out := &run{key: key, job: job}
	out.job.Restored = nil
	for i, status := range Pending(job.Plans, job.Step) {
		s := &series{run: out, plan: &job.Plans[i], status: status}
		for j := range job.Restored {
			s.restore(&job.Restored[j])
		}
		s.compareWith(before)
		out.series = append(out.series, s)
	}
	return out
}

// restore continues from what an earlier controller recorded for this metric in this step. The
// time guards against the status of another attempt: it was measured before this step began.
// Status keeps whole seconds.
func (s *series) restore(old *v1alpha1.MetricStatus) {
	if s.plan.Comparison != nil {
		return // it is computed again from the samples
	}
	if old.Name != s.status.Name || old.Step != s.run.job.Step || old.MeasuredAt == nil ||
		old.MeasuredAt.Time.Before(s.run.job.Since.Truncate(time.Second)) {
		return
	}
	s.status.Verdict = old.Verdict
	s.status.Value = old.Value
	s.status.Message = old.Message
	s.status.Query = old.Query
	s.status.MeasuredAt = old.MeasuredAt.DeepCopy()
	s.status.Counts = old.Counts
	s.finished = analysis.Finished(&s.plan.Metric, old.Counts, old.Verdict)
	// Both in whole seconds, or the tick that was measured would look as if it were still due.
	s.measured = old.MeasuredAt.Add(s.run.job.Since.Sub(s.run.job.Since.Truncate(time.Second)))
	s.tick = s.after(s.measured)
}

// follow takes over what may change while a step runs, and says whether the schedule did.
func (r *run) follow(job Job) bool {
	moved := !job.Since.Equal(r.job.Since)
	exposed := len(job.Exposures) != len(r.job.Exposures)
	r.job.Since, r.job.Provider, r.job.Reader, r.job.Vars, r.job.Exposures = job.Since, job.Provider, job.Reader, job.Vars, job.Exposures
	if !moved && !exposed {
		return false
	}
	for _, s := range r.series {
		if s.trial != nil {
			s.trial.Follow(job.Exposures)
			continue
		}
		s.tick = 0
		if !s.measured.IsZero() {
			s.tick = s.after(s.measured)
		}
	}
	return true
}

// end drops the run: what is under way is cancelled and its result ignored.
func (r *run) end() {
	r.ended = true
	for _, s := range r.series {
		if s.cancel != nil {
			s.cancel()
		}
	}
}

// at is the moment of the next tick; zero: none is due before something changes.
func (s *series) at() time.Time {
	if s.trial != nil {
		return s.compareAt()
	}
	return s.run.job.Since.Add(s.plan.InitialDelay + time.Duration(s.tick)*s.plan.Interval)
}

// after is the first tick later than the moment.
func (s *series) after(moment time.Time) int64 {
	elapsed := moment.Sub(s.run.job.Since) - s.plan.InitialDelay
	if elapsed < 0 {
		return 0
	}
	return int64(elapsed/s.plan.Interval) + 1
}

// record judges a measurement that was begun at the moment at, and plans the tick after now.
func (s *series) record(m measurement, at, now time.Time) {
	metric := &s.plan.Metric
	counts, verdict, message := analysis.Judge(metric, s.status.Counts, m.Measurement)
	s.status.Counts, s.status.Verdict, s.status.Message = counts, verdict, message
	s.status.Value = m.Value
	s.measured = at
	// Whole seconds, as the API stores it: a status that was written compares equal.
	s.status.MeasuredAt = &metav1.Time{Time: at.Truncate(time.Second)}
	if m.query.Text != "" {
		s.status.Query = m.query.Text
	}
	s.warning = m.query.Warning
	s.problem = ""
	if m.Outcome == analysis.Misconfigured {
		s.problem = m.Message
	}
	s.finished = analysis.Finished(metric, counts, verdict)
	s.tick = s.after(now)
	s.busy, s.cancel = false, nil
}

// state copies what is known.
func (r *run) state() State {
	out := State{Attempt: r.job.Attempt, Step: r.job.Step, Metrics: make([]v1alpha1.MetricStatus, 0, len(r.series))}
	var problems []string
	for _, s := range r.series {
		out.Metrics = append(out.Metrics, *s.status.DeepCopy())
		if s.warning != "" {
			out.Warnings = append(out.Warnings, s.warning)
		}
		if s.problem != "" {
			problems = append(problems, "metric \""+s.plan.Metric.Name+"\": "+s.problem)
		}
	}
	out.Misconfigured = strings.Join(problems, "; ")
	out.Verdict, out.Message = analysis.Combine(out.Metrics)
	return out
}
