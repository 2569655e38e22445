package plan

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// drain is what a gateway and a kept-alive connection are granted after the split is cleared, before canary pods end.
const drain = 30 * time.Second

// retireAfter is how long a canary Service outlives the split: gateways lag, and a missing backend is a 500.
const retireAfter = 60 * time.Second

// maxEvidence is how many lines an ending keeps, as the schema of status.progress says: more would be refused, and with
// them the abort.
const maxEvidence = 40

// end records how the attempt ends; from the next round on its traffic goes back. A hand-over has to be called off first.
func (o *Observed) end(outcome v1alpha1.Outcome, reason string, evidence ...string) *Plan {
	evidence = evidence[:min(len(evidence), maxEvidence)]
	e := v1alpha1.Ending{Outcome: outcome, Reason: reason, At: o.stamp(), Step: o.stepText(), Evidence: evidence, Cost: o.cost()}
	if o.Progress.Stage == v1alpha1.StageHandingOver && o.adoptable() {
		return o.callOff(e)
	}
	return o.ends(e)
}

// ends is the record by which an attempt is taken down.
func (o *Observed) ends(e v1alpha1.Ending) *Plan {
	return o.record(v1alpha1.PhaseAborted, e.Reason, func(p *v1alpha1.Progress) {
		p.Ending, p.CalledOff = &e, nil
		p.Paused, p.Inconclusive = false, ""
		o.enter(p, v1alpha1.StageAborting)
	})
}

// stepText is "3/6 (25%)".
func (o *Observed) stepText() string {
	if o.Progress.Step == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d (%s)", o.Progress.Step, len(o.Config.Ladder), Percent(o.Progress.WeightPermille))
}

// Percent writes a share of 0…1000 as people read it: "25%", "0.5%".
func Percent(permille int32) string {
	if permille%10 == 0 {
		return fmt.Sprintf("%d%%", permille/10)
	}
	return fmt.Sprintf("%d.%d%%", permille/10, permille%10)
}

// aborted takes an attempt down: traffic, then pods, then pins.
func aborted(o *Observed) *Plan {
	if !o.ending() {
		return nil
	}
	if o.Progress.Stage == v1alpha1.StageAborting {
		return o.clearTraffic()
	}
	if o.Request != nil {
		return requested(o) // nobody waits for a drain to hear that it is too late
	}
	switch o.Progress.Stage {
	case v1alpha1.StageDraining:
		return o.withRevert(o.drained())
	default:
		return o.withRevert(o.retired())
	}
}

// clearTraffic takes the split off every route. Nothing waits before this.
func (o *Observed) clearTraffic() *Plan {
	reason := o.Progress.Ending.Reason
	var effects []Effect
	for _, r := range o.Routes {
		if !r.Clear() {
			effects = append(effects, ClearSplit{Route: r.Ref, ResourceVersion: r.ResourceVersion})
		}
	}
	if len(effects) > 0 {
		// After Unpinning the Services select canary pods too; they get no traffic from the routes yet, so this is the
		// moment to pin them again.
		if o.recreated() {
			// No pod of the pinned revision is left.
			effects = append(effects, o.unpinEffects()...)
		} else {
			effects = append(o.pinEffects(), effects...)
		}
		p := act(v1alpha1.PhaseAborted, reason, effects...)
		p.Breach = o.Progress.Ending.At.Time
		return p
	}
	if p := o.repinned(v1alpha1.PhaseAborted); p != nil {
		return p // a pin that did not go through with the clearing
	}
	return o.record(v1alpha1.PhaseAborted, reason, func(p *v1alpha1.Progress) {
		p.ClearedAt = o.stampPtr()
		p.WeightPermille = 0
		p.Revert = o.wantedRevert()
		o.enter(p, v1alpha1.StageDraining)
	})
}

// repinned pins again what lost its pin while canary pods are there: without it a Service would select them. Nil: nothing did.
func (o *Observed) repinned(phase v1alpha1.Phase) *Plan {
	c, _ := o.canary()
	if max(c.Present, o.CanaryPods) == 0 || o.recreated() {
		return nil
	}
	if pins := o.pinEffects(); len(pins) > 0 {
		return act(phase, o.Progress.Ending.Reason, pins...)
	}
	return nil
}

// wantedRevert says whether this ending is one that Git has to follow.
func (o *Observed) wantedRevert() *v1alpha1.RevertRecord {
	skip := func(reason, message string) *v1alpha1.RevertRecord {
		return &v1alpha1.RevertRecord{State: v1alpha1.RevertSkipped, Reason: reason, Message: message}
	}
	switch o.Progress.Ending.Outcome {
	case v1alpha1.OutcomeFailed, v1alpha1.OutcomeAborted, v1alpha1.OutcomeTimedOut:
	default:
		return skip("NotNeeded", fmt.Sprintf("an attempt that ended %s is not reverted in Git", o.Progress.Ending.Outcome))
	}
	switch {
	case o.Deleting:
		return skip("RolloutDeleted", "the Rollout is being deleted")
	case !o.Git.Configured:
		return skip("NoGit", "spec.git is not set: the failed revision stays in Git until a person takes it out")
	case o.Git.Off != "":
		return skip("Off", o.Git.Off)
	case o.Progress.Stable == nil || o.Progress.Stable.Source == "":
		return skip("NoStableSource", "it is not known at which commit the stable revision was live: take the change out by hand")
	}
	return &v1alpha1.RevertRecord{State: v1alpha1.RevertWanted}
}

// drained waits until nothing is sent to the canary any more, then lets its pods end. Git goes on meanwhile.
func (o *Observed) drained() *Plan {
	if p := revert(o); p != nil {
		return p
	}
	if o.recreated() {
		// No pod of the pinned revision is left: unpin first, whatever else.
		if effects := o.unpinEffects(); len(effects) > 0 {
			return act(v1alpha1.PhaseAborted, o.Progress.Ending.Reason, effects...)
		}
	}
	if p := o.repinned(o.abortedPhase()); p != nil {
		return p // a Service that was made anew selects by the user's own selectors
	}
	since := o.Progress.StageSince.Time
	until := o.Progress.ClearedAt.Add(o.Config.Settle + drain)
	if c, ok := o.canary(); !ok || c.Present == 0 {
		until = since // no pod is there that could still answer
	}
	if lag := o.unprogrammed(); lag != "" && o.Now.Before(since.Add(o.Config.Progress)) {
		return wait(v1alpha1.PhaseAborted, "all traffic is written back to stable; waits until "+lag, since, since.Add(o.Config.Progress))
	}
	if o.Now.Before(until) {
		return wait(o.abortedPhase(), "all traffic is on stable; the canary finishes what it has begun", since, until)
	}
	return o.record(o.abortedPhase(), "the canary has drained", func(p *v1alpha1.Progress) {
		o.enter(p, v1alpha1.StageRetiring)
	})
}

// unprogrammed says which route is not programmed yet; empty: all are.
func (o *Observed) unprogrammed() string {
	for _, r := range o.Routes {
		if r.Found && !r.Programmed {
			return fmt.Sprintf("%s %s is programmed: %s", r.Ref.Kind, r.Ref.Name, r.Why)
		}
	}
	return ""
}

// retired ends the canary pods, unpins, and closes the attempt.
func (o *Observed) retired() *Plan {
	if p := revert(o); p != nil {
		return p
	}
	phase := o.abortedPhase()
	if p := o.endCanaryPods(phase); p != nil {
		return p
	}
	if effects := o.unpinEffects(); len(effects) > 0 {
		return act(phase, "the Services select by the user's own selectors again", effects...)
	}
	if o.Attempt.Found {
		return act(phase, "the attempt's parameters go", DeleteAttempt{})
	}
	if p := o.giveBack(phase); p != nil {
		return p
	}
	return o.close()
}

// lookAtPods is when to look again at pods that are no longer anybody's.
const lookAtPods = 5 * time.Second

// endCanaryPods scales the canary to zero and waits for its pods; nil: there is none left.
func (o *Observed) endCanaryPods(phase v1alpha1.Phase) *Plan {
	c, exists := o.canary()
	switch {
	case !exists && o.CanaryPods > 0:
		// Their end wakes nobody where no Service selects them.
		return wait(phase, fmt.Sprintf("waits until the canary's pods have ended, whose ReplicaSet %s was deleted", o.Progress.Canary.ReplicaSet),
			o.Progress.StageSince.Time, time.Time{}).wakeBy(o.Now.Add(lookAtPods))
	case !exists || !c.Ours:
		return nil
	case c.Replicas > 0:
		return act(phase, "the canary's pods end", Canaries{Revision: c, Size: 0})
	case c.Present > 0:
		return wait(phase, "waits until the canary's pods have ended", o.Progress.StageSince.Time, time.Time{})
	}
	return nil
}

// giveBack returns a ReplicaSet that was taken over; nil: there is none. While its template is still in the workload it
// stays ours: a held Deployment that is scaled up from zero starts the equal ReplicaSet that it owns.
func (o *Observed) giveBack(phase v1alpha1.Phase) *Plan {
	c, exists := o.canary()
	if !exists || !c.Ours || c.Current || !o.Progress.Canary.TakenOver || !o.Workload.Found {
		return nil
	}
	return act(phase, "the ReplicaSet goes back to the workload", ReturnRevision{Revision: c})
}

// close ends the attempt in the books.
func (o *Observed) close() *Plan {
	e := *o.Progress.Ending
	stage, phase := v1alpha1.StageHeld, o.abortedPhase()
	switch e.Outcome {
	case v1alpha1.OutcomeSuperseded, v1alpha1.OutcomeWithdrawn:
		stage, phase = v1alpha1.StageResting, v1alpha1.PhasePending
	}
	p := o.record(phase, e.Reason, func(p *v1alpha1.Progress) {
		if stage == v1alpha1.StageHeld {
			p.Quarantine = quarantined(p.Quarantine, v1alpha1.QuarantinedRevision{
				ReplicaSet: p.Canary.ReplicaSet, Revision: p.Canary.Revision, Reason: e.Reason,
			})
		}
		p.Retiring = o.retiring(p.ClearedAt.Time)
		o.enter(p, stage)
	})
	p.Ended = o.attempt(e)
	return p
}

// quarantined puts a revision in front of the list, once, and keeps five.
func quarantined(list []v1alpha1.QuarantinedRevision, q v1alpha1.QuarantinedRevision) []v1alpha1.QuarantinedRevision {
	out := append([]v1alpha1.QuarantinedRevision{q}, unquarantined(list, q.ReplicaSet)...)
	return out[:min(len(out), 5)]
}

func unquarantined(list []v1alpha1.QuarantinedRevision, replicaSet string) []v1alpha1.QuarantinedRevision {
	var out []v1alpha1.QuarantinedRevision
	for _, q := range list {
		if q.ReplicaSet != replicaSet {
			out = append(out, q)
		}
	}
	return out
}

func (o *Observed) retiring(cleared time.Time) *v1alpha1.RetiringService {
	if o.Progress.CanaryService == "" {
		return nil
	}
	r := &v1alpha1.RetiringService{Name: o.Progress.CanaryService}
	r.NotBefore.Time = cleared.Add(retireAfter)
	return r
}

// attempt is the line of history.
func (o *Observed) attempt(e v1alpha1.Ending) *v1alpha1.AttemptRecord {
	p := o.Progress
	a := &v1alpha1.AttemptRecord{Attempt: p.Attempt, Outcome: e.Outcome, Reason: e.Reason, Cost: e.Cost}
	a.Step, _, _ = strings.Cut(e.Step, " ")
	if p.Canary != nil {
		a.Revision, a.Image = p.Canary.Revision, p.Canary.Image
	}
	a.EndedAt = &metav1.Time{Time: e.At.Time}
	if p.StartedAt != nil {
		a.StartedAt = &metav1.Time{Time: p.StartedAt.Time}
		a.Duration = e.At.Sub(p.StartedAt.Time).Round(time.Second).String()
	}
	if p.Revert != nil {
		a.Commit = p.Revert.Commit
	}
	return a
}
