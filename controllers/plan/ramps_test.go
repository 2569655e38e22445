package plan

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// ramps has a ramp in the place of the ladder.
func ramps(w *world) {
	w.live.config.Ramp = &Ramp{From: 10, To: 500, Budget: 0.002, Max: 15 * time.Minute}
	w.traffic = 100
}

// rampsOn has one on a shop with so many requests a second.
func rampsOn(perSecond float64) func(*world) {
	return func(w *world) {
		ramps(w)
		w.traffic = perSecond
	}
}

func (w *world) ramps() bool { return w.observedConfig().Ramp != nil }

// settled says that the attempt waits for a person, and nobody has come: the story rests there, although ticks go on.
func (w *world) settled(o Observed) bool {
	waits := o.Progress.Inconclusive != "" || o.Progress.Paused
	return w.ramps() && waits && o.Request == nil
}

// compared is how many requests the canary has had since its first weight was there, as far as they have been compared: in
// whole ticks.
func (w *world) compared() float64 {
	exposures := w.progress.Exposures
	n := 0.0
	for i, e := range exposures {
		until := w.now.Truncate(firstResult)
		if i+1 < len(exposures) {
			until = exposures[i+1].Since.Time
		}
		n += max(0, until.Sub(e.Since.Time).Seconds()) * w.traffic * float64(e.WeightPermille) / 1000
	}
	return n
}

// comparison is what a comparison of errors says of that many requests. Of a good canary it rules out the more the more it
// has had; one in twenty requests of a bad one is bad, and two hundred of them prove it.
func (w *world) comparison() v1alpha1.MetricStatus {
	n := w.compared()
	bad, upper := 0.0, 6/max(n, 1)
	m := v1alpha1.MetricStatus{Name: "errors", Verdict: v1alpha1.VerdictPending, Limit: "1.1 × stable", Step: w.job.Step}
	switch verdict := w.verdict(); {
	case verdict == v1alpha1.VerdictFail:
		bad = n / 20
		upper += 0.05
		if n >= 200 {
			m.Verdict = verdict
		}
	case verdict != v1alpha1.VerdictPass:
		m.Verdict = verdict
	}
	m.Value = fmt.Sprintf("%.0f/%.0f", bad, n)
	m.Message = "canary " + m.Value
	m.Comparison = &v1alpha1.ComparisonStatus{
		Upper: strconv.FormatFloat(upper, 'g', -1, 64), ExcessBad: int64(bad), Cost: fmt.Sprintf("%.0f of the canary's requests were bad", bad),
	}
	return m
}

// keepsWord: what was measured last stays in the status until the attempt is over.
func keepsWord(stage v1alpha1.Stage) bool {
	return slices.Contains([]v1alpha1.Stage{v1alpha1.StageHandingOver, v1alpha1.StageCompleting, v1alpha1.StageClearing}, stage)
}

// beyondBudget says what is wrong with a ramp that goes on: what may be bad of all requests at the next weight, computed once
// more, or data that is missing.
func (t turn) beyondBudget(after v1alpha1.Progress) string {
	before := t.o.Progress
	if t.p.Ack != nil || before.PromoteFull {
		return ""
	}
	for _, m := range t.o.Metrics {
		if m.Step != before.Step || m.Comparison == nil || m.Verdict != v1alpha1.VerdictPending && m.Verdict != v1alpha1.VerdictPass {
			continue
		}
		upper, err := strconv.ParseFloat(m.Comparison.Upper, 64)
		harm := upper * float64(after.WeightPermille) / 1000
		if err != nil || after.Step > before.Step && harm > t.o.Config.Ramp.Budget+1e-9 {
			return fmt.Sprintf("the ramp goes to %s, where %s of the requests may be bad", Percent(after.WeightPermille), Percent(int32(1000*harm)))
		}
		return ""
	}
	return fmt.Sprintf("the ramp goes on from step %d, and nothing speaks for it: %+v", before.Step, t.o.Metrics)
}

// climbs are stories of a ramp.
func climbs() map[string]tale {
	return map[string]tale{
		"a ramp":            {begin: ramps, happenings: []happening{v2Shipped}},
		"a ramp that fails": {begin: func(w *world) { ramps(w); fails(w) }, happenings: []happening{v2Shipped}},
		"a ramp with little traffic": {begin: rampsOn(2), happenings: []happening{
			v2Shipped, personSays("promote", "v2", inDoubt), personSays("promote-full", "v2", inDoubt),
		}},
		"a ramp, promoted by a person": {begin: rampsOn(2), happenings: []happening{
			v2Shipped, personSays("promote", "v2", bakes(1)), personSays("promote-full", "v2", bakes(2)),
		}},
		"a ramp, paused and resumed": {begin: ramps, happenings: []happening{
			v2Shipped, personSays("pause", "v2", bakes(2)), personSays("resume", "v2", atRule("waitingForPerson")),
		}},
		"a ramp without data": {begin: func(w *world) { ramps(w); lacks(w) }, happenings: []happening{v2Shipped, personSays("abort", "v2", inDoubt)}},
	}
}
