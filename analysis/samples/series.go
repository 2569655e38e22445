package samples

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
)

// NameLabel is the label that holds the name of a metric.
const NameLabel = "__name__"

// Point is one sample of a counter.
type Point struct {
	// T is its time in milliseconds since 1970.
	T int64
	V float64
}

// HistogramPoint is one sample of a native histogram.
type HistogramPoint struct {
	T          int64
	Count, Sum float64
	// Buckets that are not empty, in ascending order.
	Buckets []Bucket
}

// Bucket of a native histogram: observations above Lower and up to Upper.
type Bucket struct {
	Lower, Upper float64
	Count        float64
}

// Series is what a source keeps under one set of labels.
type Series struct {
	// Labels with the name of the metric as NameLabel.
	Labels map[string]string
	// Points of a counter, or of one bucket of a classic histogram (with the label le).
	Points []Point
	// Histograms are the samples of a native histogram.
	Histograms []HistogramPoint
	// Created is when the counter began at zero, in milliseconds since 1970. 0: not known.
	Created int64
}

// key is equal for equal labels, and orders series.
func key(labels map[string]string, without ...string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if !slices.Contains(without, name) {
			b.WriteString(name + "\xff" + labels[name] + "\xff")
		}
	}
	return b.String()
}

// Merge joins the parts in which the series of one selector were read. Parts may overlap: what is in
// several of them is taken once.
func Merge(parts ...[]Series) []Series {
	at := map[string]int{}
	var out []Series
	for _, part := range parts {
		for _, s := range part {
			k := key(s.Labels)
			i, ok := at[k]
			if !ok {
				at[k] = len(out)
				out = append(out, Series{Labels: s.Labels, Points: slices.Clone(s.Points), Histograms: slices.Clone(s.Histograms), Created: s.Created})
				continue
			}
			out[i].Points = mergePoints(out[i].Points, s.Points)
			out[i].Histograms = mergeHistograms(out[i].Histograms, s.Histograms)
			out[i].Created = max(out[i].Created, s.Created)
		}
	}
	return out
}

func mergePoints(a, b []Point) []Point {
	if len(a) == 0 || len(b) == 0 || a[len(a)-1].T < b[0].T {
		return append(a, b...)
	}
	type sample struct {
		t    int64
		bits uint64 // NaN is not equal to itself, but one sample all the same
	}
	seen := make(map[sample]bool, len(a))
	for _, p := range a {
		seen[sample{p.T, math.Float64bits(p.V)}] = true
	}
	for _, p := range b {
		if !seen[sample{p.T, math.Float64bits(p.V)}] {
			a = append(a, p)
		}
	}
	// A part that reaches further back than the one before is no disorder of the source.
	slices.SortStableFunc(a, func(x, y Point) int { return cmp.Compare(x.T, y.T) })
	return a
}

func mergeHistograms(a, b []HistogramPoint) []HistogramPoint {
	if len(a) == 0 || len(b) == 0 || a[len(a)-1].T < b[0].T {
		return append(a, b...)
	}
	seen := make(map[int64]bool, len(a))
	for _, p := range a {
		seen[p.T] = true
	}
	for _, p := range b {
		if !seen[p.T] {
			a = append(a, p)
		}
	}
	slices.SortStableFunc(a, func(x, y HistogramPoint) int { return cmp.Compare(x.T, y.T) })
	return a
}
