package offline

import (
	"fmt"
	"strings"

	"github.com/belay-dev/belay/analysis/evidence"
)

// Verdicts as they are printed.
const (
	Pass         = "Pass"
	Fail         = "Fail"
	Inconclusive = "Inconclusive"
)

func verdict(v evidence.Verdict) string {
	switch v {
	case evidence.Pass:
		return Pass
	case evidence.Fail:
		return Fail
	}
	return Inconclusive
}

// Result is what is printed at the end. The names of its fields in JSON are part of the interface.
type Result struct {
	Verdict string `json:"verdict"`
	// Tick is the 0-based index of the tick that brought the verdict; null without one.
	Tick *int `json:"tick"`
	// Ticks is how many were judged.
	Ticks int `json:"ticks"`
	// Line and Time are those of the tick.
	Line int    `json:"line,omitempty"`
	Time string `json:"time,omitempty"`
	// EValue is e^LogE, or 1.7976931348623157e308 where that is larger than numbers go. Fail at e^LogThreshold. Of
	// several metrics it is the mean.
	EValue       float64 `json:"eValue"`
	LogE         float64 `json:"logE"`
	LogThreshold float64 `json:"logThreshold"`
	// Lower and Upper are the interval of the culprit, or without one of the first metric.
	Lower float64 `json:"lower"`
	Upper float64 `json:"upper"`
	// Culprit is the metric that led to a Fail; null without one.
	Culprit  *string  `json:"culprit"`
	Sentence string   `json:"sentence"`
	Metrics  []Metric `json:"metrics"`
	// Bad and Excess are the canary's bad requests over all ticks, and how many more than at stable's share they are.
	Bad    *int64 `json:"badRequests,omitempty"`
	Excess *int64 `json:"excessBadRequests,omitempty"`

	cost string
}

// Arm holds the counts of one of the two.
type Arm struct {
	Requests int64 `json:"requests"`
	Bad      int64 `json:"bad"`
}

func arm(c evidence.Counts) Arm { return Arm{c.Requests, c.Bad} }

// Text is the result for people.
func (r Result) Text() string {
	var b strings.Builder
	for _, m := range r.Metrics {
		fmt.Fprintln(&b, m.Sentence)
	}
	fmt.Fprintf(&b, "\nVerdict   %s\n", r.verdictText())
	fmt.Fprintf(&b, "Evidence  e-value %.3g (ln %.3f), Fail at %.4g (ln %.3f)\n", r.EValue, r.LogE, expOf(r.LogThreshold), r.LogThreshold)
	fmt.Fprintf(&b, "Interval  %+.4f to %+.4f\n", r.Lower, r.Upper)
	if r.Culprit != nil {
		fmt.Fprintf(&b, "Culprit   %s\n", *r.Culprit)
	}
	if r.cost != "" {
		fmt.Fprintf(&b, "Cost      %s\n", r.cost)
	}
	return b.String()
}

func (r Result) verdictText() string {
	if r.Tick == nil {
		return fmt.Sprintf("%s after %d ticks", r.Verdict, r.Ticks)
	}
	where := fmt.Sprintf("line %d", r.Line)
	if r.Time != "" {
		where = fmt.Sprintf("time %s, %s", r.Time, where)
	}
	return fmt.Sprintf("%s at tick %d (%s), %d judged", r.Verdict, *r.Tick, where, r.Ticks)
}
