package latency

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/belay-dev/belay/analysis/evidence"
)

func drawParams(t *rapid.T) evidence.Params {
	p := evidence.Defaults()
	p.Alpha = rapid.Float64Range(0.0001, 0.2).Draw(t, "alpha")
	p.Beta = rapid.Float64Range(0.001, 0.2).Draw(t, "beta")
	p.MarginRelative = rapid.SampledFrom([]float64{0.8, 1, 1.1, 2}).Draw(t, "stretch")
	p.MarginAbsolute = rapid.SampledFrom([]float64{0, 0.0005, 0.02}).Draw(t, "a")
	p.Phi = rapid.SampledFrom([]float64{1, 1.5, 7}).Draw(t, "phi")
	p.Noise = rapid.SampledFrom([]float64{0, 0.05, 0.3}).Draw(t, "noise")
	p.AcceptNoise = rapid.SampledFrom([]float64{0, 0.05}).Draw(t, "noise of the accept side")
	p.TickSeconds = rapid.SampledFrom([]float64{1, 10, 60}).Draw(t, "tick")
	p.NoRestart, p.NoCap = rapid.Bool().Draw(t, "no restart"), rapid.Bool().Draw(t, "no cap")
	return p
}

// drawCourse draws ticks of all sorts: without an arm, with the stable missing, at the end gone.
func drawCourse(t *rapid.T, buckets int) []Tick {
	ticks := make([]Tick, rapid.IntRange(1, 8).Draw(t, "ticks"))
	gone := rapid.IntRange(0, 2*len(ticks)).Draw(t, "gone from")
	for i := range ticks {
		tick := Tick{Canary: drawArm(t, buckets, "canary"), Stable: drawArm(t, buckets, "stable"),
			WeightChanged: rapid.IntRange(0, 5).Draw(t, "weight changed") == 0}
		switch sort := rapid.IntRange(0, 9).Draw(t, "sort"); {
		case i >= gone:
			tick.Baseline, tick.Stable = evidence.Gone, nil
		case sort == 0:
			tick.Baseline = evidence.Missing
		case sort == 1:
			tick.Canary = nil
		case sort == 2:
			tick.Stable = make([]int64, buckets)
		}
		ticks[i] = tick
	}
	return ticks
}

func added(t rapid.TB, p evidence.Params, h history, ticks ...Tick) *Comparison {
	t.Helper()
	c := comparison(t, p, h.bounds, h.counts)
	for _, tick := range ticks {
		c.Add(tick)
	}
	return c
}

// slack for sums that are added up in another order.
const slack = 1e-9

func notAbove(t rapid.TB, what string, a, b float64) {
	t.Helper()
	if !(a <= b+slack*(1+math.Abs(b))) {
		t.Errorf("%s: %v is above %v", what, a, b)
	}
}

// moved gives the ticks with some requests of one arm in a slower bucket.
func moved(t *rapid.T, ticks []Tick, arm func(*Tick) *[]int64) []Tick {
	slower := slices.Clone(ticks)
	counts := arm(&slower[rapid.IntRange(0, len(ticks)-1).Draw(t, "at")])
	if len(*counts) == 0 {
		return slower
	}
	*counts = slices.Clone(*counts)
	from := rapid.IntRange(0, len(*counts)-2).Draw(t, "from")
	to := rapid.IntRange(from+1, len(*counts)-1).Draw(t, "to")
	n := rapid.Int64Range(0, (*counts)[from]).Draw(t, "requests")
	(*counts)[from] -= n
	(*counts)[to] += n
	return slower
}

func TestSlowerRequestsOfTheCanaryNeverHelpIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, h := drawParams(t), drawHistory(t)
		ticks := drawCourse(t, len(h.bounds)+1)
		slower := moved(t, ticks, func(t *Tick) *[]int64 { return &t.Canary })
		before, after := added(t, p, h, ticks...).Report(), added(t, p, h, slower...).Report()
		notAbove(t, "evidence", before.LogE, after.LogE)
		notAbove(t, "evidence of the accept side", after.LogAccept, before.LogAccept)
		for i := range before.Excess {
			notAbove(t, "lower bound", before.Excess[i].Lower, after.Excess[i].Lower)
			notAbove(t, "upper bound", before.Excess[i].Upper, after.Excess[i].Upper)
		}
		if before.Verdict == evidence.Fail && after.Verdict != evidence.Fail {
			t.Errorf("slower requests turn Fail into %s", after.Verdict)
		}
	})
}

func TestSlowerRequestsOfTheStableNeverHurtTheCanary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, h := drawParams(t), drawHistory(t)
		ticks := drawCourse(t, len(h.bounds)+1)
		slower := moved(t, ticks, func(t *Tick) *[]int64 { return &t.Stable })
		before, after := added(t, p, h, ticks...), added(t, p, h, slower...)
		notAbove(t, "evidence", after.LogE(), before.LogE())
		notAbove(t, "evidence of the accept side", before.LogAccept(), after.LogAccept())
	})
}

// Noise takes evidence away and never gives any.
func TestNoiseOnlyTakesAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, h := drawParams(t), drawHistory(t)
		ticks := drawCourse(t, len(h.bounds)+1)
		quiet, noisy := p, p
		quiet.Noise, quiet.AcceptNoise = 0, 0
		noisy.Noise, noisy.AcceptNoise = 0.1, 0.1
		// What is left to unlikely noise is an advance, so only the margin is looked at.
		before, after := added(t, quiet, h, ticks...), added(t, noisy, h, ticks...)
		notAbove(t, "evidence", after.judges.reject.guards[0].LogE(), before.judges.reject.guards[0].LogE())
		for i := range after.judges.accept {
			notAbove(t, "evidence of the accept side", after.judges.accept[i].guards[0].LogE(), before.judges.accept[i].guards[0].LogE())
		}
	})
}

func sameEvidence(t rapid.TB, what string, a, b *Comparison) {
	t.Helper()
	for _, pair := range [][2]float64{{a.LogE(), b.LogE()}, {a.LogAccept(), b.LogAccept()}} {
		if !(math.Abs(pair[0]-pair[1]) <= 1e-7*(1+math.Abs(pair[0]))) {
			t.Errorf("%s: ln E is %v and %v", what, pair[0], pair[1])
		}
	}
	x, y := a.Report().Excess, b.Report().Excess
	for i := range x {
		near(t, what+": lower bound", x[i].Lower, y[i].Lower, 1e-7)
		near(t, what+": upper bound", x[i].Upper, y[i].Upper, 1e-7)
	}
}

// spread so many requests over the buckets.
func spread(t *rapid.T, buckets int, requests int64, what string) []int64 {
	arm := make([]int64, buckets)
	for requests > 0 {
		n := rapid.Int64Range(1, requests).Draw(t, what)
		arm[rapid.IntRange(0, buckets-1).Draw(t, what+" in")] += n
		requests -= n
	}
	return arm
}

// Without cap and restart, ticks of one split may be merged or come in another order.
func TestMergedTicksOfOneSplitAreTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, h := drawParams(t), drawHistory(t)
		p.NoCap, p.NoRestart = true, true
		buckets := len(h.bounds) + 1
		canary, stable := rapid.Int64Range(1, 50).Draw(t, "canary"), rapid.Int64Range(1, 50).Draw(t, "stable")
		whole := Tick{Canary: make([]int64, buckets), Stable: make([]int64, buckets)}
		ticks := make([]Tick, rapid.IntRange(1, 5).Draw(t, "ticks"))
		for i := range ticks {
			times := rapid.Int64Range(1, 20).Draw(t, "times")
			ticks[i] = Tick{Canary: spread(t, buckets, times*canary, "canary's"), Stable: spread(t, buckets, times*stable, "stable's")}
			counts(whole.Canary).add(ticks[i].Canary)
			counts(whole.Stable).add(ticks[i].Stable)
		}
		apart := added(t, p, h, ticks...)
		sameEvidence(t, "merged", apart, added(t, p, h, whole))
		sameEvidence(t, "in another order", apart, added(t, p, h, rapid.Permutation(ticks).Draw(t, "order")...))
	})
}

// φ times the counts with φ times the dispersion is the same evidence.
func TestClustersCountOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, h := drawParams(t), drawHistory(t)
		times := rapid.Int64Range(2, 9).Draw(t, "size of clusters")
		var ticks, clusters []Tick
		for range rapid.IntRange(1, 5).Draw(t, "ticks") {
			tick := Tick{Canary: drawArm(t, len(h.bounds)+1, "canary"), Stable: drawArm(t, len(h.bounds)+1, "stable")}
			cluster := Tick{Canary: slices.Clone(tick.Canary), Stable: slices.Clone(tick.Stable)}
			for j := range cluster.Canary {
				cluster.Canary[j] *= times
				cluster.Stable[j] *= times
			}
			ticks, clusters = append(ticks, tick), append(clusters, cluster)
		}
		together := p
		together.Phi *= float64(times)
		sameEvidence(t, "clusters", added(t, p, h, ticks...), added(t, together, h, clusters...))
	})
}

func TestSameTicksGiveTheSameBits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, h := drawParams(t), drawHistory(t)
		ticks := drawCourse(t, len(h.bounds)+1)
		at := rapid.IntRange(0, len(ticks)).Draw(t, "looked at")
		looked := added(t, p, h, ticks[:at]...)
		looked.Report()
		for _, tick := range ticks[at:] {
			looked.Add(tick)
		}
		if a, b := looked.Report(), added(t, p, h, ticks...).Report(); a != b {
			t.Errorf("%+v and %+v", a, b)
		}
	})
}

// A tick in which an arm has no requests moves nothing when it stands alone.
func TestNoDataMovesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, h := drawParams(t), drawHistory(t)
		tick := Tick{Canary: drawArm(t, len(h.bounds)+1, "canary"), Stable: drawArm(t, len(h.bounds)+1, "stable")}
		before, after := added(t, p, h, tick), added(t, p, h, tick)
		for range rapid.IntRange(1, 20).Draw(t, "empty ticks") {
			after.Add(Tick{})
			after.Add(Tick{Canary: []int64{1}, Stable: []int64{1, 2, 3, 4, 5, 6, 7}})
			after.Add(Tick{Baseline: evidence.Missing})
		}
		a, b := before.Report(), after.Report()
		b.Ticks = a.Ticks
		if a != b {
			t.Errorf("%+v became %+v", a, b)
		}
	})
}

// The unit of the bounds does not matter.
func TestUnitsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, h := drawParams(t), drawHistory(t)
		ticks := drawCourse(t, len(h.bounds)+1)
		millis := history{counts: h.counts}
		for _, b := range h.bounds {
			millis.bounds = append(millis.bounds, 1000*b)
		}
		sameEvidence(t, "in milliseconds", added(t, p, h, ticks...), added(t, p, millis, ticks...))
	})
}
