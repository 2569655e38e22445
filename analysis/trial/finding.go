package trial

import (
	"fmt"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/api/v1alpha1"
)

// Finding is what a trial says at a step.
type Finding struct {
	Verdict v1alpha1.Verdict
	// Value in a few words, Message in a sentence.
	Value, Message string
	// Misconfigured says what a person has to change before the metric can be judged; empty: nothing.
	Misconfigured string
	// Warning for people; empty: none.
	Warning string
	// NeverSeen: there would be a Pass, but nobody ever saw an error. Whoever runs the trial may ask further back.
	NeverSeen bool
	// Silent is for how many looks in a row there was nothing to compare: whoever goes on by the bounds has to wait.
	Silent int32
	// Part of a verdict over several metrics.
	Part evidence.Part
	// Status is nil before the first tick.
	Status *v1alpha1.ComparisonStatus
}

// Finding says what is known at a step, which is the one that runs.
func (t *Trial) Finding(step int32) Finding {
	out := Finding{Verdict: v1alpha1.VerdictPending, Misconfigured: t.problem, Warning: t.warning, Message: "nothing compared yet"}
	p := t.o.Plan.Comparison.Params
	out.Part = evidence.Part{Name: t.o.Plan.Metric.Name, Alpha: p.Alpha}
	if t.problem != "" {
		out.Message = t.problem
	}
	if t.judge == nil || t.next == 0 {
		return out
	}
	s := t.judge.said()
	out.Silent = int32(t.watch.silent())
	if text := t.watch.mismatch(); text != "" && t.o.Plan.Comparison.Gauge == nil {
		out.Warning = join(out.Warning, text)
	}
	if t.o.Plan.Comparison.Gauge == nil {
		out.Part.LogE, out.Status = s.logE, t.status(s, p)
	}
	if t.problem != "" {
		out.Silent = max(1, out.Silent)
		return out
	}
	out.Value, out.Message = s.value, s.sentence
	out.Verdict, out.NeverSeen = t.verdict(s, step)
	if why, verdict := t.absent(); why != "" && out.Verdict != v1alpha1.VerdictFail {
		out.Verdict, out.Message, out.NeverSeen = verdict, why, false
	}
	return out
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// verdict of the judge, as far as it is one of this step's weight.
func (t *Trial) verdict(s said, step int32) (verdict v1alpha1.Verdict, neverSeen bool) {
	if s.verdict == evidence.Fail {
		return v1alpha1.VerdictFail, false
	}
	now := t.exposures[len(t.exposures)-1]
	if now.Step != step {
		return v1alpha1.VerdictPending, false // its clock has not started yet
	}
	judged := t.exposures[t.exposure]
	switch {
	case now.WeightPermille == 0:
		return v1alpha1.VerdictPass, false // without traffic there is nothing to compare
	case judged.WeightPermille != now.WeightPermille && now.WeightPermille < 1000:
		return v1alpha1.VerdictPending, false // no tick at this weight yet
	case s.verdict != evidence.Pass:
		return v1alpha1.VerdictPending, false
	case !s.errorsKnown && !t.everSeen && !t.o.Plan.Comparison.NeverSeen:
		return v1alpha1.VerdictPending, true
	}
	return v1alpha1.VerdictPass, false
}

// ErrorsSeen tells that an error was seen before the attempt, so that the selector is no typo.
func (t *Trial) ErrorsSeen() { t.everSeen = true }

// absent says what has been missing for too long; empty: nothing.
func (t *Trial) absent() (string, v1alpha1.Verdict) {
	if t.exposures[t.exposure].WeightPermille == 0 {
		return "", ""
	}
	metric := &t.o.Plan.Metric
	limit := int64(analysis.DefaultConsecutiveErrorLimit)
	if metric.ConsecutiveErrorLimit != nil {
		limit = int64(*metric.ConsecutiveErrorLimit)
	}
	gone := v1alpha1.VerdictInconclusive
	if metric.Required {
		gone = v1alpha1.VerdictFail
	}
	w, tick := t.watch, t.grid.Tick()
	quiet := time.Duration(w.quiet) * tick
	switch {
	case w.seen && w.missing > limit:
		return fmt.Sprintf("the canary's series have been missing for more than %d ticks (consecutiveErrorLimit): look whether its pods are scraped", limit), gone
	case !w.seen && quiet >= t.o.Plan.Comparison.NoTraffic:
		return fmt.Sprintf("no series of the canary for %s or longer (noTrafficDeadline): send it traffic, or correct the selector %s", t.o.Plan.Comparison.NoTraffic, t.o.Canary.Main()), gone
	case quiet >= t.o.Plan.Comparison.NoTraffic:
		return fmt.Sprintf("no request of the canary for %s or longer (noTrafficDeadline)", t.o.Plan.Comparison.NoTraffic), v1alpha1.VerdictInconclusive
	case w.lost > limit:
		return fmt.Sprintf("stable's series have been missing for more than %d ticks (consecutiveErrorLimit): correct the selector %s", limit, t.o.Stable.Main()), v1alpha1.VerdictInconclusive
	}
	return "", ""
}

func (t *Trial) status(s said, p evidence.Params) *v1alpha1.ComparisonStatus {
	canary, stable := t.cost.Counts()
	return &v1alpha1.ComparisonStatus{
		Since:          metav1.Time{Time: t.grid.Start(0).Truncate(time.Second)},
		TickSeconds:    int32((t.grid.Tick() + time.Second - 1) / time.Second),
		Ticks:          t.next,
		CanaryRequests: canary.Requests, CanaryBad: canary.Bad,
		StableRequests: stable.Requests, StableBad: stable.Bad, ExcessBad: t.cost.Excess(),
		LogE: number(s.logE), LogThreshold: number(p.LogThreshold()), LogAccept: number(s.logAccept),
		Lower: number(s.lower), Upper: number(s.upper), Phi: number(s.phi), Noise: number(s.noise),
		Assumed: t.assumed, Frozen: s.frozen, NeverSeen: !s.errorsKnown && !t.everSeen && !t.o.Plan.Comparison.NeverSeen, Cost: t.costText(),
	}
}

// costText is empty for latencies, where no request is bad.
func (t *Trial) costText() string {
	if t.o.Plan.Comparison.Latency || t.o.Plan.Comparison.Gauge != nil {
		return ""
	}
	return t.cost.Sentence()
}

// number as it stands in a status: so exact that two trials of the same samples can be compared to the last bit.
func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
