package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/workloads"
)

// hashKey is the label that tells the pods of a Deployment's revisions apart.
const hashKey = "pod-template-hash"

// ungoverned puts our finalizer and label on. An invalid Rollout touches nothing.
func ungoverned(o *Observed) *Plan {
	if o.Deleting || len(o.Problems) > 0 || !o.Workload.Found {
		return nil
	}
	switch {
	case !o.Finalizer:
		return act(v1alpha1.PhasePending, "the Rollout takes up its work", AddFinalizer{})
	case o.Workload.Governor != o.Name || o.Workload.Ignored != strings.Join(o.Ignored, ","):
		return act(v1alpha1.PhasePending, o.WorkloadName+" comes under guard", Govern{Ignored: o.Ignored})
	}
	return nil
}

// adopting waits until the workload's own roll-out is over and takes what it finds as stable. It restarts nothing.
func adopting(o *Observed) *Plan {
	if o.Progress.Stage != v1alpha1.StageAdopting && o.Progress.Stage != "" {
		return nil
	}
	if p := invalid(o); p != nil {
		return p
	}
	if p := o.retire(v1alpha1.PhasePending); p != nil {
		return p
	}
	if p := o.outrank(v1alpha1.PhasePending); p != nil {
		return p
	}
	if effects := o.sweep(); len(effects) > 0 {
		return act(v1alpha1.PhasePending, "what an earlier attempt left goes", effects...)
	}
	if o.Workload.Held {
		return o.adoptingHeld()
	}
	return o.adoptingRolledOut()
}

// adoptingRolledOut waits for the workload's own roll-out and takes what it brought as stable.
func (o *Observed) adoptingRolledOut() *Plan {
	if !o.Workload.Settled || !o.Workload.Candidate.Owned {
		return wait(v1alpha1.PhasePending, "waits until "+o.WorkloadName+" has finished its own roll-out", o.Progress.StageSince.Time, time.Time{})
	}
	if o.Workload.Notice != "" {
		return act(v1alpha1.PhasePending, o.WorkloadName+" is not held any more, and nothing says so", Notice{})
	}
	return o.adopt(o.Workload.Candidate)
}

// adoptingHeld finds what is stable behind a template that is held already.
func (o *Observed) adoptingHeld() *Plan {
	if r, ok := o.serving(); ok {
		return o.adoptServing(r)
	}
	// Nothing is known to be stable, so there is nothing to protect: the newer template may well be the fix.
	if s, ok := o.stable(); !ok || s.Ready == 0 {
		return act(v1alpha1.PhasePending, "nothing is known to be stable yet; "+o.WorkloadName+" goes on with its newest template",
			Release{ResourceVersion: o.Workload.ResourceVersion})
	}
	if p := o.undoRoll(); p != nil {
		return p
	}
	return o.toResting("the stable revision has all its pods again")
}

// adopt records the workload's own revision as stable, and one that was let through unheld in the history.
func (o *Observed) adopt(c workloads.Revision) *Plan {
	p := o.record(v1alpha1.PhaseHealthy, fmt.Sprintf("%s is stable at revision %s", o.WorkloadName, c.Hash), func(p *v1alpha1.Progress) {
		source := o.Workload.Source
		if source == "" {
			source = o.knownSource()
		}
		p.Stable = &v1alpha1.RevisionRecord{Revision: c.Hash, ReplicaSet: c.Name, Image: c.Image, Source: source}
		o.enter(p, v1alpha1.StageResting)
	})
	if was := o.Progress.Stable; was != nil && was.ReplicaSet != c.Name && o.Workload.Bypassed != "" {
		p.Ended = &v1alpha1.AttemptRecord{
			Attempt: o.Progress.Attempt, Outcome: v1alpha1.OutcomeBypassed, Revision: c.Hash, Image: c.Image,
			Reason: "let through unheld by a person: " + o.Workload.Bypassed, EndedAt: &metav1.Time{Time: o.Now},
		}
	}
	return p
}

// held waits until Git or a person takes a failed revision back.
func held(o *Observed) *Plan {
	if o.Progress.Stage != v1alpha1.StageHeld {
		return nil
	}
	return o.withRevert(o.held())
}

func (o *Observed) held() *Plan {
	if p := revert(o); p != nil {
		return p
	}
	phase := o.abortedPhase()
	if effects := o.intents(); len(effects) > 0 {
		return act(phase, "what was made anew goes back to Git's form", effects...)
	}
	if p := o.leaveHeld(phase); p != nil {
		return p
	}
	if c, ok := o.canary(); ok && c.Ours && c.Replicas > 0 {
		return act(phase, "the pods of the failed revision end, whoever started them", Canaries{Revision: c, Size: 0})
	}
	if notice := o.notice(); o.Workload.Notice != notice {
		return act(phase, notice, Notice{Sentence: notice})
	}
	if p := o.retire(phase); p != nil {
		return p
	}
	p := wait(phase, o.heldText(), o.Progress.StageSince.Time, time.Time{})
	return p
}

// leaveHeld goes on where the failed template is no longer in the workload; nil: it is.
func (o *Observed) leaveHeld(phase v1alpha1.Phase) *Plan {
	switch {
	case !o.Workload.Found, !o.Workload.Held && !o.templateIsStable():
		return o.toAdopting(phase, o.WorkloadName+" is not held any more")
	case o.templateIsStable() && o.Workload.Held:
		return act(phase, "the stable template is back: the hold goes, nothing restarts", Release{ResourceVersion: o.Workload.ResourceVersion})
	case o.templateFailed() && !o.templateIsStable():
		return nil
	}
	if !o.templateFailed() {
		if p := o.giveBack(phase); p != nil {
			return p
		}
	}
	if o.templateIsStable() {
		return o.toResting("the stable template is back in " + o.WorkloadName)
	}
	return o.toResting("a newer template is in " + o.WorkloadName)
}

// heldText says why the workload is held and what is waited for.
func (o *Observed) heldText() string {
	reason := "it failed"
	if o.Progress.Ending != nil {
		reason = o.Progress.Ending.Reason
	}
	return fmt.Sprintf("revision %s is held (%s); stable serves until Git or a person takes the template back", o.Progress.Canary.Revision, reason)
}

// notice is the sentence on the held workload.
func (o *Observed) notice() string {
	return fmt.Sprintf("held by Rollout %s: revision %s did not pass. Revert it in Git, or run: kubectl belay undo %s -n %s (stable template back), kubectl belay retry %s -n %s (try again)",
		o.Name, o.Progress.Canary.Revision, o.Name, o.Namespace, o.Name, o.Namespace)
}

// toResting and toAdopting leave Held.
func (o *Observed) toResting(reason string) *Plan {
	return o.record(v1alpha1.PhasePending, reason, func(p *v1alpha1.Progress) {
		p.Canary = nil
		o.enter(p, v1alpha1.StageResting)
	})
}

func (o *Observed) toAdopting(phase v1alpha1.Phase, reason string) *Plan {
	return o.record(phase, reason, func(p *v1alpha1.Progress) {
		if o.reverting() {
			p.Revert.State, p.Revert.Reason, p.Revert.Message = v1alpha1.RevertSkipped, "NotHeld", reason
		}
		o.enter(p, v1alpha1.StageAdopting)
	})
}

// stableBroken lets a new template through when there is no stable pod to protect.
func stableBroken(o *Observed) *Plan {
	if o.Progress.Stage != v1alpha1.StageResting || !o.Workload.Held || o.templateIsStable() {
		return nil
	}
	s, ok := o.stable()
	if ok && s.Ready > 0 && o.Workload.Replicas > 0 {
		return nil
	}
	if r, serves := o.serving(); serves && o.Workload.Replicas > 0 {
		return o.adoptServing(r)
	}
	why := "no stable pod is ready"
	if o.Workload.Replicas == 0 {
		why = "the workload is scaled to zero"
	}
	return act(v1alpha1.PhasePending, why+": there is nothing to protect, the new template goes on unjudged",
		Release{ResourceVersion: o.Workload.ResourceVersion})
}

// suspended starts no attempt.
func suspended(o *Observed) *Plan {
	if !o.Suspend || o.Progress.Stage != v1alpha1.StageResting || !o.Workload.Held || o.templateIsStable() {
		return nil
	}
	return wait(v1alpha1.PhasePaused, "the Rollout is suspended; a new template is held", time.Time{}, time.Time{})
}

// invalid starts no attempt and touches nothing. In flight the attempt goes on with its snapshot, but does not advance.
func invalid(o *Observed) *Plan {
	switch o.Progress.Stage {
	case "", v1alpha1.StageAdopting, v1alpha1.StageResting:
		if len(o.Problems) > 0 {
			return stalled(o.Problems[0])
		}
	}
	return nil
}

// resting starts an attempt when a new template is held.
func resting(o *Observed) *Plan {
	if o.Progress.Stage != v1alpha1.StageResting {
		return nil
	}
	switch {
	case !o.Workload.Found:
		return o.toAdopting(v1alpha1.PhasePending, o.WorkloadName+" is gone")
	case o.Workload.Held && o.templateIsStable():
		return act(v1alpha1.PhasePending, "the stable template is back: the hold goes, nothing restarts", Release{ResourceVersion: o.Workload.ResourceVersion})
	case o.Workload.Held && o.templateIsAlike():
		return act(v1alpha1.PhasePending, "the template differs from the stable one only in what is no release: the hold goes, "+o.WorkloadName+" restarts by itself",
			Release{ResourceVersion: o.Workload.ResourceVersion})
	case o.Workload.Held:
		return o.mayStart()
	case !o.templateIsStable():
		return o.toAdopting(v1alpha1.PhasePending, "a template was let through unheld")
	}
	return o.tidying()
}

// tidying takes away what must not be there at rest.
func (o *Observed) tidying() *Plan {
	if p := o.retire(v1alpha1.PhaseHealthy); p != nil {
		return p
	}
	if p := o.outrank(v1alpha1.PhaseHealthy); p != nil {
		return p
	}
	if effects := o.sweep(); len(effects) > 0 {
		return act(v1alpha1.PhaseHealthy, "everything is as Git declares it again", effects...)
	}
	return o.keepSource()
}

// outrank goes on from the numbers of whoever left an intent that is newer than this Rollout's record, such as a Rollout
// of the same name that was deleted by force: no intent is taken off by a lower fence. nil: there is none.
func (o *Observed) outrank(phase v1alpha1.Phase) *Plan {
	highest := o.claimed()
	for _, s := range o.Services {
		if s.Pin != nil && highest.Before(s.Pin.Fence) {
			highest = s.Pin.Fence
		}
	}
	for _, r := range o.Routes {
		if r.Intent != nil && highest.Before(r.Intent.Fence) {
			highest = r.Intent.Fence
		}
	}
	if !o.fence().Before(highest) {
		return nil
	}
	return o.record(phase, "intents of another Rollout are there; attempts are counted on from theirs", func(p *v1alpha1.Progress) {
		p.Attempt = highest.Attempt + 1
	})
}

// sweep lists what must not be there at rest.
func (o *Observed) sweep() []Effect {
	effects := o.intents()
	if o.Attempt.Found {
		effects = append(effects, DeleteAttempt{})
	}
	return append(effects, o.sweepRevisions()...)
}

// intents takes every pin and split off. One may come back after it was taken off, on a Service or route that was deleted and is
// made anew while the attempt's parameters are still there.
func (o *Observed) intents() []Effect {
	effects := o.unpinEffects()
	for _, r := range o.Routes {
		if r.Found && !r.Clear() {
			effects = append(effects, ClearSplit{Route: r.Ref, ResourceVersion: r.ResourceVersion})
		}
	}
	return effects
}

// sweepRevisions lists ReplicaSets of ours that must not be there at rest. One of a revision that failed stays: by it the
// revision is known when it comes again.
func (o *Observed) sweepRevisions() []Effect {
	var effects []Effect
	for _, r := range o.Workload.Revisions {
		known := slices.ContainsFunc(o.Progress.Quarantine, func(q v1alpha1.QuarantinedRevision) bool { return q.ReplicaSet == r.Name })
		switch {
		case r.Ours && r.Replicas > 0:
			effects = append(effects, Canaries{Revision: r, Size: 0})
		case r.Ours && r.Present == 0 && !known:
			effects = append(effects, DropRevision{Name: r.Name})
		}
	}
	return effects
}

// keepSource learns at which commit the stable revision is live, and follows an agent that says so.
func (o *Observed) keepSource() *Plan {
	healthy := fmt.Sprintf("revision %s is stable", o.Progress.Stable.Revision)
	if s := o.Workload.Source; s != "" && s != o.Progress.Stable.Source {
		return o.record(v1alpha1.PhaseHealthy, healthy, func(p *v1alpha1.Progress) { p.Stable.Source = s })
	}
	p := wait(v1alpha1.PhaseHealthy, healthy, time.Time{}, time.Time{})
	p.Waiting = nil
	if o.Progress.Stable.Source != "" || !o.Git.Configured || o.Git.Problem != nil {
		return p
	}
	ask := "stable/" + o.Progress.Stable.Revision
	if o.Git.Tip != nil && o.Git.Tip.For == ask {
		return o.record(v1alpha1.PhaseHealthy, healthy, func(p *v1alpha1.Progress) { p.Stable.Source = o.Git.Tip.Commit })
	}
	p.Effects = []Effect{ReadTip{For: ask}}
	return p
}

// retire deletes a canary Service when its time has come; nil: there is none left.
func (o *Observed) retire(phase v1alpha1.Phase) *Plan {
	r := o.Progress.Retiring
	if r == nil {
		return nil
	}
	if !o.Now.Before(r.NotBefore.Time) {
		if o.Canary.Found && !o.Canary.Foreign {
			if o.Canary.Named {
				return o.whileNamed(phase)
			}
			return act(phase, "the canary's Service is not needed any more", DeleteCanaryService{Name: r.Name})
		}
		return o.record(phase, "the canary's Service is gone", func(p *v1alpha1.Progress) { p.Retiring = nil })
	}
	if !o.Deleting {
		return nil // nothing else waits for it; see wake
	}
	return wait(phase, "waits until gateways have forgotten the canary's Service", time.Time{}, r.NotBefore.Time)
}

// whileNamed keeps the canary's Service: a route that names a missing backend answers with errors. Nothing else waits for
// it but the end of the Rollout.
func (o *Observed) whileNamed(phase v1alpha1.Phase) *Plan {
	if !o.Deleting {
		return nil
	}
	return wait(phase, fmt.Sprintf("waits until no route names Service %s any more: take it out of the route, in Git too", o.Progress.Retiring.Name), time.Time{}, time.Time{})
}

func (o *Observed) pin() routers.Pin {
	return routers.Pin{Fence: o.fence(), Key: hashKey, Value: o.Progress.Stable.Revision}
}

// serving is the revision that users get beside a newer template that is held: the only one of the workload's own with
// pods, or the one with the most ready ones, when the recorded stable has none. None while stable serves beside others:
// then the workload is in the middle of a roll-out.
func (o *Observed) serving() (workloads.Revision, bool) {
	var best workloads.Revision
	others := o.Workload.Others("")
	for _, r := range others {
		recorded := o.Progress.Stable != nil && r.Name == o.Progress.Stable.ReplicaSet
		if recorded && r.Ready > 0 && len(others) > 1 {
			return workloads.Revision{}, false
		}
		if !r.Current && r.Ready > best.Ready {
			best = r
		}
	}
	return best, best.Exists
}

// knownSource is the commit at which the recorded stable revision was live. A restart is no release, so what it brings
// is from there too; what a person let through unheld is not.
func (o *Observed) knownSource() string {
	if o.Progress.Stable == nil || o.Workload.Bypassed != "" {
		return ""
	}
	return o.Progress.Stable.Source
}

// adoptServing takes what users get as stable: the first template that is seen, or one that came to be in a roll-out
// that was not held, was followed by a newer one before it could be recorded. That one is to be judged as any other.
func (o *Observed) adoptServing(r workloads.Revision) *Plan {
	reason := fmt.Sprintf("%s is stable at revision %s, which serves; a newer template is held", o.WorkloadName, r.Hash)
	return o.record(v1alpha1.PhasePending, reason, func(p *v1alpha1.Progress) {
		// What an agent says it applied speaks of the newer template.
		p.Stable = &v1alpha1.RevisionRecord{Revision: r.Hash, ReplicaSet: r.Name, Image: r.Image, Source: o.knownSource()}
		o.enter(p, v1alpha1.StageResting)
	})
}
