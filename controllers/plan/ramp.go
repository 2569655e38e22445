package plan

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/api/v1alpha1"
)

// rampBake is the least time at each weight of a ramp, rampFactor how many times the one before it may be at most.
const (
	rampBake   = 30 * time.Second
	rampFactor = 2
)

// whole is all of the traffic, in permille.
const whole int32 = 1000

// RampLadder is the ladder of a ramp: the weights that were chosen so far, and 100 % at its end.
func RampLadder(r Ramp, chosen []int32) []Step {
	if len(chosen) == 0 {
		chosen = []int32{r.From}
	}
	out := make([]Step, 0, len(chosen)+1)
	for _, permille := range chosen {
		out = append(out, Step{Permille: permille, Bake: rampBake})
	}
	if chosen[len(chosen)-1] < whole {
		out = append(out, Step{Permille: whole, Bake: rampBake, Appended: true})
	}
	return out
}

// risk is the most that the comparisons of errors have not ruled out: the upper bound of the share of the canary's requests
// that are bad and would not be at stable. known is false, and why says the reason, while one of them says nothing.
func (o *Observed) risk() (upper float64, known bool, why string) {
	for _, m := range o.Metrics {
		if m.DryRun || m.Step != o.Progress.Step || !bounds(m) {
			continue
		}
		bound, err := strconv.ParseFloat(m.Comparison.Upper, 64)
		if err != nil || math.IsNaN(bound) || m.Comparison.NeverSeen {
			return 0, false, m.Name + ": " + m.Message
		}
		upper, known = max(upper, bound), true
	}
	if !known {
		return 0, false, "nothing has been compared yet"
	}
	return upper, true, ""
}

// reach is the highest weight that a ramp may go to from where it is, were there nothing to fear: it doubles, and from its
// last weight beside stable it goes to all of the traffic or stays.
func (o *Observed) reach() int32 {
	r := o.Config.Ramp
	if o.Progress.WeightPermille >= r.To {
		return whole
	}
	return min(r.To, rampFactor*o.Progress.WeightPermille)
}

// allowed is the weight that the budget allows now, in permille and rounded down to whole percents, and what it rests on.
func (o *Observed) allowed() (permille int32, why string) {
	r := o.Config.Ramp
	upper, known, why := o.risk()
	if !known {
		return 0, why
	}
	reach := o.reach()
	next := int32(1000*evidence.NextWeight(upper, r.Budget, float64(reach)/1000)+1e-9) / 10 * 10
	if next > r.To && next < whole {
		next = r.To // above it there is only all of the traffic
	}
	return next, fmt.Sprintf("at most %s %% of the canary's requests are bad that would not be at stable, and the budget is %s of all",
		oneDigit(100*min(1, upper)), Percent(int32(1000*r.Budget+0.5)))
}

// oneDigit rounds a bound up to one digit that counts. The sentence then stays the same from look to look, and a status is
// not written for a little more evidence.
func oneDigit(bound float64) string {
	if !(bound > 0) {
		return "0"
	}
	unit := math.Pow10(int(math.Floor(math.Log10(bound))))
	up := math.Ceil(bound/unit-1e-9) * unit
	return strconv.FormatFloat(up, 'f', max(0, -int(math.Floor(math.Log10(up)+1e-9))), 64)
}

// ramping waits at a weight until the evidence allows a higher one; nil: it does.
func (o *Observed) ramping() *Plan {
	baked := o.elapsed() >= rampBake && !o.clockStart().After(o.Now)
	goes, why := o.climbs()
	if baked && goes {
		return nil
	}
	until := o.rampUntil()
	if baked && !o.Now.Before(until) {
		if p := o.inconclusive(fmt.Sprintf("the ramp is at %s after %s: %s", Percent(o.Progress.WeightPermille), o.Config.Ramp.Max, why)); p != nil {
			return p
		}
	}
	phase, text := o.rampingText(baked, why)
	p := wait(phase, text, o.clockStart(), until)
	p.Wake = time.Time{}
	o.wakeByClock(p, rampBake)
	if until.After(o.Now) {
		p.wakeBy(until)
	}
	return o.withMeasuring(p)
}

// climbs says whether the evidence allows a higher weight, or the end, and what that rests on.
func (o *Observed) climbs() (goes bool, why string) {
	next, why := o.allowed()
	if v := o.gates(next == whole || o.last()); v.verdict != v1alpha1.VerdictPass {
		return false, v.sentence
	}
	return next > o.Progress.WeightPermille || o.last(), why
}

// rampingText says how it stands with a ramp that does not go on yet.
func (o *Observed) rampingText(baked bool, why string) (v1alpha1.Phase, string) {
	text := o.bakingText()
	if baked {
		text = fmt.Sprintf("the ramp stays at %s: %s", Percent(o.Progress.WeightPermille), why)
	}
	switch {
	case o.Progress.Inconclusive != "":
		return v1alpha1.PhaseInconclusive, o.Progress.Inconclusive + "; promote, abort or resume"
	case o.Progress.Paused:
		return v1alpha1.PhasePaused, text
	}
	return v1alpha1.PhaseProgressing, text
}

// rampUntil is when the ramp has to be at its end.
func (o *Observed) rampUntil() time.Time {
	since := o.Progress.StepSince.Time
	if len(o.Progress.Exposures) > 0 {
		since = o.Progress.Exposures[0].Since.Time
	}
	return since.Add(o.Config.Ramp.Max)
}

// gates sums up the metrics that a ramp waits for. Comparisons of errors are none of them, as their bound decides about the
// weight instead; those of latencies have to pass before all of the traffic goes to the canary, since afterwards there is
// nothing left to compare with. On the way there they may be open: small weights are to need little evidence.
func (o *Observed) gates(all bool) judgement {
	return o.together(func(m v1alpha1.MetricStatus) v1alpha1.MetricStatus { return onTheWay(m, all) })
}

// bounds says that a metric bounds the errors of the canary. A comparison of latencies has no cost, and does not.
func bounds(m v1alpha1.MetricStatus) bool { return m.Comparison != nil && m.Comparison.Cost != "" }

// onTheWay is a metric as a ramp takes it: a comparison that is still open is no obstacle, unless it has to pass; one
// without data at this look is.
func onTheWay(m v1alpha1.MetricStatus, all bool) v1alpha1.MetricStatus {
	open := m.Verdict == v1alpha1.VerdictPending || m.Verdict == v1alpha1.VerdictPass
	switch {
	case m.Comparison == nil || !open:
	case m.Counts.ConsecutiveError+m.Counts.ConsecutiveNoData > 0:
		m.Verdict = v1alpha1.VerdictPending
	case bounds(m) || !all:
		m.Verdict = v1alpha1.VerdictPass
	}
	return m
}

// toRampStep goes to the weight that the evidence allows.
func (o *Observed) toRampStep() *Plan {
	next, why := o.allowed()
	if next <= o.Progress.WeightPermille {
		return nil
	}
	return o.rampTo(next, why)
}

// rampTo records a weight as the next one of the ramp.
func (o *Observed) rampTo(next int32, why string) *Plan {
	chosen := slices.Clone(o.Progress.Ramp)
	if len(chosen) == 0 {
		chosen = []int32{o.Config.Ramp.From}
	}
	chosen = append(chosen, next)
	ahead := *o
	ahead.Config.Ladder = RampLadder(*o.Config.Ramp, chosen)
	p := ahead.toStep(o.Progress.Step+1, why)
	p.Progress.Ramp = chosen
	return p
}
