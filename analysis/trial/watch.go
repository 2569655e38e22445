package trial

import (
	"github.com/belay-dev/belay/analysis/evidence"
)

// watch counts ticks in which something was not there.
type watch struct {
	seen    bool  // the canary had a series once
	quiet   int64 // ticks in a row without a request of the canary
	missing int64 // ticks in a row in which the canary's series were not there
	lost    int64 // ticks in a row in which stable's were not, although it has traffic
}

// see takes a tick in and says what stable's counts are worth.
func (w *watch) see(t evidence.Tick, canarySeen, stableSeen bool, permille int32) evidence.Baseline {
	w.seen = w.seen || canarySeen
	w.quiet = inRow(w.quiet, t.Canary.Requests == 0 && permille > 0)
	w.missing = inRow(w.missing, !canarySeen && permille > 0)
	w.lost = inRow(w.lost, !stableSeen && permille < 1000)
	switch {
	case permille >= 1000:
		return evidence.Gone
	case !stableSeen:
		return evidence.Missing
	}
	return evidence.Measured
}

// silent is for how many ticks in a row nothing could be compared, for want of data of one of the arms.
func (w *watch) silent() int64 { return max(w.quiet, w.missing, w.lost) }

func inRow(n int64, once bool) int64 {
	if once {
		return n + 1
	}
	return 0
}
