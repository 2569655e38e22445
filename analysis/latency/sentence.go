package latency

import (
	"fmt"
	"math"
	"strconv"

	"github.com/belay-dev/belay/analysis/evidence"
)

// Finding is a report in one line for people, without the metric's name. The unit is that of the bounds, "s" or "ms".
//
//	p99 1.2 s against 0.31 s: 4.1 to 6.8 points more of the canary's requests take longer than 0.3 s, at any look, 99 %
//
// The bound is one of the histogram's own, the one at which most is proved. Numbers of an interval are rounded outwards.
func (r Report) Finding(p evidence.Params, unit string) string {
	value := r.Value(unit)
	switch {
	case value == "" && r.Learning:
		return "stable's first requests are read, to know where its latencies lie"
	case value == "":
		return "nothing to compare yet at this weight"
	case r.Strongest < 0 || r.Excess[r.Strongest].Quantile == 0:
		return value
	}
	e := r.Excess[r.Strongest]
	text := fmt.Sprintf("%s: %s of the canary's requests take longer than %s, at any look, %s",
		value, more(e), quantity(e.Bound, unit), evidence.Confidence(p.Alpha))
	if r.Frozen {
		text += "; frozen, as stable has no traffic left"
	}
	return text
}

// Value is the report in a few words: "p99 1.2 s against 0.31 s", or "p99 > 10 s against 0.31 s" where more than one
// in a hundred took longer than the last bound; empty where nothing was compared.
func (r Report) Value(unit string) string {
	if r.Canary.Requests == 0 || r.Stable.Requests == 0 {
		return ""
	}
	return "p99 " + r.Canary.p99(unit) + " against " + r.Stable.p99(unit)
}

// p99 in words. Beyond the last bound nothing is known but that it is.
func (a Arm) p99(unit string) string {
	if float64(a.Requests-a.Beyond) < 0.99*float64(a.Requests) {
		return "> " + quantity(a.P99, unit)
	}
	return quantity(a.P99, unit)
}

// more says the interval in points, hundredths of the requests.
func more(e Excess) string {
	down := func(x float64) string { return strconv.FormatFloat(math.Floor(1000*x)/10, 'f', 1, 64) }
	up := func(x float64) string { return strconv.FormatFloat(math.Ceil(1000*x)/10, 'f', 1, 64) }
	switch {
	case e.Lower > 0:
		return down(e.Lower) + " to " + up(e.Upper) + " points more"
	case e.Upper < 0:
		return down(-e.Upper) + " to " + up(-e.Lower) + " points fewer"
	}
	return up(-e.Lower) + " points fewer to " + up(e.Upper) + " points more"
}

// quantity has two digits that count.
func quantity(x float64, unit string) string {
	text := strconv.FormatFloat(x, 'g', 2, 64)
	if x >= 100 {
		text = strconv.FormatFloat(x, 'f', 0, 64)
	}
	if unit == "" {
		return text
	}
	return text + " " + unit
}
