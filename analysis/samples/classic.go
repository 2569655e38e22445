package samples

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// bucketLabel holds the upper bound of a classic histogram's bucket.
const bucketLabel = "le"

// classic is one classic histogram: the series that differ in le only.
type classic struct {
	labels  map[string]string
	created int64
	bounds  []float64 // ascending, with +Inf
	points  map[float64][]Point
}

// classics makes the streams of an arm's classic histograms.
func (a *armReading) classics(series []Series, bounds []float64) {
	for _, h := range a.group(series) {
		tell := a.teller(histogram, h.labels)
		if len(h.bounds) == 0 || !math.IsInf(h.bounds[len(h.bounds)-1], 1) {
			tell(NoBuckets)
			continue
		}
		a.bounds = append(a.bounds, ownBounds{labels: h.labels, bounds: h.bounds})
		a.take(histogram, h.stream(bounds, tell))
	}
}

// group finds the histograms, in the order of their labels.
func (a *armReading) group(series []Series) []*classic {
	byKey := map[string]*classic{}
	for i := range series {
		s := &series[i]
		if len(s.Points) == 0 {
			continue
		}
		bound, err := strconv.ParseFloat(s.Labels[bucketLabel], 64)
		if err != nil || math.IsNaN(bound) {
			a.teller(histogram, s.Labels)(NoBuckets)
			continue
		}
		k := key(s.Labels, bucketLabel)
		h := byKey[k]
		if h == nil {
			labels := maps.Clone(s.Labels)
			delete(labels, bucketLabel)
			h = &classic{labels: labels, points: map[float64][]Point{}}
			byKey[k] = h
		}
		if _, ok := h.points[bound]; !ok {
			h.bounds = append(h.bounds, bound)
			slices.Sort(h.bounds)
		}
		// 1 and 1.0 are one bucket, written by two versions of a source.
		h.points[bound] = mergePoints(h.points[bound], s.Points)
		h.created = max(h.created, s.Created)
	}
	out := make([]*classic, 0, len(byKey))
	for _, k := range slices.Sorted(maps.Keys(byKey)) {
		out = append(out, byKey[k])
	}
	return out
}

// stream joins the buckets of each scrape. A scrape in which one is no count, or holds less than a
// narrower one, is left out: the next one holds what it held. Where a scrape has other buckets than the one
// before, counting begins anew.
func (h *classic) stream(bounds []float64, tell func(Kind)) *stream {
	out := &stream{labels: h.labels, created: h.created, width: len(bounds) + 1}
	columns := make([][]Point, len(h.bounds))
	for i, bound := range h.bounds {
		columns[i] = ordered(h.points[bound], func(p Point) int64 { return p.T }, samePoint, tell)
	}
	var before []float64
	ended := false
	for _, p := range columns[len(columns)-1] { // +Inf
		if math.Float64bits(p.V) == staleBits {
			ended = true
			continue
		}
		for i := range columns {
			for len(columns[i]) > 0 && columns[i][0].T < p.T {
				columns[i] = columns[i][1:]
			}
		}
		row, ok := h.row(columns, p.T, tell)
		if !ok {
			continue
		}
		changed := before != nil && !slices.Equal(before, row.bounds)
		out.append(p.T, ended || changed, row.fold(bounds)...)
		before, ended = row.bounds, false
	}
	return out
}

// row is one scrape of a histogram: counts up to each of its bounds.
type row struct {
	bounds []float64
	counts []int64
}

// row takes the samples of one moment.
func (h *classic) row(columns [][]Point, t int64, tell func(Kind)) (row, bool) {
	out := row{bounds: make([]float64, 0, len(columns)), counts: make([]int64, 0, len(columns))}
	for i, column := range columns {
		if len(column) == 0 || column[0].T != t {
			continue
		}
		count, ok := whole(column[0].V, tell)
		if !ok {
			return row{}, false
		}
		out.bounds, out.counts = append(out.bounds, h.bounds[i]), append(out.counts, count)
	}
	if !slices.IsSorted(out.counts) {
		tell(FallingBuckets)
		return row{}, false
	}
	return out, true
}

// fold gives the counts up to each of the wanted bounds: what a bucket holds goes to the one in which its
// upper bound lies.
func (r row) fold(bounds []float64) []int64 {
	out := make([]int64, len(bounds)+1)
	for i, bound := range r.bounds {
		j := slot(bounds, bound)
		out[j] = max(out[j], r.counts[i])
	}
	for j := 1; j < len(out); j++ {
		out[j] = max(out[j], out[j-1])
	}
	return out
}

// ownBounds are those that a histogram came with.
type ownBounds struct {
	labels map[string]string
	bounds []float64
}

func (o ownBounds) String() string {
	words := make([]string, len(o.bounds))
	for i, b := range o.bounds {
		words[i] = strconv.FormatFloat(b, 'g', -1, 64)
	}
	return fmt.Sprintf("%s with the buckets %s", describe(o.labels), strings.Join(words, ", "))
}

// sameBounds tells of histograms whose buckets are not those of most. Counts of different buckets cannot be
// compared: a request of 0.3 s may be within 0.25 to 0.5 s in one arm and within 0.1 to 1 s in the other.
func (r *reading) sameBounds(arms ...*armReading) {
	counts := map[string]int{}
	wordsOf := func(o ownBounds) string { return fmt.Sprint(o.bounds) }
	for _, a := range arms {
		for _, o := range a.bounds {
			counts[wordsOf(o)]++
		}
	}
	if len(counts) < 2 {
		return
	}
	// Of those that are as frequent, the first in the order of words.
	most := slices.SortedFunc(maps.Keys(counts), func(x, y string) int {
		return cmp.Or(cmp.Compare(counts[y], counts[x]), cmp.Compare(x, y))
	})[0]
	for _, a := range arms {
		for _, o := range a.bounds {
			if wordsOf(o) != most {
				r.problems.tell(spot{arm: a.name, what: histogram, kind: OtherBuckets}, o.String())
			}
		}
	}
}
