package plan

import (
	"fmt"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// Violation names a law that a plan would break.
type Violation struct {
	// Law as "I2".
	Law, Text string
}

// Check holds a plan against the numbered laws. A plan that breaks one is not carried out, unless it only aborts.
// The laws about the data plane and about the far end of an attempt (I4, I7, I8, I9, I11) are checked where they can be
// seen: in the simulator and end to end.
func Check(o Observed, p Plan) []Violation {
	var out []Violation
	broken := func(law, format string, args ...any) {
		out = append(out, Violation{law, fmt.Sprintf(format, args...)})
	}
	if p.Progress != nil && len(p.Effects) > 0 {
		broken("record-or-act", "a plan records and acts in one round")
	}
	if p.Progress != nil && p.Progress.Sequence <= o.Progress.Sequence {
		broken("fence", "the sequence does not rise: %d after %d", p.Progress.Sequence, o.Progress.Sequence)
	}
	if !p.Wake.IsZero() && !p.Wake.After(o.Now) {
		broken("wake", "the next look is not in the future")
	}
	for _, e := range p.Effects {
		if s, ok := e.(Split); ok {
			checkSplit(&o, s, broken)
		}
	}
	checkRecord(&o, p, broken)
	return out
}

func checkSplit(o *Observed, s Split, broken func(law, format string, args ...any)) {
	permille := s.Split.Permille()
	if s.Split.Weight < 0 || s.Split.Weight > s.Split.Scale {
		broken("I1", "weight %d is not within 0…%d", s.Split.Weight, s.Split.Scale)
	}
	if permille > 0 && o.Canary.Ready == 0 {
		broken("I2", "a weight of %s without a ready canary endpoint", Percent(permille))
	}
	if permille > 0 && o.Progress.Ending != nil {
		broken("I3", "a weight of %s after the attempt was ended", Percent(permille))
	}
	if permille > o.Progress.WeightPermille {
		broken("I5", "a weight of %s where the step allows %s", Percent(permille), Percent(o.Progress.WeightPermille))
	}
}

func checkRecord(o *Observed, p Plan, broken func(law, format string, args ...any)) {
	if p.Progress == nil {
		return
	}
	checkClock(o, p, broken)
	handed := p.Progress.Stage == v1alpha1.StageUnpinning && o.Progress.Stage == v1alpha1.StageStepping
	byPerson := p.Ack != nil || o.Progress.PromoteFull
	if handed && !byPerson && o.merits().verdict != v1alpha1.VerdictPass {
		broken("I10", "a promotion without a Pass of every gating metric")
	}
}

// merits are what a promotion rests on. At the end of a ramp that is, for the comparisons of errors, the bound by which it
// came to all of the traffic: there stable has none left, and no tick could make a verdict that is still open a Pass.
func (o *Observed) merits() judgement {
	if o.Config.Ramp != nil {
		return o.gates(true)
	}
	return o.verdict()
}

func checkClock(o *Observed, p Plan, broken func(law, format string, args ...any)) {
	started := p.Progress.ProgrammedSince != nil && o.Progress.ProgrammedSince == nil
	if started && (o.trafficLag() != "" || o.canaryReady() < o.size()) {
		broken("I6", "the clock starts although pods or weight are not there")
	}
}
