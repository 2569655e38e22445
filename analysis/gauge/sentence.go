package gauge

import (
	"math"
	"strconv"

	"github.com/belay-dev/belay/analysis/evidence"
)

// Finding is a report in one line for people, without the metric's name:
//
//	median 412 against 380: 12 to 48 higher, at all looks, 99 %
func (r Report) Finding(p Params) string {
	value := r.Value()
	switch {
	case value == "":
		return "nothing to compare yet at this weight"
	case !r.Enough:
		return value + ": too few samples for a verdict"
	}
	text := value + ": " + r.difference() + ", at all looks, " + evidence.Confidence(p.Alpha)
	if r.Verdict != evidence.Fail && r.Lower > 0 {
		text += "; within the margin and what pods of one version differ by, or not certain to be beyond"
	}
	if r.Frozen {
		text += "; frozen, as stable has no traffic left"
	}
	return text
}

// Value is the report in a few words: "median 412 against 380"; empty where nothing was compared.
func (r Report) Value() string {
	if r.Canary.Samples == 0 || r.Stable.Samples == 0 {
		return ""
	}
	return "median " + quantity(r.Canary.Median) + " against " + quantity(r.Stable.Median)
}

func (r Report) difference() string {
	switch {
	case r.Lower > 0:
		return quantity(r.Lower) + " to " + quantity(r.Upper) + " higher"
	case r.Upper < 0:
		return quantity(-r.Upper) + " to " + quantity(-r.Lower) + " lower"
	}
	return quantity(-r.Lower) + " lower to " + quantity(r.Upper) + " higher"
}

// quantity has three digits that count, and k, M, G or T for thousands: 412M.
func quantity(x float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(x) >= 10*unit.size || unit.size > 1e3 && math.Abs(x) >= unit.size {
			return strconv.FormatFloat(x/unit.size, 'g', 3, 64) + unit.name
		}
	}
	if math.Abs(x) >= 1000 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}
