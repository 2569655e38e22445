package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// newerProgress keeps hands off what a newer controller wrote.
func newerProgress(o *Observed) *Plan {
	if o.Progress.Version <= v1alpha1.ProgressVersion {
		return nil
	}
	return stalled(Problem{"NewerProgress", fmt.Sprintf(
		"status.progress.version is %d, this controller knows up to %d: run the newer controller", o.Progress.Version, v1alpha1.ProgressVersion)})
}

// deleted brings a Rollout that goes back to stable, and takes everything of ours off.
func deleted(o *Observed) *Plan {
	if !o.Deleting {
		return nil
	}
	if o.inFlight() {
		return o.end(v1alpha1.OutcomeAborted, fmt.Sprintf(
			"the Rollout is being deleted: %s stays paused with a template that nobody judged; apply the one before, or go on with kubectl rollout resume %s -n %s",
			o.WorkloadName, strings.ToLower(strings.Replace(o.WorkloadName, " ", "/", 1)), o.Namespace))
	}
	switch o.Progress.Stage {
	case "", v1alpha1.StageAdopting, v1alpha1.StageResting, v1alpha1.StageHeld:
		return o.leave()
	}
	return nil // an ending or a hand-over under way is finished first
}

// leave takes everything of ours off the workload, which stays held if it is: an unjudged release is never finished.
func (o *Observed) leave() *Plan {
	if effects := o.intents(); len(effects) > 0 {
		return act(v1alpha1.PhasePending, "what was made anew goes back to Git's form", effects...)
	}
	if p := o.retire(v1alpha1.PhasePending); p != nil {
		return p
	}
	if !o.Finalizer {
		return wait(v1alpha1.PhasePending, "the Rollout is gone", time.Time{}, time.Time{})
	}
	if o.Workload.Found && o.Workload.Governor == o.Name {
		return act(v1alpha1.PhasePending, "the workload is left as it is", Ungovern{})
	}
	return act(v1alpha1.PhasePending, "the Rollout goes", DeleteAttempt{}, RemoveFinalizer{})
}

// abortRequested is a person's word that ends an attempt.
func abortRequested(o *Observed) *Plan {
	r := o.Request
	if r == nil || r.Malformed != "" || r.Verb != "abort" || !o.inFlight() || !o.meansCanary(r) {
		return nil
	}
	who := r.User
	if who == "" {
		who = "a person"
	}
	p := o.end(v1alpha1.OutcomeAborted, who+" aborted the attempt", o.evidence()...)
	return o.answer(p, true, "traffic goes back to stable")
}

// superseded ends an attempt whose revision is no longer what the workload says.
func superseded(o *Observed) *Plan {
	if !o.inFlight() {
		return nil
	}
	switch {
	case o.recreated():
		return o.end(v1alpha1.OutcomeSuperseded, o.WorkloadName+" was deleted or recreated")
	case o.templateIsStable():
		return o.end(v1alpha1.OutcomeWithdrawn, "the stable template is back in "+o.WorkloadName)
	case !o.templateIsCanary():
		return o.end(v1alpha1.OutcomeSuperseded, "a newer template is in "+o.WorkloadName)
	case !o.Workload.Held:
		return o.end(v1alpha1.OutcomeSuperseded, o.WorkloadName+" is not held any more")
	}
	return nil
}

// workloadFailed ends an attempt whose pods or routes did not come up in time.
func workloadFailed(o *Observed) *Plan {
	since := o.waitSince()
	if since.IsZero() || o.Now.Before(since.Add(o.Config.Progress)) {
		return nil
	}
	waited := o.Config.Progress.String()
	if o.Progress.Stage != v1alpha1.StagePinning {
		if ready, want := o.canaryUp(), o.size(); ready < want {
			if o.Progress.Stage == v1alpha1.StageStepping && ready > o.Progress.ReadyHighWater {
				return o.record(v1alpha1.PhaseProgressing, fmt.Sprintf("%d of %d canary pods are ready, more than before", ready, want), func(p *v1alpha1.Progress) {
					p.ReadyHighWater, p.WaitSince = ready, o.stampPtr()
				})
			}
			return o.end(v1alpha1.OutcomeFailed, fmt.Sprintf("%d of %d canary pods are ready after %s%s", ready, want, waited, o.podTrouble()), o.Pods...)
		}
	}
	pending := o.pendingText()
	if pending == "" {
		return nil // it all came up at the last moment
	}
	// A route or a Service that did not come up is not the revision's fault: back to stable, and nothing in Git.
	return o.end(v1alpha1.OutcomeUndecided, fmt.Sprintf("after %s still waits until %s", waited, pending))
}

// podTrouble is ": <what the pods say>", or empty.
func (o *Observed) podTrouble() string {
	if len(o.Pods) == 0 {
		return ""
	}
	return ": " + strings.Join(o.Pods[:min(len(o.Pods), 3)], "; ")
}

// waitSince is when the current wait for pods, Services or routes began; zero: none is under way that could still end
// in stable.
func (o *Observed) waitSince() time.Time {
	switch o.Progress.Stage {
	case v1alpha1.StagePinning, v1alpha1.StageUnpinning:
		return o.Progress.StageSince.Time
	case v1alpha1.StageHandingOver:
		if c, ok := o.canary(); ok && !c.Owned && o.Progress.CalledOff == nil {
			return o.Progress.StageSince.Time
		}
	case v1alpha1.StageStepping:
		if o.Progress.ProgrammedSince == nil && o.Progress.WaitSince != nil {
			return o.Progress.WaitSince.Time
		}
	}
	return time.Time{}
}

// pendingText says what has not come up; empty: it has.
func (o *Observed) pendingText() string {
	switch o.Progress.Stage {
	case v1alpha1.StagePinning:
		if why, frozen := o.frozen(); frozen {
			return "it may begin: " + why
		}
		if problem := o.pinProblem(); problem != nil {
			return "the Services can be pinned: " + problem.Message
		}
		return o.pinningPending()
	case v1alpha1.StageStepping:
		if want := o.size(); o.Canary.Ready < want {
			return fmt.Sprintf("Service %s has %d endpoints, it has %d", o.Progress.CanaryService, want, o.Canary.Ready)
		}
		return o.trafficLag()
	case v1alpha1.StageUnpinning:
		return o.unpinningPending()
	}
	return o.WorkloadName + " takes the canary's ReplicaSet over"
}

// analysisFailed acts on a verdict.
func analysisFailed(o *Observed) *Plan {
	if o.Progress.Stage != v1alpha1.StageStepping && o.Progress.Stage != v1alpha1.StageUnpinning {
		return nil
	}
	v := o.verdict()
	switch v.verdict {
	case v1alpha1.VerdictFail:
		return o.end(v1alpha1.OutcomeFailed, v.sentence, o.evidence()...)
	case v1alpha1.VerdictInconclusive:
		return o.inconclusive(v.sentence)
	}
	return nil
}

// inconclusive pauses for a person or goes back to stable, as the Rollout says. nil: it is known already, or a person
// who knew of it said to promote all the same.
func (o *Observed) inconclusive(sentence string) *Plan {
	if o.Progress.Inconclusive != "" || o.Progress.PromoteFull || o.Progress.Stage != v1alpha1.StageStepping {
		return nil
	}
	if o.Config.OnInconclusive == v1alpha1.InconclusiveAbort {
		return o.end(v1alpha1.OutcomeUndecided, sentence, o.evidence()...)
	}
	return o.record(v1alpha1.PhaseInconclusive, sentence, func(p *v1alpha1.Progress) { p.Inconclusive = sentence })
}

// canaryLost takes the weight off a canary without a ready pod. It lowers, so nothing has to be recorded before. At the
// hand-over the weight does not come back: the Services select the canary's pods themselves by then.
func canaryLost(o *Observed) *Plan {
	if o.Canary.Ready > 0 {
		return nil
	}
	switch o.Progress.Stage {
	case v1alpha1.StageStepping, v1alpha1.StageUnpinning, v1alpha1.StageHandingOver, v1alpha1.StageCompleting:
	default:
		return nil
	}
	var effects []Effect
	for _, r := range o.Routes {
		if r.Permille() > 0 {
			effects = append(effects, o.split(r.Ref, r.ResourceVersion, 0))
		}
	}
	if len(effects) == 0 {
		return nil
	}
	return act(v1alpha1.PhaseProgressing, "no canary pod is ready: its weight goes to zero"+o.podTrouble(), effects...)
}

// frozenTooLong ends an attempt that was suspended, or made invalid, and not taken up again.
func frozenTooLong(o *Observed) *Plan {
	why, frozen := o.frozen()
	if o.Progress.Stage != v1alpha1.StageStepping {
		return nil
	}
	if since := o.Progress.FrozenSince; frozen != (since != nil) {
		reason := "the attempt may advance again"
		if frozen {
			reason = "nothing advances: " + why
		}
		p := o.record(v1alpha1.PhaseProgressing, reason, func(p *v1alpha1.Progress) {
			p.FrozenSince = nil
			if frozen {
				p.FrozenSince = o.stampPtr()
			}
		})
		return p
	}
	if !frozen || o.Now.Before(o.frozenUntil()) {
		return nil
	}
	return o.end(v1alpha1.OutcomeUndecided, fmt.Sprintf("%s, and the step is over its deadline", why))
}

// frozenUntil is how long a step may stay frozen. A step that waits for a person has that person's time.
func (o *Observed) frozenUntil() time.Time {
	step, _ := o.step()
	return o.Progress.FrozenSince.Add(max(o.stepDeadline(), o.Config.Progress, step.Timeout))
}
