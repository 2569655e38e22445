package backtest

import (
	"context"
	"fmt"
	"time"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/analysis/trial"
	"github.com/belay-dev/belay/api/v1alpha1"
)

// Earlier is an attempt that really was, judged again by the metrics of now.
type Earlier struct {
	Attempt int64            `json:"attempt"`
	Started time.Time        `json:"started"`
	Outcome v1alpha1.Outcome `json:"outcome"`
	// Failed says that it would have been aborted, After how far into it.
	Failed bool          `json:"failed"`
	After  time.Duration `json:"-"`
	// Said is the sentence of each metric at the end.
	Said []string `json:"said"`
}

const (
	// looks at an earlier attempt, and the longest part of it that is looked at.
	looks       = 30
	longestLook = 6 * time.Hour
	// someWeight is taken for the weight of an earlier attempt: which weights it had is not recorded, and the verdict
	// Fail does not depend on them.
	someWeight = 500
)

// earlier judges the attempts of the Rollout's history that began within the time that is tested.
func (b *run) earlier(ctx context.Context) error {
	if len(b.plan.compares) == 0 {
		return nil
	}
	for i, record := range b.plan.history {
		if record.StartedAt == nil || record.EndedAt == nil || record.StartedAt.Time.Before(b.start) || record.EndedAt.After(b.o.Until) {
			continue
		}
		one, err := b.again(ctx, record, b.plan.stableBefore(i))
		if err != nil {
			return fmt.Errorf("attempt %d: %w", record.Attempt, err)
		}
		b.report.Earlier = append(b.report.Earlier, one)
		b.progress(float64(i+1)/float64(len(b.plan.history)), "earlier attempts")
	}
	return nil
}

// stableBefore is the revision that was promoted before the i-th record, of which the latest is the first.
func (p *Plan) stableBefore(i int) string {
	for _, record := range p.history[i+1:] {
		if record.Outcome == v1alpha1.OutcomePromoted {
			return record.Revision
		}
	}
	return anyRevision
}

// again runs the controller's own trial of each metric over an attempt.
func (b *run) again(ctx context.Context, record v1alpha1.AttemptRecord, stable string) (Earlier, error) {
	out := Earlier{Attempt: record.Attempt, Started: record.StartedAt.UTC(), Outcome: record.Outcome}
	exposure := v1alpha1.Exposure{Step: 1, WeightPermille: someWeight, Pods: 1}
	exposure.Since.Time = record.StartedAt.Time
	var trials []*trial.Trial
	for _, m := range b.plan.compares {
		o := trial.Options{Plan: m, StablePods: 1}
		var err error
		if o.Canary, err = b.plan.selectors(m, b.plan.canaryVars(record.Revision)); err != nil {
			return out, err
		}
		vars := b.plan.vars
		vars.Revision = stable
		if o.Stable, err = b.plan.selectors(m, vars); err != nil {
			return out, err
		}
		t := trial.New(o)
		t.Follow([]v1alpha1.Exposure{exposure})
		trials = append(trials, t)
	}
	duration := min(longestLook, record.EndedAt.Sub(record.StartedAt.Time))
	for look := 1; look <= looks && !out.Failed; look++ {
		now := record.StartedAt.Add(time.Duration(look) * duration / looks)
		if look == looks {
			now = now.Add(time.Minute) // the last samples have arrived
		}
		if err := b.look(ctx, now, record.EndedAt.Time, trials, &out); err != nil {
			return out, err
		}
		out.After = now.Sub(record.StartedAt.Time)
	}
	return out, nil
}

// look reads what is known at a moment and says what the trials say.
func (b *run) look(ctx context.Context, now, ended time.Time, trials []*trial.Trial, out *Earlier) error {
	out.Said = out.Said[:0]
	var parts []evidence.Part
	for i, t := range trials {
		const twice = 2 // the first time it reads its history
		for range twice {
			if err := b.take(ctx, now, ended, t); err != nil {
				return err
			}
		}
		found := t.Finding(1)
		parts = append(parts, found.Part)
		out.Failed = out.Failed || found.Verdict == v1alpha1.VerdictFail
		out.Said = append(out.Said, b.plan.compares[i].Metric.Name+": "+found.Message)
	}
	out.Failed = out.Failed || evidence.Merge(parts).Fail
	return nil
}

// take reads for a trial, nothing of what came after the attempt: its series end there, and the next attempt may have the same
// names.
func (b *run) take(ctx context.Context, now, ended time.Time, t *trial.Trial) error {
	reads := t.Reads(now)
	for i := range reads {
		var err error
		if reads[i].To.After(ended) {
			reads[i].To = ended
		}
		if reads[i].Series, err = b.o.Source.Raw(ctx, reads[i].Selector, reads[i].From, reads[i].To); err != nil {
			return err
		}
	}
	t.Take(now, reads)
	return nil
}

// canaryVars are those of the canary of a revision.
func (p *Plan) canaryVars(revision string) analysis.Vars {
	vars := p.vars
	vars.Service, vars.Revision, vars.Arm = vars.Service+"-canary", revision, "canary"
	return vars
}

func (e Earlier) text() string {
	said := "it would not have been aborted"
	if e.Failed {
		said = "it would have been aborted within " + short(e.After.Round(time.Second))
	}
	return fmt.Sprintf("  attempt %d (%s) of %s: %s\n", e.Attempt, e.Outcome, e.Started.Format(time.RFC3339), said)
}
