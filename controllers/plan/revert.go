package plan

import (
	"fmt"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// barrierDeadline is how long an edit of our inputs that came after the failing one may take to be applied.
const barrierDeadline = 10 * time.Minute

// revert records the next step of taking the failed revision out of Git; nil where there is nothing to record. It is
// asked only after the split was cleared, so it never keeps traffic waiting.
func revert(o *Observed) *Plan {
	if !o.reverting() {
		return nil
	}
	r, answer := o.Progress.Revert, o.currentAnswer()
	if answer != nil && answer.Result == resultCommitted {
		// First, or an agent that has applied it already would make it look as if somebody else had done it.
		return o.answered(*answer)
	}
	if p := o.revertOver(); p != nil {
		return p
	}
	if l := o.Git.Located; r.Failed == "" && l != nil && l.For == o.locating() {
		return o.record(o.abortedPhase(), "the commit that brought the failed revision is found", func(p *v1alpha1.Progress) {
			p.Revert.Stable, p.Revert.Failed = l.Stable, l.Failed
			p.Canary.Source = l.Failed
		})
	}
	if answer != nil {
		return o.answered(*answer)
	}
	return nil
}

// currentAnswer is the engine's answer to what is asked now; nil: none yet.
func (o *Observed) currentAnswer() *Answer {
	if a := o.Git.Answer; o.Progress.Revert.Failed != "" && a != nil && a.For == o.order() {
		return a
	}
	return nil
}

// reverting says that the revert goes on.
func (o *Observed) reverting() bool {
	r := o.Progress.Revert
	return r != nil && (r.State == v1alpha1.RevertWanted || r.State == v1alpha1.RevertPlanned)
}

// withRevert lets Git go on beside a plan that does something else or only waits.
func (o *Observed) withRevert(p *Plan) *Plan {
	if p.Progress != nil || !o.reverting() || o.Git.Problem != nil {
		return p
	}
	r := o.Progress.Revert
	if r.Failed == "" {
		p.Effects = append(p.Effects, Locate{For: o.locating(), Record: o.Progress.Stable.Source, Head: o.Progress.Canary.Source})
		return p.wakeBy(o.revertWake())
	}
	if a := o.Git.Answer; a == nil || a.For != o.order() || a.Result == resultPlanned {
		p.Effects = append(p.Effects, Revert{For: o.order(), Record: *r})
	}
	return p.wakeBy(o.revertWake())
}

const (
	// resultPlanned is the answer of an engine that waits until its commit is recorded before it pushes.
	resultPlanned = "Planned"
	// resultCommitted is the answer when the commit is on the branch.
	resultCommitted = "Committed"
)

// locating names the question for the bounds.
func (o *Observed) locating() string { return fmt.Sprint(o.Progress.Attempt) }

// order names the question, so that an answer to an older one is not taken for its answer.
func (o *Observed) order() string {
	return fmt.Sprintf("%d/%s", o.Progress.Attempt, o.Progress.Revert.Accepted)
}

// revertOver ends a revert that has become pointless or too old.
func (o *Observed) revertOver() *Plan {
	switch {
	case !o.Git.Configured:
		return o.settleRevert(v1alpha1.RevertSkipped, "NoGit", "spec.git was taken out: the failed revision stays in Git until a person takes it out")
	case o.Git.Off != "":
		return o.settleRevert(v1alpha1.RevertSkipped, "Off", o.Git.Off)
	case o.Now.Sub(o.Progress.Ending.At.Time) > o.Git.MaxAge:
		return o.settleRevert(v1alpha1.RevertBlocked, "TooOld", fmt.Sprintf("the failure is older than spec.git.maxAge (%s): take the change out of Git by hand", o.Git.MaxAge))
	case o.Workload.Found && o.templateIsStable():
		return o.settleRevert(v1alpha1.RevertUnneeded, "AlreadyReverted", "the stable template is back in the cluster")
	case o.Workload.Found && !o.templateFailed():
		return o.settleRevert(v1alpha1.RevertSuperseded, "Superseded", "a newer template is in the cluster")
	}
	return nil
}

// answered turns the engine's outcome into memory.
func (o *Observed) answered(a Answer) *Plan {
	switch a.Result {
	case resultPlanned:
		if o.Progress.Revert.Commit == a.Commit && o.Progress.Revert.State == v1alpha1.RevertPlanned {
			return nil
		}
		return o.record(o.abortedPhase(), "the revert commit is made and about to be pushed", func(p *v1alpha1.Progress) {
			p.Revert.State, p.Revert.Key, p.Revert.Commit = v1alpha1.RevertPlanned, a.Key, a.Commit
		})
	case resultCommitted:
		p := o.settleRevert(v1alpha1.RevertPushed, "Pushed", fmt.Sprintf("commit %s takes the failed revision out of Git", short(a.Commit)))
		p.Progress.Revert.Key, p.Progress.Revert.Commit = a.Key, a.Commit
		return p
	case "AlreadyReverted":
		p := o.settleRevert(v1alpha1.RevertUnneeded, "AlreadyReverted", "the failed revision is no longer in Git")
		p.Progress.Revert.Commit = a.Commit
		return p
	case "NotFromGit":
		return o.settleRevert(v1alpha1.RevertUnneeded, "NotFromGit", a.Why)
	case "Superseded":
		return o.settleRevert(v1alpha1.RevertSuperseded, "Superseded", a.Why)
	case "HeadMoved":
		return o.barrier(a)
	}
	return o.settleRevert(v1alpha1.RevertBlocked, a.Result, a.Why+"; take the change out of Git by hand")
}

// barrier waits until the agent has applied an edit that came after the failing one: it may be the fix. When the
// failing template is still there afterwards, the edit was unrelated.
func (o *Observed) barrier(a Answer) *Plan {
	r := o.Progress.Revert
	if r.Barrier != a.Head {
		return o.record(o.abortedPhase(), "Git has a newer change of the same files", func(p *v1alpha1.Progress) {
			p.Revert.Barrier, p.Revert.BarrierSince = a.Head, o.stampPtr()
		})
	}
	until := r.BarrierSince.Add(barrierDeadline)
	if o.Workload.Source == a.Head || !o.Now.Before(until) {
		return o.record(o.abortedPhase(), "the newer change is applied and the failing template is still there", func(p *v1alpha1.Progress) {
			p.Revert.Accepted = a.Head
		})
	}
	return nil
}

// revertWake is when the revert can go on by itself.
func (o *Observed) revertWake() time.Time {
	r := o.Progress.Revert
	if r.BarrierSince != nil && r.Accepted != r.Barrier {
		// Past it, an answer is on its way that lets the barrier fall.
		if until := r.BarrierSince.Add(barrierDeadline); until.After(o.Now) {
			return until
		}
	}
	return o.Progress.Ending.At.Add(o.Git.MaxAge + time.Second)
}

// settleRevert ends the revert.
func (o *Observed) settleRevert(state v1alpha1.RevertState, reason, message string) *Plan {
	return o.record(o.abortedPhase(), message, func(p *v1alpha1.Progress) {
		p.Revert.State, p.Revert.Reason, p.Revert.Message = state, reason, message
		p.Revert.At = o.stampPtr()
		switch state {
		case v1alpha1.RevertSuperseded, v1alpha1.RevertBlocked, v1alpha1.RevertSkipped:
			p.Revert.Commit = "" // planned and never on the branch: nobody shall look for it there
		}
	})
}

// abortedPhase is Reverting while the revert goes on, Held afterwards.
func (o *Observed) abortedPhase() v1alpha1.Phase {
	if o.Progress.Stage == v1alpha1.StageHeld {
		if o.reverting() {
			return v1alpha1.PhaseReverting
		}
		return v1alpha1.PhaseHeld
	}
	return v1alpha1.PhaseAborted
}

func short(commit string) string { return commit[:min(len(commit), 10)] }
