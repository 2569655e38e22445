package samples

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// ladder is a classic histogram: for each moment the cumulative counts of the buckets 0.1, 0.5 and +Inf.
func ladder(labels string, rows map[float64][3]float64) []Series {
	var moments []float64
	for m := range rows {
		moments = append(moments, m)
	}
	slices.Sort(moments)
	out := make([]Series, 3)
	for i, le := range []string{"0.1", "0.5", "+Inf"} {
		out[i] = line(labels + " le=" + le)
		for _, m := range moments {
			out[i].Points = append(out[i].Points, Point{T: at(m), V: rows[m][i]})
		}
	}
	return out
}

func counted(t *testing.T, in Latencies) Bucketed {
	t.Helper()
	in.Metric = "latency"
	if in.Bounds == nil {
		in.Bounds = []float64{0.1, 0.5}
	}
	return Histograms(tens(t), 0, 2, in)
}

func TestClassicHistograms(t *testing.T) {
	tests := map[string]struct {
		series []Series
		bounds []float64
		want   [][]int64
	}{
		"plain":   {series: ladder("h", map[float64][3]float64{0: {1, 2, 3}, 10: {5, 7, 10}, 20: {5, 8, 12}}), want: [][]int64{{4, 1, 2}, {0, 1, 1}, {0, 0, 0}}},
		"a reset": {series: ladder("h", map[float64][3]float64{0: {10, 20, 30}, 10: {1, 2, 4}}), want: [][]int64{{1, 1, 2}, {0, 0, 0}, {0, 0, 0}}},
		"a reset that one bucket shows": {
			series: ladder("h", map[float64][3]float64{0: {10, 20, 30}, 10: {9, 30, 40}}), want: [][]int64{{9, 21, 10}, {0, 0, 0}, {0, 0, 0}},
		},
		"a wider bucket holds less": {
			series: ladder("h", map[float64][3]float64{0: {1, 2, 3}, 10: {5, 4, 10}, 20: {6, 8, 12}}), want: [][]int64{{0, 0, 0}, {5, 1, 3}, {0, 0, 0}},
		},
		"a bucket is no number": {
			series: ladder("h", map[float64][3]float64{0: {1, 2, 3}, 10: {5, math.NaN(), 10}, 20: {6, 8, 12}}), want: [][]int64{{0, 0, 0}, {5, 1, 3}, {0, 0, 0}},
		},
		"its buckets became others": {
			series: []Series{
				line("h le=0.1", 0, 1, 4, 2), line("h le=0.5", 0, 2, 4, 3, 8, 1, 12, 5), line("h le=+Inf", 0, 3, 4, 4, 8, 2, 12, 7),
			}, want: [][]int64{{1, 0, 0}, {0, 4, 1}, {0, 0, 0}},
		},
		"the first bucket is no number": {
			series: ladder("h", map[float64][3]float64{0: {1, 2, 3}, 10: {math.NaN(), 4, 10}, 20: {6, 8, 12}}), want: [][]int64{{0, 0, 0}, {5, 1, 3}, {0, 0, 0}},
		},
		"wanted wider":    {series: ladder("h", map[float64][3]float64{0: {1, 2, 3}, 10: {5, 7, 10}}), bounds: []float64{0.5}, want: [][]int64{{5, 2}, {0, 0}, {0, 0}}},
		"wanted narrower": {series: ladder("h", map[float64][3]float64{0: {1, 2, 3}, 10: {5, 7, 10}}), bounds: []float64{0.05, 0.1, 0.2, 0.5, 2}, want: [][]int64{{0, 4, 0, 1, 0, 2}, make([]int64, 6), make([]int64, 6)}},
		"first seen":      {series: ladder("h", map[float64][3]float64{5: {1, 2, 3}, 15: {2, 4, 6}}), want: [][]int64{{0, 0, 0}, {1, 1, 1}, {0, 0, 0}}},
		"born beside one that was there": {
			series: slices.Concat(ladder("h instance=x code=200", map[float64][3]float64{5: {1, 2, 3}, 15: {1, 2, 3}}), ladder("h instance=x code=500", map[float64][3]float64{15: {1, 2, 4}})),
			want:   [][]int64{{0, 0, 0}, {1, 1, 2}, {0, 0, 0}},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := counted(t, Latencies{Bounds: tc.bounds, Canary: HistogramArm{Series: tc.series}})
			if !reflect.DeepEqual(got.Canary, tc.want) || got.Native {
				t.Errorf("got %d, want %d", got.Canary, tc.want)
			}
		})
	}
}

func TestABucketThatIsWrittenInTwoWays(t *testing.T) {
	series := []Series{line("h le=1", 0, 1), line("h le=+Inf", 0, 2, 10, 9), line("h le=1.0", 10, 4)}
	got := counted(t, Latencies{Bounds: []float64{1}, Stable: HistogramArm{Series: series}})
	if want := []int64{3, 4}; !reflect.DeepEqual(got.Stable[0], want) || len(got.Problems) != 0 {
		t.Errorf("got %d, %+v; want %d", got.Stable[0], got.Problems, want)
	}
}

// native is a native histogram of schema 0: for each moment the counts of the buckets (0.5, 1], (1, 2] and (2, 4].
func native(labels string, rows map[float64][3]float64) Series {
	s := Series{Labels: labelsOf(labels)}
	for m, row := range rows {
		p := HistogramPoint{T: at(m), Count: row[0] + row[1] + row[2]}
		for i, c := range row {
			if c > 0 {
				p.Buckets = append(p.Buckets, Bucket{Lower: math.Exp2(float64(i - 1)), Upper: math.Exp2(float64(i)), Count: c})
			}
		}
		s.Histograms = append(s.Histograms, p)
	}
	slices.SortFunc(s.Histograms, func(a, b HistogramPoint) int { return int(a.T - b.T) })
	return s
}

func TestNativeHistograms(t *testing.T) {
	coarser := func(s Series, moment float64) Series {
		s.Histograms = append(s.Histograms,
			HistogramPoint{T: at(moment), Buckets: []Bucket{{Lower: 0.25, Upper: 1, Count: 20}, {Lower: 1, Upper: 4, Count: 30}}},
			HistogramPoint{T: at(moment + 1), Buckets: []Bucket{{Lower: 0.25, Upper: 1, Count: 21}, {Lower: 1, Upper: 4, Count: 32}}})
		return s
	}
	tests := map[string]struct {
		series Series
		want   [][]int64
	}{
		"plain":             {native("h", map[float64][3]float64{0: {1, 1, 1}, 10: {2, 3, 4}, 20: {2, 3, 5}}), [][]int64{{1, 2, 3, 0}, {0, 0, 1, 0}, {0, 0, 0, 0}}},
		"a new bucket":      {native("h", map[float64][3]float64{0: {1, 0, 0}, 10: {1, 0, 4}}), [][]int64{{0, 0, 4, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}}},
		"a reset":           {native("h", map[float64][3]float64{0: {9, 9, 9}, 10: {1, 2, 0}}), [][]int64{{1, 2, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}}},
		"it became coarser": {coarser(native("h", map[float64][3]float64{0: {9, 9, 9}, 10: {10, 10, 10}}), 15), [][]int64{{1, 1, 1, 0}, {1, 0, 2, 0}, {0, 0, 0, 0}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := counted(t, Latencies{Bounds: []float64{1, 2, 4}, Canary: HistogramArm{Series: []Series{tc.series}}})
			if !reflect.DeepEqual(got.Canary, tc.want) || !got.Native {
				t.Errorf("got %d, want %d", got.Canary, tc.want)
			}
		})
	}
}

// Bounds that were computed in another way differ in their last bits.
func TestBoundsNeedNotBeExact(t *testing.T) {
	s := native("h", map[float64][3]float64{0: {1, 1, 1}, 10: {2, 3, 4}})
	for i := range s.Histograms {
		for j := range s.Histograms[i].Buckets {
			s.Histograms[i].Buckets[j].Upper = math.Nextafter(s.Histograms[i].Buckets[j].Upper, 9)
		}
	}
	got := counted(t, Latencies{Bounds: []float64{1, 2, 4}, Canary: HistogramArm{Series: []Series{s}}})
	if want := []int64{1, 2, 3, 0}; !reflect.DeepEqual(got.Canary[0], want) {
		t.Errorf("got %d, want %d", got.Canary[0], want)
	}
}

func TestNativeIsPreferred(t *testing.T) {
	classic := ladder("h_bucket", map[float64][3]float64{0: {1, 2, 3}, 10: {2, 4, 6}})
	both := append(ladder("h_bucket", map[float64][3]float64{0: {1, 2, 3}, 10: {2, 4, 6}}), native("h", map[float64][3]float64{0: {1, 0, 0}, 10: {1, 4, 0}}))
	in := Latencies{Bounds: []float64{1, 2}, Canary: HistogramArm{Series: both}, Stable: HistogramArm{Series: classic}}
	if got := counted(t, in); got.Native {
		t.Error("the stable has classic ones only")
	}
	in.Stable.Series = []Series{native("h a=b", map[float64][3]float64{0: {1, 0, 0}, 10: {1, 1, 0}})}
	if got := counted(t, in); !got.Native || !reflect.DeepEqual(got.Canary[0], []int64{0, 4, 0}) || !reflect.DeepEqual(got.Stable[0], []int64{0, 1, 0}) {
		t.Errorf("got %+v", got)
	}
}

func TestProblemsOfHistograms(t *testing.T) {
	rows := map[float64][3]float64{0: {1, 2, 3}, 10: {2, 4, 6}}
	other := []Series{line("h arm=canary le=0.1", 0, 1), line("h arm=canary le=1", 0, 1), line("h arm=canary le=+Inf", 0, 1)}
	tests := map[string]struct {
		canary []Series
		kind   Kind
		text   string
	}{
		"other buckets": {other, OtherBuckets, `metric "latency", canary histogram: h{arm="canary"} with the buckets 0.1, 1, +Inf has other buckets than the histograms beside it: ` +
			`give both revisions the same buckets, or use native histograms`},
		"no +Inf": {other[:2], NoBuckets, `metric "latency", canary histogram: h{arm="canary"} is not a bucket of a histogram: ` +
			`name a histogram without its suffix, and keep its label le with all values up to +Inf`},
		"no le":      {[]Series{line("h", 0, 1)}, NoBuckets, `metric "latency", canary histogram: h{} is not a bucket of a histogram: name a histogram without its suffix, and keep its label le with all values up to +Inf`},
		"falling":    {ladder("h", map[float64][3]float64{0: {3, 2, 5}}), FallingBuckets, `metric "latency", canary histogram: h{} has samples in which a wider bucket holds less than a narrower one: they are left out; correct what exports it, or the rule that records it`},
		"other kind": {[]Series{native("h arm=canary", rows)}, OtherKind, `metric "latency", histogram: one arm has native histograms and the other classic ones, which cannot be compared: have both revisions scraped alike`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			stable := append(ladder("h arm=stable", rows), ladder("h arm=stable pod=x", rows)...)
			got := counted(t, Latencies{Canary: HistogramArm{Series: tc.canary}, Stable: HistogramArm{Series: stable}}).Problems
			if len(got) != 1 || got[0].Kind != tc.kind || got[0].Text != tc.text {
				t.Errorf("got %+v\nwant %s %s", got, tc.kind, tc.text)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	tests := map[string]struct {
		series []Series
		most   int
		want   []float64
	}{
		"none":                 {nil, 10, nil},
		"classic":              {[]Series{line("h le=+Inf"), line("h le=0.5"), line("h le=0.1 pod=a"), line("h le=0.5 pod=b"), line("h le=x")}, 1, []float64{0.1, 0.5}},
		"native":               {[]Series{native("h", map[float64][3]float64{0: {1, 0, 0}, 10: {1, 0, 1}})}, 10, []float64{1, 2, 4}},
		"native, two and two":  {[]Series{native("h", map[float64][3]float64{0: {1, 0, 0}, 10: {1, 0, 1}})}, 2, []float64{1, 4}},
		"native, at least two": {[]Series{native("h", map[float64][3]float64{0: {1, 1, 1}})}, 1, []float64{1, 4}},
		"native and empty":     {[]Series{native("h", map[float64][3]float64{0: {0, 0, 0}})}, 10, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Bounds(tc.series, tc.most); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// What a native histogram counts in its own buckets is the same in wider ones, and sums are kept.
func TestWiderBucketsHoldTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		schema := rapid.IntRange(0, 5).Draw(t, "schema")
		step := math.Exp2(-float64(schema))
		s := Series{Labels: labelsOf("h")}
		counts := map[int]float64{}
		var last float64
		for k := range rapid.IntRange(2, 10).Draw(t, "samples") {
			counts[rapid.IntRange(-40, 20).Draw(t, "bucket")] += float64(rapid.IntRange(1, 9).Draw(t, "count"))
			p := HistogramPoint{T: at(float64(k))}
			for i := -40; i <= 20; i++ {
				if counts[i] > 0 {
					p.Buckets = append(p.Buckets, Bucket{Lower: math.Exp2(float64(i-1) * step), Upper: math.Exp2(float64(i) * step), Count: counts[i]})
					p.Count += counts[i]
				}
			}
			last = p.Count
			s.Histograms = append(s.Histograms, p)
		}
		bounds := Bounds([]Series{s}, rapid.IntRange(1, 70).Draw(t, "most"))
		g, err := NewGrid(anchor, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		got := Histograms(g, 0, 0, Latencies{Bounds: bounds, Stable: HistogramArm{Series: []Series{s}}}).Stable[0]
		want := make([]int64, len(bounds)+1)
		first := s.Histograms[0]
		for _, b := range s.Histograms[len(s.Histograms)-1].Buckets {
			gained := int64(b.Count)
			for _, before := range first.Buckets {
				if before.Upper == b.Upper {
					gained -= int64(before.Count)
				}
			}
			i := slices.IndexFunc(bounds, func(bound float64) bool { return b.Upper <= bound*(1+1e-9) })
			if i < 0 || i > 0 && b.Lower < bounds[i-1]*(1-1e-9) {
				t.Fatalf("the bucket (%g, %g] lies in none of %g", b.Lower, b.Upper, bounds)
			}
			want[i] += gained
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %d, want %d in %g (%s)", got, want, bounds, fmt.Sprint(last))
		}
	})
}
