package samples

import (
	"math"
	"slices"
	"time"
)

// HistogramArm is what was read for one arm of a metric that compares latencies.
type HistogramArm struct {
	// Series of native histograms, and the buckets of classic ones. Where both arms have native ones,
	// the classic ones are left out.
	Series []Series
	// Pods as in Arm.
	Pods map[string]time.Time
}

// Latencies are the samples of a metric that compares latencies.
type Latencies struct {
	// Metric and PodLabel as in Counters.
	Metric, PodLabel string
	// Bounds of the buckets that are counted in, ascending and finite; one more reaches up to +Inf. They
	// stay the same for an attempt (see Bounds). What a source counts in other buckets falls into the
	// one that holds their upper bound.
	Bounds         []float64
	Canary, Stable HistogramArm
	// Now as in Counters.
	Now time.Time
}

// Bucketed is what both arms did.
type Bucketed struct {
	// First is the index of the first tick.
	First int64
	// Canary and Stable have for each tick the requests of each bucket, not cumulative.
	Canary, Stable [][]int64
	// CanarySeen and StableSeen as in Counted.
	CanarySeen, StableSeen []bool
	// Native says that native histograms were counted.
	Native bool
	// Problems in a fixed order.
	Problems []Problem
}

// Histograms counts the ticks first to last, as Count does.
func Histograms(g Grid, first, last int64, in Latencies) Bucketed {
	r := newReading(g, first, last, in.Metric, in.PodLabel, in.Now)
	r.apart(histogram, in.Canary.Series, in.Stable.Series)
	native := r.native(in.Canary.Series, in.Stable.Series)
	canary := r.histograms(Canary, in.Canary, in.Stable.Pods, in.Bounds, native)
	stable := r.histograms(Stable, in.Stable, in.Canary.Pods, in.Bounds, native)
	if !native {
		r.sameBounds(canary, stable)
	}
	out := Bucketed{First: first, Native: native}
	out.Canary, out.CanarySeen = canary.buckets(len(in.Bounds)+1), canary.seen(histogram)
	out.Stable, out.StableSeen = stable.buckets(len(in.Bounds)+1), stable.seen(histogram)
	out.Problems = r.problems.list()
	return out
}

// native says which of the two is counted: native histograms, unless an arm has classic ones alone.
func (r *reading) native(canary, stable []Series) bool {
	onlyClassic := func(s []Series) bool { return hasClassic(s) && !hasNative(s) }
	onlyNative := func(s []Series) bool { return hasNative(s) && !hasClassic(s) }
	if onlyNative(canary) && onlyClassic(stable) || onlyClassic(canary) && onlyNative(stable) {
		r.problems.tell(spot{what: histogram, kind: OtherKind}, "")
	}
	return (hasNative(canary) || hasNative(stable)) && !onlyClassic(canary) && !onlyClassic(stable)
}

func hasNative(series []Series) bool {
	return slices.ContainsFunc(series, func(s Series) bool { return len(s.Histograms) > 0 })
}

func hasClassic(series []Series) bool {
	return slices.ContainsFunc(series, func(s Series) bool { return len(s.Points) > 0 })
}

// histograms makes the streams of an arm.
func (r *reading) histograms(name string, in HistogramArm, others map[string]time.Time, bounds []float64, native bool) *armReading {
	a := r.arm(name, in.Pods, others)
	if !a.acceptable(histogram, in.Series) {
		return a
	}
	if !native {
		a.classics(in.Series, bounds)
		return a
	}
	for i := range in.Series {
		if s := &in.Series[i]; len(s.Histograms) > 0 {
			a.take(histogram, nativeStream(s, bounds, a.teller(histogram, s.Labels)))
		}
	}
	return a
}

// buckets adds up what the arm's histograms gained, and takes from each bucket what the one before holds.
func (a *armReading) buckets(width int) [][]int64 {
	out := make([][]int64, a.ticks)
	flat := make([]int64, a.ticks*width)
	for i := range out {
		out[i] = flat[i*width : (i+1)*width]
	}
	for _, s := range a.streams[histogram] {
		a.gains(s, func(tick, i int, gained int64) { out[tick][i] = plus(out[tick][i], gained) })
	}
	for _, counts := range out {
		for i := width - 1; i > 0; i-- {
			counts[i] = max(counts[i]-counts[i-1], 0)
		}
	}
	return out
}

// slot is the bucket that holds observations up to a bound.
func slot(bounds []float64, upper float64) int {
	i, _ := slices.BinarySearch(bounds, upper*(1-1e-9)) // bounds that were computed differ in their last bits
	return i
}

// nativeStream puts each sample of a native histogram into the given bounds.
func nativeStream(s *Series, bounds []float64, tell func(Kind)) *stream {
	out := &stream{labels: s.Labels, created: s.Created, width: len(bounds) + 1}
	sameCount := func(a, b HistogramPoint) bool { return a.Count == b.Count && a.Sum == b.Sum }
	var before float64
	for _, p := range ordered(s.Histograms, func(p HistogramPoint) int64 { return p.T }, sameCount, tell) {
		values, ok := cumulative(p, bounds, tell)
		if !ok {
			continue
		}
		// A source that ran out of buckets halves their number. What lies in the wider ones cannot be
		// compared with what lay in the narrower ones. Only the sample before counts: what was read
		// earlier must not matter.
		now := ratio(p)
		changed := before != 0 && now != 0 && math.Abs(now-before) > 1e-6
		before = now
		out.append(p.T, changed, values...)
	}
	return out
}

// ratio of the widths of the buckets: upper by lower bound. 0: there is no ordinary bucket.
func ratio(p HistogramPoint) float64 {
	for _, b := range p.Buckets {
		if b.Lower > 0 && b.Upper > b.Lower && !math.IsInf(b.Upper, 1) {
			return b.Upper / b.Lower
		}
	}
	return 0
}

// cumulative is a sample as counts up to each bound. A float histogram may hold fractions.
func cumulative(p HistogramPoint, bounds []float64, tell func(Kind)) ([]int64, bool) {
	sums := make([]float64, len(bounds)+1)
	for _, b := range p.Buckets {
		sums[slot(bounds, b.Upper)] += b.Count
	}
	values := make([]int64, len(sums))
	var total float64
	for i, v := range sums {
		total += v
		count, ok := whole(total, tell)
		if !ok || v < 0 {
			return nil, false
		}
		values[i] = count
	}
	return values, true
}
