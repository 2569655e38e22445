package offline

import (
	"fmt"
	"strings"
)

// Step is what is printed for each tick. The names of its fields in JSON are part of the interface.
type Step struct {
	Tick   int      `json:"tick"`
	Line   int      `json:"line"`
	Time   string   `json:"time,omitempty"`
	Weight *float64 `json:"weight,omitempty"`
	// Canary and Stable are the tick's own counts.
	Canary Arm `json:"canary"`
	Stable Arm `json:"stable"`
	// Verdict so far, and as in Result the evidence of all metrics. LogAccept is that of the metric that is least
	// accepted, Lower and Upper are those of the first.
	Verdict   string  `json:"verdict"`
	EValue    float64 `json:"eValue"`
	LogE      float64 `json:"logE"`
	LogAccept float64 `json:"logAccept"`
	Lower     float64 `json:"lower"`
	Upper     float64 `json:"upper"`
}

// StepHeader stands above the lines of Step.Text.
const StepHeader = "  TICK  WEIGHT           CANARY             STABLE      LN E  LN ACCEPT    LOWER    UPPER  VERDICT       TIME"

// Text is one line of a table.
func (s Step) Text() string {
	weight := "-"
	if s.Weight != nil {
		weight = fmt.Sprintf("%g", *s.Weight)
	}
	return strings.TrimRight(fmt.Sprintf("%6d  %6s  %15s  %17s  %8.3f  %9.3f  %+.4f  %+.4f  %-12s  %s",
		s.Tick, weight, s.Canary.text(), s.Stable.text(), s.LogE, s.LogAccept, s.Lower, s.Upper, s.Verdict, s.Time), " ")
}

func (a Arm) text() string { return fmt.Sprintf("%d/%d", a.Bad, a.Requests) }
