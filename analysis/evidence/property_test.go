package evidence

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawCourse draws ticks of all sorts: without an arm, with the stable missing, at the end gone.
func drawCourse(t *rapid.T) []Tick {
	ticks := drawTicks(t, 12)
	gone := rapid.IntRange(0, 2*len(ticks)).Draw(t, "gone from")
	for i := range ticks {
		switch sort := rapid.IntRange(0, 9).Draw(t, "sort"); {
		case i >= gone:
			ticks[i].Baseline, ticks[i].Stable = Gone, Counts{}
		case sort == 0:
			ticks[i].Baseline = Missing
		case sort == 1:
			ticks[i].Canary = Counts{}
		case sort == 2:
			ticks[i].Stable = Counts{}
		}
	}
	return ticks
}

// slack for sums that are added up in another order.
const slack = 1e-9

func notAbove(t rapid.TB, what string, a, b float64) {
	t.Helper()
	if !(a <= b+slack*(1+math.Abs(b))) {
		t.Errorf("%s: %v is above %v", what, a, b)
	}
}

func TestMoreBadRequestsOfTheCanaryNeverHelpIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, ticks := drawParams(t), drawCourse(t)
		worse := slices.Clone(ticks)
		at := rapid.IntRange(0, len(ticks)-1).Draw(t, "at")
		good := worse[at].Canary.Requests - worse[at].Canary.Bad
		worse[at].Canary.Bad += rapid.Int64Range(0, good).Draw(t, "more")
		before, after := added(t, p, ticks...).Report(), added(t, p, worse...).Report()
		notAbove(t, "evidence", before.LogE, after.LogE)
		notAbove(t, "evidence of the accept side", after.LogAccept, before.LogAccept)
		notAbove(t, "lower bound", before.Lower, after.Lower)
		notAbove(t, "upper bound", before.Upper, after.Upper)
		if before.Verdict == Fail && after.Verdict != Fail {
			t.Errorf("more bad requests turn Fail into %s", after.Verdict)
		}
	})
}

func TestMoreBadRequestsOfTheStableNeverHurtTheCanary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, ticks := drawParams(t), drawCourse(t)
		worse := slices.Clone(ticks)
		at := rapid.IntRange(0, len(ticks)-1).Draw(t, "at")
		good := worse[at].Stable.Requests - worse[at].Stable.Bad
		worse[at].Stable.Bad += rapid.Int64Range(0, good).Draw(t, "more")
		before, after := added(t, p, ticks...), added(t, p, worse...)
		notAbove(t, "evidence", after.LogE(), before.LogE())
		notAbove(t, "evidence of the accept side", before.LogAccept(), after.LogAccept())
	})
}

func TestWiderMarginsNeverHurtTheCanary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, ticks := drawParams(t), drawTicks(t, 12)
		wider := p
		wider.MarginAbsolute += rapid.Float64Range(0, 0.1).Draw(t, "more")
		before, after := added(t, p, ticks...), added(t, wider, ticks...)
		notAbove(t, "evidence", after.LogE(), before.LogE())
		notAbove(t, "evidence of the accept side", before.LogAccept(), after.LogAccept())
	})
}

// Noise takes evidence away and never gives any.
func TestNoiseOnlyTakesAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, ticks := drawParams(t), drawTicks(t, 12)
		p.MarginAbsolute, p.MarginRelative = 0, max(p.MarginRelative, 0.5)
		quiet, noisy := p, p
		quiet.Noise, quiet.AcceptNoise = 0, 0
		noisy.Noise, noisy.AcceptNoise = 0.1, 0.1
		before, after := added(t, quiet, ticks...), added(t, noisy, ticks...)
		notAbove(t, "evidence", after.LogE(), before.LogE())
		notAbove(t, "evidence of the accept side", after.LogAccept(), before.LogAccept())
	})
}

// drawSplit draws ticks whose requests are multiples of one split.
func drawSplit(t *rapid.T) []Tick {
	canary, stable := rapid.Int64Range(1, 50).Draw(t, "canary"), rapid.Int64Range(1, 50).Draw(t, "stable")
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Tick {
		times := rapid.Int64Range(1, 40).Draw(t, "times")
		return both(times*canary, rapid.Int64Range(0, times*canary).Draw(t, "canary's"),
			times*stable, rapid.Int64Range(0, times*stable).Draw(t, "stable's"))
	}), 1, 8).Draw(t, "ticks")
}

func sameEvidence(t rapid.TB, what string, a, b *Comparison) {
	t.Helper()
	for _, pair := range [][2]float64{{a.LogE(), b.LogE()}, {a.LogAccept(), b.LogAccept()}} {
		if !(math.Abs(pair[0]-pair[1]) <= slack*(1+math.Abs(pair[0]))) {
			t.Errorf("%s: ln E is %v and %v", what, pair[0], pair[1])
		}
	}
}

func sameInterval(t rapid.TB, a, b *Comparison) {
	t.Helper()
	lowerA, upperA := a.Interval()
	lowerB, upperB := b.Interval()
	near(t, "lower bound", lowerA, lowerB, slack)
	near(t, "upper bound", upperA, upperB, slack)
}

// Without cap and restart, ticks of one split may be merged or come in another order.
func TestMergedTicksOfOneSplitAreTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, ticks := drawParams(t), drawSplit(t)
		p.NoCap, p.NoRestart = true, true
		var whole Tick
		for _, tick := range ticks {
			whole.Canary, whole.Stable = whole.Canary.plus(tick.Canary), whole.Stable.plus(tick.Stable)
		}
		apart, merged := added(t, p, ticks...), added(t, p, whole)
		sameEvidence(t, "merged", apart, merged)
		sameInterval(t, apart, merged)
		shuffled := added(t, p, rapid.Permutation(ticks).Draw(t, "order")...)
		sameEvidence(t, "in another order", apart, shuffled)
	})
}

// φ times the counts with φ times the dispersion is the same evidence.
func TestClustersCountOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, ticks := drawParams(t), drawTicks(t, 12)
		times := rapid.Int64Range(2, 9).Draw(t, "size of clusters")
		clusters := slices.Clone(ticks)
		for i := range clusters {
			for _, arm := range []*Counts{&clusters[i].Canary, &clusters[i].Stable} {
				arm.Requests, arm.Bad = arm.Requests*times, arm.Bad*times
			}
		}
		spread := p
		spread.Phi *= float64(times)
		apart, together := added(t, p, ticks...), added(t, spread, clusters...)
		sameEvidence(t, "clusters", apart, together)
		sameInterval(t, apart, together)
	})
}

// With a = 0, only the shares of the requests count, and r makes the canary's larger.
func TestOnlySharesCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, ticks := drawParams(t), drawTicks(t, 12)
		p.MarginRelative, p.MarginAbsolute = 1, 0
		times := rapid.Int64Range(2, 9).Draw(t, "times")
		larger, double := slices.Clone(ticks), slices.Clone(ticks)
		for i := range ticks {
			larger[i].Canary.Requests *= times
			larger[i].Stable.Requests *= times
			double[i].Canary.Requests *= 2
		}
		sameEvidence(t, "more requests", added(t, p, ticks...), added(t, p, larger...))
		twice := p
		twice.MarginRelative = 2
		sameEvidence(t, "r and twice the requests", added(t, twice, ticks...), added(t, p, double...))
	})
}

func TestSameTicksGiveTheSameBits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, ticks := drawParams(t), drawCourse(t)
		at := rapid.IntRange(0, len(ticks)).Draw(t, "looked at")
		looked := added(t, p, ticks[:at]...)
		looked.Report()
		for _, tick := range ticks[at:] {
			looked.Add(tick)
		}
		if a, b := looked.Report(), added(t, p, ticks...).Report(); a != b {
			t.Errorf("%+v and %+v", a, b)
		}
	})
}

// A tick in which an arm has no requests moves nothing when it stands alone.
func TestNoDataMovesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, ticks := drawParams(t), drawTicks(t, 8)
		before := added(t, p, ticks...)
		after := added(t, p, ticks...)
		for range rapid.IntRange(1, 20).Draw(t, "empty ticks") {
			after.Add(Tick{})
			after.Add(Tick{Baseline: Missing})
		}
		a, b := before.Report(), after.Report()
		b.Ticks, b.Level, b.Baseline = a.Ticks, a.Level, a.Baseline
		if a != b {
			t.Errorf("%+v became %+v", a, b)
		}
	})
}
