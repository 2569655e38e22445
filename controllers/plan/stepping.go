package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
)

// pinning makes everything that must stand before a canary pod exists: the attempt's parameters, the canary's Service,
// the pins, and the split at weight zero, so that gateways know the canary's Service before it gets the first percent.
func pinning(o *Observed) *Plan {
	if o.Progress.Stage != v1alpha1.StagePinning {
		return nil
	}
	if o.attemptMissing() && o.LiveDigest != o.Progress.SnapshotDigest {
		// The Rollout was edited between the record and the snapshot. Nothing is exposed yet: take the edit.
		return o.record(v1alpha1.PhaseProgressing, "the Rollout was edited as the attempt began", func(p *v1alpha1.Progress) {
			p.SnapshotDigest, p.SnapshotGeneration = o.LiveDigest, o.Generation
		})
	}
	if problem := o.contestedRoute(); problem != nil {
		// Another Rollout was quicker. This one takes down what it has made, and begins again when that one is over.
		return o.end(v1alpha1.OutcomeSuperseded, problem.Message)
	}
	if problem := o.pinProblem(); problem != nil {
		p := stalled(*problem)
		return p.wakeBy(o.Progress.StageSince.Add(o.Config.Progress))
	}
	if effects := o.preparing(); len(effects) > 0 {
		return o.withTip(act(v1alpha1.PhaseProgressing, "the stable revision is pinned before a canary pod exists", effects...))
	}
	since, until := o.Progress.StageSince.Time, o.Progress.StageSince.Add(o.Config.Progress)
	if pending := o.pinningPending(); pending != "" {
		return o.withTip(wait(v1alpha1.PhaseProgressing, "waits until "+pending, since, until))
	}
	if why, frozen := o.frozen(); frozen {
		return wait(v1alpha1.PhasePaused, "no canary pod is started: "+why, since, until)
	}
	return o.toStep(1, "stable is pinned")
}

// attemptMissing says that the parameter object is not this attempt's.
func (o *Observed) attemptMissing() bool {
	pin, ok := routers.ParsePin(o.Attempt.Pin)
	return !o.Attempt.Found || o.Attempt.Digest != o.Progress.SnapshotDigest || !ok ||
		pin.Attempt != o.Progress.Attempt || pin.Value != o.Progress.Stable.Revision
}

// preparing lists what is still to be made before the first canary pod.
func (o *Observed) preparing() []Effect {
	pin := o.pin()
	zero := o.split(v1alpha1.RouteReference{}, "", 0)
	var effects []Effect
	if o.attemptMissing() {
		effects = append(effects, EnsureAttempt{Pin: pin, Split: zero.Split, Labels: o.Workload.PodLabels})
	}
	if o.canaryServiceStale() {
		effects = append(effects, o.ensureCanaryService())
	}
	effects = append(effects, o.pinEffects()...)
	if len(effects) > 0 {
		return effects
	}
	for _, r := range o.Routes {
		if r.Found && r.Other == nil && (r.Intent == nil || r.Intent.Attempt != o.Progress.Attempt) {
			effects = append(effects, o.split(r.Ref, r.ResourceVersion, 0))
		}
	}
	return effects
}

// canaryServiceStale says that the canary's Service is missing or does not say what it has to.
func (o *Observed) canaryServiceStale() bool {
	return !o.Canary.Found || !o.Canary.Current || o.Canary.Revision != o.Progress.Canary.Revision
}

func (o *Observed) ensureCanaryService() Effect {
	return EnsureCanaryService{Name: o.Progress.CanaryService, Service: o.Config.Service, Revision: o.Progress.Canary.Revision}
}

// pinEffects pins every Service that is not pinned to the stable revision.
func (o *Observed) pinEffects() []Effect {
	if o.Progress.Stable == nil {
		return nil
	}
	var effects []Effect
	for _, s := range o.Services {
		if s.Pin == nil || !s.Pinned || s.Pin.Value != o.Progress.Stable.Revision {
			effects = append(effects, Pin{Service: s.Name, ResourceVersion: s.ResourceVersion, Pin: o.pin()})
		}
	}
	return effects
}

// unpinEffects takes every pin off.
func (o *Observed) unpinEffects() []Effect {
	var effects []Effect
	for _, s := range o.Services {
		if s.Pin != nil {
			effects = append(effects, Unpin{Service: s.Name, ResourceVersion: s.ResourceVersion})
		}
	}
	return effects
}

// pinProblem finds a Service whose pin would drop traffic.
func (o *Observed) pinProblem() *Problem {
	for _, s := range o.Services {
		if s.Pin != nil {
			continue
		}
		if s.Foreign > 0 {
			return &Problem{"ServiceSelectsOthers", fmt.Sprintf(
				"Service %s also selects pods that are not %s's: give it a selector that matches this workload only", s.Name, o.WorkloadName)}
		}
		for revision, ready := range s.Ready {
			if ready > 0 && revision != o.Progress.Stable.Revision {
				return &Problem{"RollInProgress", fmt.Sprintf(
					"Service %s has endpoints of revision %s beside stable %s: waits until they are gone", s.Name, revision, o.Progress.Stable.Revision)}
			}
		}
	}
	if o.Canary.Found && o.Canary.Foreign {
		return &Problem{"CanaryServiceForeign", fmt.Sprintf(
			"Service %s exists and was not made by this Rollout: rename or delete it", o.Progress.CanaryService)}
	}
	return nil
}

// pinningPending says what the stage still waits for; empty: nothing.
func (o *Observed) pinningPending() string {
	for _, s := range o.Services {
		if !s.Pinned {
			return fmt.Sprintf("Service %s is pinned to revision %s", s.Name, o.Progress.Stable.Revision)
		}
	}
	for _, r := range o.Routes {
		if !r.Found {
			return fmt.Sprintf("%s %s exists", r.Ref.Kind, r.Ref.Name)
		}
		if !r.Divided && r.Names {
			return fmt.Sprintf("%s %s can be split (SplitImpossible): %s", r.Ref.Kind, r.Ref.Name, unsplitText(r))
		}
	}
	return o.unprogrammed()
}

func unsplitText(r routers.State) string {
	if len(r.Unsplit) == 0 {
		return "the admission policy did not divide it"
	}
	return fmt.Sprintf("%s would have more than 16 backends or a weight above 1,000,000", r.Unsplit[0])
}

// split is the effect that writes a share (permille) on a route.
func (o *Observed) split(ref v1alpha1.RouteReference, resourceVersion string, permille int32) Split {
	return Split{Route: ref, ResourceVersion: resourceVersion, Split: routers.Split{
		Fence: o.fence(), Service: o.Config.Service, Canary: o.Progress.CanaryService,
		Weight: routers.WeightIn(permille, o.Config.Scale), Scale: o.Config.Scale,
	}}
}

// toStep records the entry into a rung.
func (o *Observed) toStep(n int32, why string) *Plan {
	step := o.Config.Ladder[n-1]
	text := fmt.Sprintf("%s: step %d/%d (%s) begins", why, n, len(o.Config.Ladder), Percent(step.Permille))
	return o.record(v1alpha1.PhaseProgressing, text, func(p *v1alpha1.Progress) {
		p.Step, p.StepSince, p.WaitSince = n, o.stampPtr(), o.stampPtr()
		p.WeightPermille = step.Permille
		p.ReadyHighWater, p.ProgrammedSince, p.Inconclusive = 0, nil, ""
		p.ClockElapsed.Duration = 0
		if p.Stage != v1alpha1.StageStepping {
			o.enter(p, v1alpha1.StageStepping)
		}
	})
}

// podsPending scales the canary up before traffic is shifted to it.
func podsPending(o *Observed) *Plan {
	if o.Progress.Stage != v1alpha1.StageStepping || o.Progress.ProgrammedSince != nil {
		return nil
	}
	want := o.size()
	c, exists := o.canary()
	if !exists {
		c = o.Workload.Candidate
	}
	if !exists || !c.Ours || c.Replicas < want {
		return act(v1alpha1.PhaseProgressing, fmt.Sprintf("the canary is scaled to %d", want), Canaries{Revision: c, Size: want})
	}
	if c.Ready < want || o.Canary.Ready < want {
		since := o.waitSince()
		return o.withTip(wait(v1alpha1.PhaseProgressing, fmt.Sprintf("waits until %d canary pods are ready, %d are%s", want, min(c.Ready, o.Canary.Ready), o.podTrouble()),
			since, since.Add(o.Config.Progress)))
	}
	return nil
}

// trafficPending writes the step's weight and waits until it is programmed; then the clock may run.
func trafficPending(o *Observed) *Plan {
	if o.Progress.Stage != v1alpha1.StageStepping || o.Progress.ProgrammedSince != nil {
		return nil
	}
	if until := o.endpointsKnown(); o.Now.Before(until) {
		return o.withTip(wait(v1alpha1.PhaseProgressing, "the gateways learn of the canary's pods", o.CanaryReadySince, until))
	}
	if effects := o.weightEffects(); len(effects) > 0 {
		return act(v1alpha1.PhaseProgressing, fmt.Sprintf("the canary gets %s of the traffic", Percent(o.Progress.WeightPermille)), effects...)
	}
	if lag := o.trafficLag(); lag != "" {
		since := o.waitSince()
		return wait(v1alpha1.PhaseProgressing, "waits until "+lag, since, since.Add(o.Config.Progress))
	}
	return o.startClock()
}

// weightEffects write the step's weight on every route that has another.
func (o *Observed) weightEffects() []Effect {
	var effects []Effect
	for _, r := range o.Routes {
		if r.Found && r.Other == nil && (r.Intent == nil || r.Intent.Permille() != o.Progress.WeightPermille || r.Intent.Attempt != o.Progress.Attempt) {
			effects = append(effects, o.split(r.Ref, r.ResourceVersion, o.Progress.WeightPermille))
		}
	}
	return effects
}

// endpointsKnown is when a gateway can be taken to know the canary's first pods; zero: nothing has to be waited for. A
// gateway hears of endpoints and of routes in no order, and one that knows the weight before the pods answers the first
// requests with an error. So pods settle before the first weight, as weights do before the clock.
func (o *Observed) endpointsKnown() time.Time {
	fromZero := slices.ContainsFunc(o.Routes, func(r routers.State) bool { return r.Found && r.Permille() == 0 })
	if o.Progress.WeightPermille == 0 || !fromZero || o.CanaryReadySince.IsZero() {
		return time.Time{}
	}
	return o.CanaryReadySince.Add(time.Second + o.Config.Settle) // what is observed is cut to the second
}

// startClock records that the step's clock runs. The words are those of the bake that follows, so that the status need
// not be written again for them.
func (o *Observed) startClock() *Plan {
	p := o.record(v1alpha1.PhaseProgressing, o.bakingText(), func(p *v1alpha1.Progress) {
		p.ProgrammedSince = o.stampPtr()
		p.ReadyHighWater = o.canaryReady()
	})
	p.Quiet = true
	if step, _ := o.step(); !step.Approve {
		running := *o
		running.Progress = *p.Progress
		p.Waiting = waiting(p.Reason, running.clockStart(), running.clockReaches(step.Bake))
	}
	return p
}

// trafficLag says which route does not carry the step's weight yet; empty: all do.
func (o *Observed) trafficLag() string {
	for _, r := range o.Routes {
		switch {
		case !r.Found:
			return fmt.Sprintf("%s %s exists", r.Ref.Kind, r.Ref.Name)
		case r.Names && !r.Divided:
			return fmt.Sprintf("%s %s can be split (SplitImpossible): %s", r.Ref.Kind, r.Ref.Name, unsplitText(r))
		case r.Permille() != o.Progress.WeightPermille:
			return fmt.Sprintf("%s %s carries %s", r.Ref.Kind, r.Ref.Name, Percent(o.Progress.WeightPermille))
		}
	}
	return o.unprogrammed()
}

// clockStopped stops the clock while pods or weight are not what the step says.
func clockStopped(o *Observed) *Plan {
	if o.Progress.Stage != v1alpha1.StageStepping {
		return nil
	}
	why := o.trafficLag()
	if ready, want := o.canaryReady(), o.size(); why == "" && ready < want {
		why = fmt.Sprintf("%d canary pods are ready, %d are%s", want, ready, o.podTrouble())
	}
	if why == "" {
		return nil
	}
	return o.record(v1alpha1.PhaseProgressing, "the step's clock stands until "+why, func(p *v1alpha1.Progress) {
		// A clock that did not get anywhere was no progress: the wait before it goes on, or pods that come and go within
		// the settle time would never be over their deadline.
		if elapsed := o.elapsed(); elapsed > p.ClockElapsed.Duration || p.WaitSince == nil {
			p.ClockElapsed.Duration, p.WaitSince = elapsed, o.stampPtr()
		}
		p.ProgrammedSince = nil
	})
}

// stepUnfinished bakes and judges.
func stepUnfinished(o *Observed) *Plan {
	if o.Progress.Stage != v1alpha1.StageStepping {
		return nil
	}
	step, _ := o.step()
	if step.Approve {
		return nil
	}
	if o.Progress.PromoteFull {
		return o.settling()
	}
	elapsed, v := o.elapsed(), o.verdict()
	if elapsed >= step.Bake && !o.clockStart().After(o.Now) && v.verdict == v1alpha1.VerdictPass {
		return nil
	}
	if v.verdict != v1alpha1.VerdictPass && elapsed > o.stepDeadline() {
		if p := o.inconclusive(fmt.Sprintf("%s after %s at step %d", v.sentence, elapsed.Round(time.Second), o.Progress.Step)); p != nil {
			return p
		}
	}
	phase, text := o.unfinishedText(v)
	p := wait(phase, text, o.clockStart(), o.clockReaches(step.Bake))
	p.Wake = time.Time{}
	o.wakeByClock(p, step.Bake, o.stepDeadline()+time.Millisecond)
	return o.withMeasuring(p)
}

// wakeByClock looks again when the step's clock starts, and when it shows one of the times.
func (o *Observed) wakeByClock(p *Plan, shows ...time.Duration) {
	times := []time.Time{o.clockStart()}
	for _, d := range shows {
		times = append(times, o.clockReaches(d))
	}
	for _, at := range times {
		if at.After(o.Now) {
			p.wakeBy(at)
		}
	}
}

// unfinishedText says how it stands with a step that is not done.
func (o *Observed) unfinishedText(v judgement) (v1alpha1.Phase, string) {
	phase, text := v1alpha1.PhaseProgressing, o.bakingText()
	if step, _ := o.step(); o.elapsed() >= step.Bake && v.verdict != v1alpha1.VerdictPass {
		text = fmt.Sprintf("step %d/%d has baked; %s", o.Progress.Step, len(o.Config.Ladder), v.sentence)
	}
	if o.Progress.Paused {
		phase = v1alpha1.PhasePaused
	}
	if o.Progress.Inconclusive != "" {
		phase, text = v1alpha1.PhaseInconclusive, o.Progress.Inconclusive+"; promote, abort or resume"
	}
	return phase, text
}

// settling waits, where a person has said to go on without bake and verdict, until gateways have followed the weight;
// nil: they have.
func (o *Observed) settling() *Plan {
	if start := o.clockStart(); o.Now.Before(start) {
		return o.withMeasuring(wait(v1alpha1.PhaseProgressing, "the gateways settle", o.Progress.ProgrammedSince.Time, start))
	}
	return nil
}

// bakingText says what a step does once its pods and its weight are there.
func (o *Observed) bakingText() string {
	step, _ := o.step()
	where := fmt.Sprintf("step %d/%d", o.Progress.Step, len(o.Config.Ladder))
	if step.Approve {
		return where + " waits for a person: kubectl belay promote or abort"
	}
	return fmt.Sprintf("%s bakes at %s for %s", where, Percent(step.Permille), step.Bake)
}

// withMeasuring keeps the metrics of the step running beside a plan that waits.
func (o *Observed) withMeasuring(p *Plan) *Plan {
	if o.measured() && p.Progress == nil {
		p.Effects = append(p.Effects, Measure{Attempt: o.Progress.Attempt, Step: o.Progress.Step, Since: o.clockStart()})
	}
	return o.withTip(p)
}

// withTip learns, once in an attempt, at which commit the canary's template came. It asks as soon as the attempt begins:
// the longer it waits, the likelier the branch has the fix by then, and the fix would be taken for what failed.
func (o *Observed) withTip(p *Plan) *Plan {
	if p.Progress != nil || o.Progress.Canary.Source != "" || !o.Git.Configured || o.Git.Problem != nil {
		return p
	}
	ask := fmt.Sprintf("canary/%d", o.Progress.Attempt)
	if o.Git.Tip != nil && o.Git.Tip.For == ask {
		known := o.record(p.Phase, p.Reason, func(q *v1alpha1.Progress) { q.Canary.Source = o.Git.Tip.Commit })
		known.Waiting, known.Quiet = p.Waiting, true
		return known
	}
	p.Effects = append(p.Effects, ReadTip{For: ask})
	return p
}

// waitingForPerson holds a step that is done but may not be left.
func waitingForPerson(o *Observed) *Plan {
	if o.Progress.Stage != v1alpha1.StageStepping {
		return nil
	}
	where := fmt.Sprintf("step %d/%d", o.Progress.Step, len(o.Config.Ladder))
	if p := o.approvalTimedOut(); p != nil {
		return p
	}
	switch why, frozen := o.frozen(); {
	case frozen:
		p := wait(v1alpha1.PhasePaused, where+" is done; "+why, time.Time{}, o.frozenUntil())
		return o.withMeasuring(p)
	case o.Progress.Paused:
		return o.withMeasuring(wait(v1alpha1.PhasePaused, where+" is done; paused by a person: kubectl belay resume, promote or abort", time.Time{}, o.approveUntil()))
	case o.Progress.Inconclusive != "":
		return o.withMeasuring(wait(v1alpha1.PhaseInconclusive, o.Progress.Inconclusive+"; promote, abort or resume", time.Time{}, o.approveUntil()))
	}
	return o.approval(where)
}

// approveUntil is when the time of a person's step is over; zero: the step waits for nobody, or goes on by itself then.
func (o *Observed) approveUntil() time.Time {
	step, _ := o.step()
	if !step.Approve || o.Progress.PromoteFull || step.OnTimeout == v1alpha1.TimeoutContinue {
		return time.Time{}
	}
	return o.Progress.StepSince.Add(step.Timeout)
}

// approvalTimedOut ends an attempt that nobody approved, also one that is paused or inconclusive meanwhile; nil: there
// is still time.
func (o *Observed) approvalTimedOut() *Plan {
	until := o.approveUntil()
	if until.IsZero() || o.Now.Before(until) {
		return nil
	}
	step, _ := o.step()
	return o.end(v1alpha1.OutcomeTimedOut, fmt.Sprintf("nobody approved within %s", step.Timeout), o.evidence()...)
}

// approval waits at an approve step; nil: the current step is none, or its time is over and it says Continue.
func (o *Observed) approval(where string) *Plan {
	step, _ := o.step()
	if !step.Approve || o.Progress.PromoteFull {
		return nil
	}
	until := o.Progress.StepSince.Add(step.Timeout)
	if o.Now.Before(until) {
		p := wait(v1alpha1.PhasePaused, o.bakingText(), o.Progress.StepSince.Time, until)
		return o.withMeasuring(p)
	}
	return o.approvalOver(where)
}

// stepFinished goes to the next rung.
func stepFinished(o *Observed) *Plan {
	if o.Progress.Stage != v1alpha1.StageStepping || o.last() {
		return nil
	}
	next := o.Progress.Step + 1
	if o.Progress.PromoteFull {
		next = int32(len(o.Config.Ladder))
	}
	return o.toStep(next, fmt.Sprintf("step %d/%d is done", o.Progress.Step, len(o.Config.Ladder)))
}

// finished: the last rung is done, the workload may take the pods over.
func finished(o *Observed) *Plan {
	if o.Progress.Stage != v1alpha1.StageStepping {
		return nil
	}
	return o.record(v1alpha1.PhaseProgressing, fmt.Sprintf("revision %s %s: it is handed over", o.Progress.Canary.Revision, o.merit()), func(p *v1alpha1.Progress) {
		o.enter(p, v1alpha1.StageUnpinning)
	})
}

// merit is why a revision is handed over.
func (o *Observed) merit() string {
	if o.Progress.PromoteFull {
		return "goes on without the rest of its steps"
	}
	return "passed every step"
}

// approvalOver goes on without the person when the metrics pass. They get the step's deadline for that; nil: they do.
func (o *Observed) approvalOver(where string) *Plan {
	v := o.verdict()
	if v.verdict == v1alpha1.VerdictPass {
		return nil
	}
	if o.elapsed() > o.stepDeadline() {
		if p := o.inconclusive(fmt.Sprintf("%s at step %d, and nobody approved it", v.sentence, o.Progress.Step)); p != nil {
			return p
		}
	}
	p := wait(v1alpha1.PhaseProgressing, where+" is over; "+v.sentence, o.Progress.StepSince.Time, time.Time{})
	if at := o.clockReaches(o.stepDeadline() + time.Millisecond); at.After(o.Now) {
		p.wakeBy(at)
	}
	return o.withMeasuring(p)
}
