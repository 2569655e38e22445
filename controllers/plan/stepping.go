package plan

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
)

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
	return o.CanaryReadySince.Add(o.Config.Settle)
}

// startClock records that the step's clock runs. The words are those of the bake that follows, so that the status need
// not be written again for them.
func (o *Observed) startClock() *Plan {
	p := o.record(v1alpha1.PhaseProgressing, o.bakingText(), func(p *v1alpha1.Progress) {
		p.ProgrammedSince = o.stampPtr()
		p.ReadyHighWater = o.canaryReady()
		o.expose(p)
	})
	p.Quiet = true
	if step, _ := o.step(); !step.Approve {
		running := *o
		running.Progress = *p.Progress
		p.Waiting = waiting(p.Reason, running.clockStart(), running.clockReaches(step.Bake))
	}
	return p
}

// expose remembers when the clock of the step first started. From these moments comparisons are computed again after a
// restart; a clock that stood meanwhile does not change them, since what counts is what the arms answered.
func (o *Observed) expose(p *v1alpha1.Progress) {
	if n := len(p.Exposures); n > 0 && p.Exposures[n-1].Step == p.Step {
		return
	}
	p.Exposures = append(slices.Clip(p.Exposures), v1alpha1.Exposure{
		Step: p.Step, WeightPermille: p.WeightPermille, Pods: o.size(), Since: metav1.NewMicroTime(o.Now.Add(o.Config.Settle)),
	})
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
	if o.Config.Ramp != nil {
		return o.ramping()
	}
	return o.baking(step)
}

// baking waits until a step of the ladder has baked and every metric passes; nil: so it is.
func (o *Observed) baking(step Step) *Plan {
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
		p.Effects = append(p.Effects, Measure{
			Attempt: o.Progress.Attempt, Step: o.Progress.Step, Since: o.clockStart(), Exposures: o.exposures(), StablePods: o.Progress.Replicas,
		})
	}
	return o.withTip(p)
}

// exposures are those from the step on at which metrics begin to run.
func (o *Observed) exposures() []v1alpha1.Exposure {
	i := slices.IndexFunc(o.Progress.Exposures, func(e v1alpha1.Exposure) bool { return e.Step >= o.Config.StartAt })
	if i < 0 {
		return nil
	}
	return o.Progress.Exposures[i:]
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
	if o.Config.Ramp != nil && !o.Progress.PromoteFull {
		return o.toRampStep()
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
