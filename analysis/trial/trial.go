package trial

import (
	"slices"
	"time"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/analysis/samples"
	"github.com/belay-dev/belay/api/v1alpha1"
)

// history is how much of stable's past is read before the first tick.
const history = time.Hour

// Options of New.
type Options struct {
	// Plan of a compare metric, from analysis.Compile.
	Plan *analysis.Plan
	// Canary and Stable select the series of the two arms.
	Canary, Stable analysis.Selectors
	// CanaryRevision and StableRevision stand in the names of the arms' pods; empty: not known.
	CanaryRevision, StableRevision string
	// StablePods is how many pods stable has.
	StablePods int32
}

// Trial of one metric in one attempt. It is not safe for concurrent use.
type Trial struct {
	o         Options
	exposures []v1alpha1.Exposure

	started bool // history was taken in
	grid    samples.Grid
	lag     time.Duration
	settled time.Time // when all of history has arrived
	pods    string    // the label that names a pod, empty: none does
	assumed bool      // nothing is known of how much pods differ

	next     int64 // the first tick that was not judged yet
	exposure int   // the exposure of the tick before it, -1: there is none
	judge    judge
	cost     evidence.Cost
	watch    watch
	problem  string
	warning  string
	everSeen bool // an error was seen before the attempt
}

// judge is what counters and histograms have in common once they are ticks.
type judge interface {
	// count turns series into ticks first…last.
	count(t *Trial, first, last int64, in taken, now time.Time) counted
	// add judges the k-th of them.
	add(k int, changed bool, baseline evidence.Baseline)
	said() said
}

// counted is what is known of ticks before they are judged.
type counted struct {
	ticks                  []evidence.Tick // for the cost: bad is what the metric calls bad, 0 for latency
	canarySeen, stableSeen []bool
	problems               []samples.Problem
}

// said is what a judge says.
type said struct {
	verdict             evidence.Verdict
	logE, logAccept     float64
	lower, upper        float64
	value, sentence     string
	phi, noise          float64
	frozen, errorsKnown bool
	ticks               int
}

// New makes a trial that has read nothing. It says nothing before it has an exposure.
func New(o Options) *Trial { return &Trial{o: o, exposure: -1} }

// Follow tells the exposures so far: those of before, and perhaps more.
func (t *Trial) Follow(exposures []v1alpha1.Exposure) {
	t.exposures = slices.Clone(exposures)
}

// Due is when something can be known that is not known yet; zero: an exposure is waited for.
func (t *Trial) Due() time.Time {
	switch {
	case len(t.exposures) == 0:
		return time.Time{}
	case !t.started:
		if due := t.exposures[0].Since.Time.Add(startLag); due.After(t.settled) {
			return due
		}
		return t.settled
	}
	return t.grid.End(t.next).Add(t.lag)
}

// startLag is how long after the first exposure history is read. It says how often series are scraped, and so how long one
// has to wait for its last samples; then it is read again.
const startLag = 2 * time.Second

// Tick is how long a tick is; 0 before history was taken in.
func (t *Trial) Tick() time.Duration {
	if !t.started {
		return 0
	}
	return t.grid.Tick()
}

// weight is the exposure that a tick belongs to: the last one that had begun when it began.
func (t *Trial) weight(tick int64) int {
	start, out := t.grid.Start(tick), 0
	for i, e := range t.exposures {
		if !e.Since.Time.After(start) {
			out = i
		}
	}
	return out
}
