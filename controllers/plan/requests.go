package plan

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// meansCanary says that a request speaks of the revision under judgement. "-" speaks of whatever there is.
func (o *Observed) meansCanary(r *Request) bool {
	return r.Revision == "-" || (o.Progress.Canary != nil && r.Revision == o.Progress.Canary.Revision)
}

// requested answers a person's request. An answer is a record, so that it survives a restart and is given once.
func requested(o *Observed) *Plan {
	r := o.Request
	if r == nil {
		return nil
	}
	if r.Malformed != "" {
		return o.refuse(r.Malformed)
	}
	if o.Progress.Canary != nil && !o.meansCanary(r) {
		return o.refuse(fmt.Sprintf("it speaks of revision %s, the canary is %s", r.Revision, o.Progress.Canary.Revision))
	}
	switch r.Verb {
	case "pause", "resume":
		return o.pauseRequested(r.Verb == "pause")
	case "promote", "promote-full":
		return o.promoteRequested(r.Verb == "promote-full")
	case "retry":
		return o.retryRequested()
	case "abort":
		return o.refuse("no attempt is in flight that could still be aborted")
	}
	return o.refuse(fmt.Sprintf("the verb %q is unknown: promote, promote-full, pause, resume, abort or retry", r.Verb))
}

func (o *Observed) pauseRequested(pause bool) *Plan {
	if !o.inFlight() {
		return o.refuse("no attempt is in flight")
	}
	text := "goes on"
	if pause {
		text = "is paused: nothing advances, it is still judged"
	}
	p := o.record(v1alpha1.PhaseProgressing, "the attempt "+text, func(p *v1alpha1.Progress) {
		p.Paused = pause
		if !pause && p.Inconclusive != "" {
			// Judge this step afresh: the counts that led nowhere are gone with the clock.
			p.Inconclusive = ""
			p.ClockElapsed.Duration, p.ProgrammedSince, p.WaitSince = 0, nil, o.stampPtr()
		}
	})
	p.Afresh = !pause && o.Progress.Inconclusive != ""
	return o.answer(p, true, "the attempt "+text)
}

// promoteRequested leaves the current step, or goes to the end, on a person's word.
func (o *Observed) promoteRequested(full bool) *Plan {
	if o.Progress.Stage != v1alpha1.StageStepping {
		return o.refuse("no step is in progress that could be promoted")
	}
	if why, frozen := o.frozen(); frozen {
		return o.refuse(why)
	}
	if o.Progress.ProgrammedSince == nil {
		return o.refuse("the step's pods and weight are not there yet; promote when they are")
	}
	if full || o.last() {
		p := o.record(v1alpha1.PhaseProgressing, "a person promotes to 100 %", func(p *v1alpha1.Progress) {
			p.PromoteFull, p.Paused, p.Inconclusive = true, false, ""
		})
		return o.answer(p, true, "goes to 100 % and hands over")
	}
	p := o.onward("promoted by a person")
	p.Progress.Paused = false
	return o.answer(p, true, fmt.Sprintf("goes to step %d", p.Progress.Step))
}

// onward goes one rung further, on a person's word. A ramp has no rung ahead of it: it goes as far as it might by itself.
func (o *Observed) onward(why string) *Plan {
	if o.Config.Ramp != nil {
		return o.rampTo(o.reach(), why)
	}
	return o.toStep(o.Progress.Step+1, why)
}

// retryRequested lifts the quarantine and starts again.
func (o *Observed) retryRequested() *Plan {
	if o.Progress.Stage != v1alpha1.StageHeld || !o.templateIsCanary() {
		return o.refuse("no failed revision is held")
	}
	p := o.record(v1alpha1.PhasePending, fmt.Sprintf("revision %s is tried again", o.Progress.Canary.Revision), func(p *v1alpha1.Progress) {
		p.Quarantine = unquarantined(p.Quarantine, p.Canary.ReplicaSet)
		if o.reverting() {
			p.Revert.State, p.Revert.Reason, p.Revert.Message = v1alpha1.RevertSkipped, "Retried", "a person tries the revision again"
		}
		o.enter(p, v1alpha1.StageResting)
	})
	return o.answer(p, true, "the attempt starts again")
}

func (o *Observed) refuse(why string) *Plan {
	p := o.record("", "a request is refused: "+why, func(*v1alpha1.Progress) {})
	return o.answer(p, false, why)
}

// answer puts the acknowledgement on a record.
func (o *Observed) answer(p *Plan, accepted bool, message string) *Plan {
	r := o.Request
	p.Progress.Request = r.Token
	p.Ack = &v1alpha1.RequestStatus{
		Verb: r.Verb, Revision: r.Revision, Token: r.Token, User: r.User,
		At: &metav1.Time{Time: o.Now}, Outcome: "Accepted", Message: message,
	}
	if !accepted {
		p.Ack.Outcome = "Refused"
	}
	return p
}
