package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/workloads"
)

// law is one of the numbered laws, in the terms of a world: in every round, and when everything is at rest. The words that
// it gives say how it is broken.
type law struct {
	number string
	round  func(*story, turn) string
	rest   func(*story, Observed, Plan) string
}

// laws of 02-architecture, and those of every plan. check.go has those that can be seen in one plan alone, here they are
// seen in what plans lead to.
func laws() []law {
	return []law{
		{number: "I1", round: weightsAddUp},
		{number: "I2", round: weightNeedsPods},
		{number: "I3", round: noWeightAfterTheEnd},
		{number: "I4", round: stableKeepsItsPods},
		{number: "I5", round: noMoreThanTheStep},
		{number: "I6", round: clockIsTrue},
		{number: "I7", round: oneRevert},
		{number: "I8", rest: asGitDeclares},
		{number: "I9", rest: silent},
		{number: "I10", round: promotedOnPassAlone},
		{number: "I11", round: abortRestartsNothing},
		{number: "called off", round: endsCalledOff},
		{number: "record-or-act", round: recordOrAct},
		{number: "fence", round: fenceRises},
		{number: "wake", round: wakesLater},
		{number: "way out", round: func(_ *story, t turn) string { return wayOut(t.o, t.p) }},
		{number: "served", round: served},
	}
}

// hold holds a round against every law.
func (s *story) hold(t turn) {
	s.Helper()
	s.book.note(s.world, t)
	for _, v := range Check(t.o, t.p) {
		s.Errorf("check %s: %s\n%s", v.Law, v.Text, s.told())
	}
	for _, l := range laws() {
		if l.round == nil {
			continue
		}
		if text := l.round(s, t); text != "" {
			s.Errorf("law %s: at %s %s\n%s", l.number, s.at(s.world.now), text, s.told())
		}
	}
}

// atRest holds a world in which nothing is left to be done against the laws of rest.
func (s *story) atRest() {
	s.Helper()
	if s.world.gone {
		return
	}
	o := s.world.observe()
	p := s.decide(o)
	for _, l := range laws() {
		if l.rest == nil {
			continue
		}
		if text := l.rest(s, o, p); text != "" {
			s.Errorf("law %s: %s\n%s", l.number, text, s.told())
		}
	}
}

func weightsAddUp(s *story, _ turn) string {
	for _, r := range s.world.routes {
		if i := r.intent; i != nil && (i.Weight < 0 || i.Scale <= 0 || i.Scale-i.Weight < 0) {
			return fmt.Sprintf("route %s gives %d to stable and %d to the canary of %d", r.name, i.Scale-i.Weight, i.Weight, i.Scale)
		}
	}
	return ""
}

func weightNeedsPods(s *story, t turn) string {
	for _, e := range t.done {
		split, ok := e.(Split)
		if ok && split.Split.Permille() > 0 && (t.o.Canary.Ready == 0 || t.o.Canary.Revision != t.o.Progress.Canary.Revision) {
			return fmt.Sprintf("%s is written for revision %s, of which no endpoint is ready", Percent(split.Split.Permille()), t.o.Progress.Canary.Revision)
		}
	}
	if s.book.bare > 3 {
		return "the share of a canary without a ready pod is not taken away"
	}
	return ""
}

func noWeightAfterTheEnd(s *story, t turn) string {
	for _, e := range t.done {
		split, ok := e.(Split)
		if ok && split.Split.Weight > 0 && s.book.ended[split.Split.Attempt] {
			return fmt.Sprintf("%s is written for attempt %d, which was ended", Percent(split.Split.Permille()), split.Split.Attempt)
		}
	}
	return ""
}

// stableKeepsItsPods: neither do we end pods of the stable revision, nor do we let the workload end them, while the
// Services that mean stable take traffic.
func stableKeepsItsPods(s *story, t turn) string {
	if b := t.before; b.stable != nil && (b.stable.replicas < b.replicas || b.stable.owner != b.owner || s.world.set("checkout-"+b.stable.hash) == nil) {
		return fmt.Sprintf("the stable revision %s had %d pods before our writes", b.stable.hash, b.replicas)
	}
	c, _ := t.o.canary()
	for _, e := range t.done {
		_, lets := e.(Release)
		_, gives := e.(Adopt)
		unowned := t.o.inFlight() || t.o.ending() || t.o.Progress.Stage == v1alpha1.StageHandingOver && !c.Owned
		if lets && unowned || gives && c.Ready < t.o.Workload.Replicas {
			return "the workload may roll while stable's Services take traffic"
		}
	}
	return ""
}

func noMoreThanTheStep(_ *story, t turn) string {
	var allowed int32
	if step, ok := t.o.step(); ok {
		allowed = step.Permille
	}
	for _, e := range t.done {
		if split, ok := e.(Split); ok && split.Split.Permille() > allowed {
			return fmt.Sprintf("%s is written, step %d allows %s", Percent(split.Split.Permille()), t.o.Progress.Step, Percent(allowed))
		}
	}
	return ""
}

// clockIsTrue: a step has had its pods and its weight for as long as its clock says, and for its bake when it is left.
func clockIsTrue(s *story, t turn) string {
	had := s.book.good + s.book.blind
	if step, ok := t.o.step(); t.recorded && (t.p.Rule == "stepFinished" || t.p.Rule == "finished") && ok && !step.Approve && !t.o.Progress.PromoteFull {
		if t.good+s.book.blind < step.Bake {
			return fmt.Sprintf("step %d is left after %s of %s", t.o.Progress.Step, t.good, step.Bake)
		}
		return ""
	}
	if t.recorded && t.o.Progress.ProgrammedSince == nil && t.p.Progress.ProgrammedSince != nil && (t.o.trafficLag() != "" || t.o.canaryReady() < t.o.size()) {
		return fmt.Sprintf("the clock of step %d starts, and pods or weight are not there", t.o.Progress.Step)
	}
	o := s.world.observe()
	if o.Progress.Stage == v1alpha1.StageStepping && o.elapsed() > had {
		return fmt.Sprintf("the clock of step %d shows %s, pods and weight were there for %s", o.Progress.Step, o.elapsed(), had)
	}
	return ""
}

func oneRevert(s *story, _ turn) string {
	for commit, n := range s.world.git.reverts {
		if n > 1 {
			return fmt.Sprintf("commit %s was reverted %d times", commit, n)
		}
	}
	return ""
}

// asGitDeclares: after a release, or at its failed end, everything but the hold is as it was written in Git.
func asGitDeclares(s *story, o Observed, p Plan) string {
	w := s.world
	if running(o.Progress.Stage) {
		return ""
	}
	var left []string
	for _, r := range w.routes {
		if r.intent != nil {
			left = append(left, "a split on route "+r.name)
		}
	}
	for _, svc := range w.services {
		if svc.pin != nil {
			left = append(left, "a pin on Service "+svc.name)
		}
	}
	for _, set := range w.sets {
		if set.owner == "rollout" && set.replicas > 0 {
			left = append(left, "canary pods of "+set.hash)
		}
	}
	if o.Attempt.Found {
		left = append(left, "the attempt's parameters")
	}
	if w.canary.Found {
		left = append(left, "the canary's Service")
	}
	if o.Progress.Stage == v1alpha1.StageResting && w.deployment.held && p.Stalled == nil && p.Phase == v1alpha1.PhaseHealthy {
		left = append(left, "a hold that nobody speaks of")
	}
	if o.Progress.Stage == v1alpha1.StageResting && w.deployment.notice != "" && !w.deployment.held && w.meddled == 0 { // who takes the hold off himself leaves it
		left = append(left, "the notice on a workload that is not held")
	}
	if len(left) > 0 {
		return "at rest there is still " + strings.Join(left, ", ")
	}
	return ""
}

// silent: at rest nothing is written and nobody is asked, however often one looks.
func silent(_ *story, o Observed, p Plan) string {
	if !running(o.Progress.Stage) && (len(p.Effects) > 0 || p.Progress != nil) {
		return fmt.Sprintf("at rest there is always something to do: %v, %s", names(p.Effects), p.Reason)
	}
	return ""
}

// promotedOnPassAlone: without a person's word a step is left on a Pass alone; and only what was measured fails.
func promotedOnPassAlone(s *story, t turn) string {
	before := t.o.Progress
	if !t.recorded || before.Stage != v1alpha1.StageStepping || !t.o.measured() {
		return ""
	}
	after := *t.p.Progress
	onward := after.Step > before.Step || after.Stage == v1alpha1.StageUnpinning
	said := t.said()
	if t.o.Config.Ramp != nil && onward {
		return t.beyondBudget(after)
	}
	if onward && t.p.Ack == nil && !before.PromoteFull && said != v1alpha1.VerdictPass {
		return fmt.Sprintf("step %d is left, and the metric says %q", before.Step, said)
	}
	if t.p.Rule == "analysisFailed" && after.Ending != nil && after.Ending.Outcome == v1alpha1.OutcomeFailed && said != v1alpha1.VerdictFail {
		return fmt.Sprintf("the attempt failed, and the metric says %q", said)
	}
	return ""
}

// said is what the one metric said of the step; empty: nothing.
func (t turn) said() v1alpha1.Verdict {
	for _, m := range t.o.Metrics {
		if m.Step == t.o.Progress.Step {
			return m.Verdict
		}
	}
	return ""
}

// abortRestartsNothing: an attempt that was ended lands on the stable pods that served before it.
func abortRestartsNothing(s *story, t turn) string {
	b, after := s.book, t.p.Progress
	if !t.recorded || !t.o.ending() || running(after.Stage) || b.meddled != s.world.meddled || b.stable.stable == nil {
		return ""
	}
	now := s.world.stock()
	if now.stable != b.stable.stable || now.ended != b.stable.ended || now.replicas != b.stable.replicas {
		return fmt.Sprintf("the abort of attempt %d lands on other stable pods: %d ended, %d of %d are wanted", b.begun, now.ended-b.stable.ended, now.replicas, b.stable.replicas)
	}
	return ""
}

// endsCalledOff: an attempt whose hand-over has begun ends only when no adoption that was decided before can arrive any more.
func endsCalledOff(s *story, t turn) string {
	if !t.recorded || t.o.Progress.Stage != v1alpha1.StageHandingOver || t.p.Progress.Stage != v1alpha1.StageAborting {
		return ""
	}
	c := s.world.set(t.o.Progress.Canary.ReplicaSet)
	if c == nil || t.o.recreated() || c.owner == "rollout" && c.calledOff == t.o.fence().String() {
		return ""
	}
	return "the attempt ends, and the workload may still take the canary over"
}

func recordOrAct(_ *story, t turn) string {
	if t.p.Progress != nil && len(t.p.Effects) > 0 {
		return "a plan records and acts"
	}
	return ""
}

func fenceRises(_ *story, t turn) string {
	if p := t.p.Progress; p != nil && p.Sequence <= t.o.Progress.Sequence {
		return fmt.Sprintf("the sequence goes from %d to %d", t.o.Progress.Sequence, p.Sequence)
	}
	return ""
}

func wakesLater(_ *story, t turn) string {
	if w := t.p.Wake; !w.IsZero() && !w.After(t.o.Now) {
		return fmt.Sprintf("it looks again %s ago", t.o.Now.Sub(w))
	}
	return ""
}

// wayOut: whoever only waits says for what, and is woken by time, by a fact that is not there yet, or by a person.
func wayOut(o Observed, p Plan) string {
	if p.Progress != nil || changes(p.Effects) || p.Phase == v1alpha1.PhaseHealthy {
		return ""
	}
	if p.Waiting == nil && p.Stalled == nil {
		return "it waits and does not say for what: " + p.Reason
	}
	mends := o.reverting() && o.Git.Problem != nil // what keeps Git from being asked is told in a condition
	person := p.Stalled != nil || mends || slices.Contains([]v1alpha1.Phase{v1alpha1.PhaseHeld, v1alpha1.PhasePaused, v1alpha1.PhaseInconclusive}, p.Phase)
	if person || !p.Wake.IsZero() || len(p.Effects) > 0 || pendingFact(o) {
		return ""
	}
	return "it waits, and nothing could wake it: " + p.Reason
}

// pendingFact says that a neighbour owes something that is observed: pods, the gateway, the Deployment's own roll-out.
func pendingFact(o Observed) bool {
	if o.unprogrammed() != "" || o.CanaryPods > 0 || o.Canary.Named || (o.Deleting && !o.Finalizer) {
		return true
	}
	if stage := o.Progress.Stage; (stage == "" || stage == v1alpha1.StageAdopting) && (!o.Workload.Settled || !o.Workload.Candidate.Owned) {
		return true
	}
	return slices.ContainsFunc(o.Workload.Revisions, func(r workloads.Revision) bool { return r.Present != r.Replicas || r.Ready < r.Replicas })
}

// served: every backend that gets a share has a ready pod. With chance it counts when everybody has caught up.
func served(s *story, t turn) string {
	w := s.world
	if s.unserved || (w.chance != nil && (w.owes() || !t.fresh || t.changed || t.refused)) {
		return ""
	}
	return t.lost
}

// unserved says whose share goes to no pod; empty: nobody's.
func (w *world) unserved() string {
	for _, r := range w.routes {
		if share := r.share(); share > 0 && w.canaryEndpoints() == 0 {
			return fmt.Sprintf("%s of %s goes to no canary pod", Percent(share), r.name)
		} else if share < 1000 && len(w.endpoints(w.services[0])) == 0 {
			return fmt.Sprintf("the stable share of %s goes to no pod", r.name)
		}
	}
	return ""
}
