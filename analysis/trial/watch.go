package trial

import (
	"fmt"
	"math"

	"github.com/belay-dev/belay/analysis/evidence"
)

// watch counts ticks in which something was not there.
type watch struct {
	seen    bool  // the canary had a series once
	quiet   int64 // ticks in a row without a request of the canary
	missing int64 // ticks in a row in which the canary's series were not there
	lost    int64 // ticks in a row in which stable's were not, although it has traffic

	// Requests since the weight became what it is, without those of the tick in which it did.
	permille       int32
	canary, stable int64
}

// see takes a tick in and says what stable's counts are worth.
func (w *watch) see(t evidence.Tick, canarySeen, stableSeen bool, permille int32) evidence.Baseline {
	w.seen = w.seen || canarySeen
	if permille != w.permille {
		w.permille, w.canary, w.stable = permille, 0, 0
	} else {
		w.canary, w.stable = w.canary+t.Canary.Requests, w.stable+t.Stable.Requests
	}
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

// enoughToShare is how many requests tell a share.
const enoughToShare = 1000

// mismatch says that the canary has another share of the requests than its weight: by two points at least, and by half of
// the weight. The comparison is right all the same, since it goes by the requests that there were; whoever thinks that few
// users see the canary is not. Empty: it has, or too few requests tell.
func (w *watch) mismatch() string {
	all := w.canary + w.stable
	if all < enoughToShare || w.permille <= 0 || w.permille >= 1000 {
		return ""
	}
	share, weight := float64(w.canary)/float64(all), float64(w.permille)/1000
	if math.Abs(share-weight) <= max(0.02, weight/2) {
		return ""
	}
	// Whole points, so that the sentence stays.
	return fmt.Sprintf("TrafficMismatch: the canary has about %.0f %% of the requests at the weight %g %%: "+
		"look for callers that do not go through the route, for sessions that stick, and for connections that are kept", 100*share, 100*weight)
}

// silent is for how many ticks in a row nothing could be compared, for want of data of one of the arms.
func (w *watch) silent() int64 { return max(w.quiet, w.missing, w.lost) }

func inRow(n int64, once bool) int64 {
	if once {
		return n + 1
	}
	return 0
}
