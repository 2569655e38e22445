package plan

import (
	"fmt"
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
		c := m.Comparison
		if m.DryRun || m.Step != o.Progress.Step || c == nil || c.Cost == "" {
			continue
		}
		bound, err := strconv.ParseFloat(c.Upper, 64)
		if err != nil || c.NeverSeen {
			return 0, false, m.Name + ": " + m.Message
		}
		upper, known = max(upper, bound), true
	}
	if !known {
		return 0, false, "nothing has been compared yet"
	}
	return upper, true, ""
}

// allowed is the weight that the budget allows now, in permille and rounded down to whole percents, and what it rests on.
func (o *Observed) allowed() (permille int32, why string) {
	r := o.Config.Ramp
	upper, known, why := o.risk()
	if !known {
		return 0, why
	}
	limit := min(whole, rampFactor*o.Progress.WeightPermille)
	if o.Progress.WeightPermille >= r.To {
		limit = whole
	} else if limit > r.To {
		limit = r.To
	}
	next := int32(1000*evidence.NextWeight(upper, r.Budget, float64(limit)/1000)+1e-9) / 10 * 10
	return next, fmt.Sprintf("at most %.2f %% of the canary's requests are bad that would not be at stable, and the budget is %s of all",
		100*max(upper, 0), Percent(int32(1000*r.Budget+0.5)))
}

// ramping waits at a weight until the evidence allows a higher one; nil: it does.
func (o *Observed) ramping() *Plan {
	elapsed, v := o.elapsed(), o.gates()
	next, why := o.allowed()
	baked := elapsed >= rampBake && !o.clockStart().After(o.Now)
	if baked && v.verdict == v1alpha1.VerdictPass && (next > o.Progress.WeightPermille || o.last()) {
		return nil
	}
	text := o.bakingText()
	if baked {
		text = fmt.Sprintf("the ramp stays at %s: %s", Percent(o.Progress.WeightPermille), why)
		if v.verdict != v1alpha1.VerdictPass {
			text = fmt.Sprintf("the ramp stays at %s: %s", Percent(o.Progress.WeightPermille), v.sentence)
		}
	}
	until := o.rampUntil()
	if !o.Now.Before(until) {
		if p := o.inconclusive(fmt.Sprintf("the ramp is at %s after %s: %s", Percent(o.Progress.WeightPermille), o.Config.Ramp.Max, why)); p != nil {
			return p
		}
	}
	phase := v1alpha1.PhaseProgressing
	switch {
	case o.Progress.Inconclusive != "":
		phase, text = v1alpha1.PhaseInconclusive, o.Progress.Inconclusive+"; promote, abort or resume"
	case o.Progress.Paused:
		phase = v1alpha1.PhasePaused
	}
	p := wait(phase, text, o.clockStart(), until)
	p.Wake = time.Time{}
	o.wakeByClock(p, rampBake)
	if until.After(o.Now) {
		p.wakeBy(until)
	}
	return o.withMeasuring(p)
}

// rampUntil is when the ramp has to be at its end.
func (o *Observed) rampUntil() time.Time {
	since := o.Progress.StepSince.Time
	if len(o.Progress.Exposures) > 0 {
		since = o.Progress.Exposures[0].Since.Time
	}
	return since.Add(o.Config.Ramp.Max)
}

// gates sums up the metrics that a ramp waits for: all but comparisons, whose bound decides about the weight instead.
func (o *Observed) gates() judgement {
	if !o.measured() || !o.Config.Gating {
		return judgement{v1alpha1.VerdictPass, "nothing is measured at this step"}
	}
	out := judgement{v1alpha1.VerdictPass, "every metric passes"}
	for _, m := range o.Metrics {
		if m.DryRun || m.Step != o.Progress.Step || m.Comparison != nil && m.Verdict == v1alpha1.VerdictPending {
			continue
		}
		if out = out.and(m); out.verdict == v1alpha1.VerdictFail {
			return out
		}
	}
	return out
}

// toRampStep goes to the weight that the evidence allows.
func (o *Observed) toRampStep() *Plan {
	next, why := o.allowed()
	chosen := append([]int32{}, o.Progress.Ramp...)
	if len(chosen) == 0 {
		chosen = []int32{o.Config.Ramp.From}
	}
	if next <= chosen[len(chosen)-1] {
		return nil
	}
	ahead := *o
	ahead.Config.Ladder = RampLadder(*o.Config.Ramp, append(chosen, next))
	p := ahead.toStep(o.Progress.Step+1, why)
	p.Progress.Ramp = append(chosen, next)
	return p
}
