package plan

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// Plan is a decision as data. Exactly one of Progress and Effects is set, or neither when there is only to wait.
type Plan struct {
	// Rule that decided.
	Rule string
	// Reason is one sentence in the present tense: condition, event, log line and transcript line.
	Reason string
	Phase  v1alpha1.Phase
	// Progress to record; nil: nothing to remember.
	Progress *v1alpha1.Progress
	// Effects in order.
	Effects []Effect
	// Wake is the next moment at which this decision can change by itself; zero: only by something that happens.
	Wake time.Time
	// Waiting says what for.
	Waiting *v1alpha1.Waiting
	// Stalled is what a person has to change.
	Stalled *Problem
	// Ended is the line of history that this record completes.
	Ended *v1alpha1.AttemptRecord
	// Ack answers a person's request.
	Ack *v1alpha1.RequestStatus
	// Quiet: the record is told by the status alone. The Event before it has said as much to people.
	Quiet bool
	// Afresh: measurements of the step begin again.
	Afresh bool
	// Breach is when the verdict fell whose consequence these effects are; for the metric.
	Breach time.Time
}

// rule decides, or gives nil where it does not apply.
type rule struct {
	name   string
	decide func(*Observed) *Plan
}

// Decide gives the plan of the first rule that applies.
func Decide(o Observed) Plan {
	for _, r := range rules {
		if p := r.decide(&o); p != nil {
			p.Rule = r.name
			if p.Progress == nil {
				o.wakeBesides(p)
			}
			return *p
		}
	}
	return Plan{Rule: "none", Reason: "nothing is to be done", Phase: v1alpha1.PhaseHealthy}
}

// wakeBesides adds moments at which another rule than the one that decided has something to do.
func (o *Observed) wakeBesides(p *Plan) {
	if retiring := o.Progress.Retiring; retiring != nil && o.Now.Before(retiring.NotBefore.Time) {
		p.wakeBy(retiring.NotBefore.Time)
	}
	if lost := o.Progress.StableLostSince; lost != nil && o.Progress.Stage == v1alpha1.StageStepping {
		if at := lost.Add(stableLostFor); at.After(o.Now) {
			p.wakeBy(at)
		}
	}
}

// record plans to remember a change of the progress, and nothing else.
func (o *Observed) record(phase v1alpha1.Phase, reason string, change func(*v1alpha1.Progress)) *Plan {
	p := o.Progress.DeepCopy()
	change(p)
	if p.Stage == "" { // a word about a Rollout that has not begun, such as the answer to a request
		o.enter(p, v1alpha1.StageAdopting)
	}
	p.Version = v1alpha1.ProgressVersion
	p.Sequence++
	return &Plan{Reason: reason, Phase: phase, Progress: p}
}

// enter changes the stage. At rest nothing is under judgement.
func (o *Observed) enter(p *v1alpha1.Progress, stage v1alpha1.Stage) {
	p.Stage, p.StageSince = stage, o.stamp()
	if stage == v1alpha1.StageResting || stage == v1alpha1.StageAdopting {
		p.Canary = nil
	}
}

func (o *Observed) stamp() metav1.MicroTime { return metav1.NewMicroTime(o.Now) }

func (o *Observed) stampPtr() *metav1.MicroTime {
	t := o.stamp()
	return &t
}

// act plans effects.
func act(phase v1alpha1.Phase, reason string, effects ...Effect) *Plan {
	return &Plan{Reason: reason, Phase: phase, Effects: effects}
}

// wait plans nothing but to look again at a moment (zero: when something happens).
func wait(phase v1alpha1.Phase, what string, since, until time.Time) *Plan {
	return &Plan{Reason: what, Phase: phase, Wake: until, Waiting: waiting(what, since, until)}
}

// waiting is for people. In whole seconds, as the API stores it: a status that was written compares equal.
func waiting(what string, since, until time.Time) *v1alpha1.Waiting {
	w := &v1alpha1.Waiting{For: what}
	if !since.IsZero() {
		w.Since = &metav1.Time{Time: since.Truncate(time.Second)}
	}
	if !until.IsZero() {
		w.Until = &metav1.Time{Time: until.Truncate(time.Second)}
	}
	return w
}

// stalled waits for a person.
func stalled(problem Problem) *Plan {
	return &Plan{Reason: problem.Message, Phase: v1alpha1.PhaseDegraded, Stalled: &problem}
}

// wakeBy moves the wake-up to an earlier moment.
func (p *Plan) wakeBy(t time.Time) *Plan {
	if !t.IsZero() && (p.Wake.IsZero() || t.Before(p.Wake)) {
		p.Wake = t
	}
	return p
}
