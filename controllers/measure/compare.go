package measure

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/analysis/trial"
	"github.com/belay-dev/belay/api/v1alpha1"
)

// compareWith makes the trial of a compare metric, or goes on with the one of the step before.
func (s *series) compareWith(before *run) {
	if s.plan.Comparison == nil {
		return
	}
	if before != nil && before.job.Attempt == s.run.job.Attempt {
		for _, old := range before.series {
			if old.trial != nil && old.plan.Metric.Name == s.plan.Metric.Name {
				s.trial, s.canary, s.stable = old.trial, old.canary, old.stable
			}
		}
	}
	if s.trial == nil {
		s.begin()
	}
	if s.trial != nil {
		s.trial.Follow(s.run.job.Exposures)
	}
}

func (s *series) begin() {
	selectors := s.plan.Comparison.Selectors
	canary, err := selectors.Select(s.run.job.Vars)
	if err == nil {
		s.canary = canary
		s.stable, err = selectors.Select(s.run.job.Stable)
	}
	if err != nil {
		text := strings.TrimPrefix(err.Error(), fmt.Sprintf("metric %q: ", s.plan.Metric.Name)) // who reports it names the metric
		s.problem, s.status.Message, s.finished = text, text, true
		return
	}
	s.trial = trial.New(trial.Options{Plan: s.plan, Canary: s.canary, Stable: s.stable, StablePods: s.run.job.StablePods,
		CanaryRevision: s.run.job.Vars.Revision, StableRevision: s.run.job.Stable.Revision})
}

// compareAt is when the trial can go on; zero: not before it is told more.
func (s *series) compareAt() time.Time {
	if due := s.trial.Due(); due.IsZero() || due.After(s.retry) {
		return due
	}
	return s.retry
}

// compare reads what the trial asks for and lets it judge.
func (r *Runner) compare(ctx context.Context, s *series, job Job) bool {
	now := r.opts.Clock.Now()
	r.mu.Lock()
	reads := s.trial.Reads(now)
	r.mu.Unlock()
	start := r.opts.Clock.Now()
	err := r.read(ctx, job.Reader, reads)
	if ctx.Err() != nil {
		return false // the job or the runner ended: nothing is known
	}
	if r.opts.Queried != nil {
		r.opts.Queried(r.opts.Clock.Since(start))
	}
	neverSeen, ok := r.compared(s, now, reads, err)
	if ok && r.opts.Measured != nil {
		r.opts.Measured(r.outcome(s))
	}
	if !ok || !neverSeen {
		return ok
	}
	seen, err := r.everSeen(ctx, s, job, now)
	return ctx.Err() == nil && r.recall(s, now, seen, err)
}

// read fills the reads in. Each has the time of a query.
func (r *Runner) read(ctx context.Context, reader analysis.Reader, reads []trial.Read) error {
	if reader == nil {
		return &analysis.Error{Kind: analysis.Configuration, Text: "the metrics source gives no raw samples, which a comparison needs: name another one in spec.analysis.provider"}
	}
	for i := range reads {
		if err := r.within(ctx, func(ctx context.Context) (err error) {
			reads[i].Series, err = reader.Raw(ctx, reads[i].Selector, reads[i].From, reads[i].To)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// compared takes in what was read, unless the job ended meanwhile.
func (r *Runner) compared(s *series, now time.Time, reads []trial.Read, err error) (neverSeen, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.run.ended {
		return false, false
	}
	if err != nil {
		s.unread(err, now)
		s.rest()
		return false, true
	}
	s.trial.Take(now, reads)
	f := s.trial.Finding(s.run.job.Step)
	s.status.Counts.ConsecutiveError, s.retry = 0, time.Time{}
	if f.Misconfigured != "" {
		s.retry = now.Add(s.plan.Interval) // what cannot be judged with is read again, until a person has mended it
	}
	if neverSeen = s.found(f, now); !neverSeen {
		s.rest()
	}
	return neverSeen, true
}

// outcome is what a look came to, as measurements are counted. A comparison without a verdict is inconclusive.
func (r *Runner) outcome(s *series) analysis.Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch c := s.status.Counts; {
	case s.problem != "":
		return analysis.Misconfigured
	case c.ConsecutiveError > 0:
		return analysis.Unavailable
	case s.status.Verdict == v1alpha1.VerdictFail:
		return analysis.Failure
	case c.ConsecutiveNoData > 0:
		return analysis.NoData
	case s.status.Verdict == v1alpha1.VerdictPass:
		return analysis.Success
	}
	return analysis.Inconclusive
}

// rest makes the series wait for its next look.
func (s *series) rest() { s.busy, s.cancel = false, nil }

// unread counts a source that did not answer: neutral, and Inconclusive when it lasts.
func (s *series) unread(err error, now time.Time) {
	m := s.plan.Evaluate(analysis.Result{}, err)
	before := s.status.Counts
	before.ConsecutiveNoData = 0 // how long the arms were silent is the trial's to judge
	counts, verdict, message := analysis.Judge(&s.plan.Metric, before, m)
	s.status.Counts, s.status.Message = counts, message
	if s.status.Verdict != v1alpha1.VerdictFail {
		s.status.Verdict = verdict
	}
	s.problem = ""
	if m.Outcome == analysis.Misconfigured {
		s.problem = m.Message
		s.status.Counts.ConsecutiveNoData = 1 // nothing was compared at this look
	}
	s.retry = now.Add(s.plan.Interval)
}

// found keeps what the trial says, and says whether it has to be asked if any error was ever seen.
func (s *series) found(f trial.Finding, now time.Time) (neverSeen bool) {
	if s.finished {
		return false // decided together with others while this was read
	}
	s.status.Verdict, s.status.Value, s.status.Message, s.status.Comparison = f.Verdict, f.Value, f.Message, f.Status
	s.status.Counts.ConsecutiveNoData = f.Silent
	s.status.MeasuredAt = &metav1.Time{Time: now.Truncate(time.Second)}
	s.status.Query = s.canary.Main()
	s.problem, s.warning = f.Misconfigured, f.Warning
	s.measured = now
	s.finished = s.status.Verdict == v1alpha1.VerdictFail
	s.run.merge()
	return f.NeverSeen && !s.finished
}

// merge looks at all comparisons together: several that nearly fail can fail together, and the one that says most is named.
func (r *run) merge() {
	var parts []evidence.Part
	for _, s := range r.series {
		if s.trial == nil || s.plan.Metric.DryRun || s.plan.Comparison.Gauge != nil {
			continue
		}
		if s.status.Verdict == v1alpha1.VerdictFail {
			return
		}
		parts = append(parts, s.trial.Finding(r.job.Step).Part)
	}
	if len(parts) < 2 {
		return
	}
	merged := evidence.Merge(parts)
	if !merged.Fail {
		return
	}
	for _, s := range r.series {
		if s.plan.Metric.Name == merged.Culprit {
			s.status.Verdict = v1alpha1.VerdictFail
			s.status.Message += fmt.Sprintf("; together the %d comparisons are beyond their margins", len(parts))
			s.finished = true
		}
	}
}

// everSeen asks whether the errors of either arm matched anything within a week.
func (r *Runner) everSeen(ctx context.Context, s *series, job Job, now time.Time) (seen bool, err error) {
	err = r.within(ctx, func(ctx context.Context) error {
		result, err := job.Provider.Query(ctx, analysis.SeenQuery(s.canary.Errors, s.stable.Errors), now)
		seen = len(result.Series) > 0
		return err
	})
	return seen, err
}

// recall takes the answer in: a selector of errors that never matched is taken for a typo.
func (r *Runner) recall(s *series, now time.Time, seen bool, err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.run.ended {
		return false
	}
	s.rest()
	switch {
	case err != nil:
		s.unread(err, now)
	case seen:
		s.trial.ErrorsSeen()
		s.found(s.trial.Finding(s.run.job.Step), now)
	default:
		s.status.Message = fmt.Sprintf("ErrorsNeverSeen: %s matched nothing in either arm for 7 days: correct it, or set allowNeverSeen: true", s.canary.Errors)
		s.warning = fmt.Sprintf("metric %q: %s", s.plan.Metric.Name, s.status.Message)
	}
	return true
}
