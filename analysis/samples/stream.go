package samples

import (
	"cmp"
	"math"
	"slices"
)

// stream is a series made clean: of a counter, or of a histogram as the counts up to each bound, which
// are counters that have their samples together.
type stream struct {
	labels  map[string]string
	created int64
	// times and, for each, width values.
	times  []int64
	values []int64
	width  int
	// anew marks samples with which another series begins, as after a stale marker.
	anew map[int64]bool
}

func (s *stream) value(k int) []int64 { return s.values[k*s.width : (k+1)*s.width] }

// follows says whether sample k can be compared with the one before it.
func (s *stream) follows(k int, gap int64) bool {
	return k > 0 && s.times[k]-s.times[k-1] <= gap && !s.anew[s.times[k]]
}

// reset says whether the counter began again at zero between sample k and the one before.
func (s *stream) reset(k int) bool {
	if s.created > s.times[k-1] && s.created <= s.times[k] {
		return true
	}
	now, before := s.value(k), s.value(k-1)
	for i := range now {
		if now[i] < before[i] {
			return true
		}
	}
	return false
}

// increase adds what the counter gained from the sample before k to sample k.
func (s *stream) increase(k int, add func(i int, gained int64)) {
	now, reset := s.value(k), s.reset(k)
	for i := range now {
		if reset {
			add(i, now[i])
			continue
		}
		add(i, now[i]-s.value(k - 1)[i])
	}
}

// unsteady says that values fall as often as those of a gauge. Processes that crash again and again
// reset their counters too, but counters rise in between.
func (s *stream) unsteady() bool {
	const enough = 5
	rises, falls := 0, 0
	for k := 1; k < len(s.times); k++ {
		switch c := slices.Compare(s.value(k), s.value(k-1)); {
		case c > 0:
			rises++
		case c < 0:
			falls++
		}
	}
	return falls >= enough && 5*falls >= 2*(rises+falls)
}

// staleBits is the NaN by which Prometheus marks that a series has ended.
const staleBits = 0x7ff0000000000002

// counter makes the stream of one counter.
func counter(s *Series, tell func(Kind)) *stream {
	out := &stream{labels: s.Labels, created: s.Created, width: 1}
	ended := false
	for _, p := range ordered(s.Points, func(p Point) int64 { return p.T }, samePoint, tell) {
		if math.Float64bits(p.V) == staleBits {
			ended = true
			continue
		}
		count, ok := whole(p.V, tell)
		if !ok {
			continue
		}
		out.append(p.T, ended, count)
		ended = false
	}
	return out
}

func (s *stream) append(t int64, anew bool, values ...int64) {
	if anew {
		if s.anew == nil {
			s.anew = map[int64]bool{}
		}
		s.anew[t] = true
	}
	s.times = append(s.times, t)
	s.values = append(s.values, values...)
}

// whole is a sample as a count. Every sample is rounded, and not every increase, so that nothing adds up.
func whole(v float64, tell func(Kind)) (int64, bool) {
	if math.IsNaN(v) || v < 0 || v >= math.MaxInt64 {
		tell(NotACount)
		return 0, false
	}
	count := math.RoundToEven(v)
	if count != v {
		tell(NotWhole)
	}
	return int64(count), true
}

func samePoint(a, b Point) bool { return math.Float64bits(a.V) == math.Float64bits(b.V) }

// ordered returns the samples in the order of time, one for each moment. The list that was given is left as
// it is.
func ordered[P any](points []P, at func(P) int64, same func(a, b P) bool, tell func(Kind)) []P {
	byTime := func(a, b P) int { return cmp.Compare(at(a), at(b)) }
	strictly := true
	for i := 1; i < len(points); i++ {
		if c := byTime(points[i-1], points[i]); c >= 0 {
			strictly = false
			if c > 0 {
				tell(OutOfOrder)
			}
		}
	}
	if strictly {
		return points
	}
	sorted := slices.Clone(points)
	slices.SortStableFunc(sorted, byTime)
	out := sorted[:1]
	for _, p := range sorted[1:] {
		last := out[len(out)-1]
		switch {
		case at(last) != at(p):
			out = append(out, p)
		case !same(last, p):
			tell(Conflict)
		}
	}
	return out
}
