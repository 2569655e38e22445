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

// history draws the samples of a few targets over half an hour: with resets, failed scrapes, long gaps, what is no
// number, stale markers, series that begin late and that end.
func history(t *rapid.T, arm string) []Series {
	var out []Series
	for target := range rapid.IntRange(0, 3).Draw(t, "targets") {
		offset := rapid.Int64Range(0, 14_999).Draw(t, "offset")
		for code := range rapid.IntRange(1, 3).Draw(t, "series") {
			s := line(fmt.Sprintf("r arm=%s instance=%d pod=%s-%d code=%d", arm, target, arm, target, code))
			from, to := rapid.IntRange(0, 60).Draw(t, "from"), rapid.IntRange(30, 120).Draw(t, "to")
			value := float64(rapid.IntRange(0, 50).Draw(t, "value"))
			for k := from; k < to; k++ {
				event := rapid.IntRange(0, 30).Draw(t, "event")
				point := Point{T: anchor.UnixMilli() + offset + int64(k)*15_000, V: value}
				switch event {
				case 0:
					k += rapid.IntRange(1, 25).Draw(t, "gap")
					continue
				case 1:
					value = float64(rapid.IntRange(0, 5).Draw(t, "reset"))
				case 2:
					point.V = math.NaN()
				case 3:
					point.V = stale
				case 4:
					point.V = value + 0.5
				default:
					value += float64(event)
				}
				if event == 1 {
					point.V = value
				}
				s.Points = append(s.Points, point)
			}
			out = append(out, s)
		}
	}
	return out
}

// cut leaves what a source answers for the time after from, up to to. Stale markers stay, though Prometheus hides them.
func cut(series []Series, from, to time.Time) []Series {
	var out []Series
	for _, s := range series {
		s.Points = slices.DeleteFunc(slices.Clone(s.Points), func(p Point) bool { return p.T <= from.UnixMilli() || p.T > to.UnixMilli() })
		s.Histograms = slices.DeleteFunc(slices.Clone(s.Histograms), func(p HistogramPoint) bool { return p.T <= from.UnixMilli() || p.T > to.UnixMilli() })
		if len(s.Points)+len(s.Histograms) > 0 {
			out = append(out, s)
		}
	}
	return out
}

const halfHour = 30 * 60

// One long query or many that overlap: the same bits.
func TestReadingInPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, err := NewGrid(anchor, time.Duration(rapid.Int64Range(5_000, 240_000).Draw(t, "tick"))*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		whole := Counters{PodLabel: "pod", Canary: Arm{Requests: history(t, "canary"), Errors: history(t, "canary")}, Stable: Arm{Requests: history(t, "stable")}}
		whole.Canary.Pods = map[string]time.Time{"canary-0": anchor.Add(time.Duration(rapid.IntRange(0, halfHour).Draw(t, "birth")) * time.Second)}
		last := g.Index(anchor.Add(halfHour * time.Second))
		want := Count(g, 0, last, whole)
		for first := int64(0); first <= last; {
			until := min(last, first+rapid.Int64Range(0, 5).Draw(t, "ticks"))
			from := g.ReadFrom(first).Add(-time.Duration(rapid.IntRange(0, 3).Draw(t, "more")) * time.Minute)
			to := g.End(until).Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "later")) * time.Minute)
			piece := whole
			piece.Canary.Requests, piece.Canary.Errors = cut(whole.Canary.Requests, from, to), cut(whole.Canary.Errors, from, to)
			piece.Stable.Requests = cut(whole.Stable.Requests, from, to)
			got := Count(g, first, until, piece)
			if !reflect.DeepEqual(got.Ticks, want.Ticks[first:until+1]) || !reflect.DeepEqual(got.StableSeen, want.StableSeen[first:until+1]) {
				t.Fatalf("ticks %d to %d are %v, want %v", first, until, got.Ticks, want.Ticks[first:until+1])
			}
			samePods(t, got, want, first, until)
			first = until + 1
		}
	})
}

// histograms draws native histograms that are reset, that become coarser and that are empty for a while, and classic ones
// in which a bucket is missing now and then.
func histograms(t *rapid.T, arm string, native bool) []Series {
	s := Series{Labels: labelsOf("h instance=x arm=" + arm)}
	buckets := make([]Series, 3)
	for i, le := range []string{"1", "4", "+Inf"} {
		buckets[i] = line("h_bucket instance=x arm=" + arm + " le=" + le)
	}
	counts := map[int]float64{}
	width := 1
	for k := 0; k < 120; k++ {
		switch rapid.IntRange(0, 30).Draw(t, "event") {
		case 0:
			k += rapid.IntRange(1, 25).Draw(t, "gap")
			continue
		case 1:
			clear(counts)
		case 2:
			width = 3 - width
			clear(counts)
		case 3, 4, 5:
			counts[2*rapid.IntRange(0, 1).Draw(t, "bucket")] += float64(rapid.IntRange(1, 9).Draw(t, "count"))
		}
		p := HistogramPoint{T: at(float64(15 * k))}
		var total float64
		for i := 0; i <= 2; i++ {
			if counts[i] > 0 {
				p.Buckets = append(p.Buckets, Bucket{Lower: math.Exp2(float64(i - width)), Upper: math.Exp2(float64(i)), Count: counts[i]})
			}
			total += counts[i]
			if event := rapid.IntRange(0, 40).Draw(t, "missing"); event > 0 {
				buckets[i].Points = append(buckets[i].Points, Point{T: p.T, V: total})
			}
		}
		s.Histograms = append(s.Histograms, p)
	}
	if native {
		return []Series{s}
	}
	return buckets
}

func TestReadingHistogramsInPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := Grid{anchor: anchor.UnixMilli(), tick: rapid.Int64Range(5_000, 240_000).Draw(t, "tick")}
		native := rapid.Bool().Draw(t, "native")
		whole := Latencies{Bounds: []float64{1, 2, 4}, Canary: HistogramArm{Series: histograms(t, "canary", native)}, Stable: HistogramArm{Series: histograms(t, "stable", native)}}
		last := g.Index(anchor.Add(halfHour * time.Second))
		want := Histograms(g, 0, last, whole)
		for first := int64(0); first <= last; {
			until := min(last, first+rapid.Int64Range(0, 5).Draw(t, "ticks"))
			piece := whole
			piece.Canary.Series = cut(whole.Canary.Series, g.ReadFrom(first), g.End(until))
			piece.Stable.Series = cut(whole.Stable.Series, g.ReadFrom(first), g.End(until))
			got := Histograms(g, first, until, piece)
			if !reflect.DeepEqual(got.Canary, want.Canary[first:until+1]) || !reflect.DeepEqual(got.Stable, want.Stable[first:until+1]) {
				t.Fatalf("ticks %d to %d are %d and %d, want %d and %d", first, until, got.Canary, got.Stable, want.Canary[first:until+1], want.Stable[first:until+1])
			}
			first = until + 1
		}
	})
}

// samePods compares pods; one that is not in the piece did nothing in it.
func samePods(t *rapid.T, got, want Counted, first, until int64) {
	for _, pod := range want.StablePods {
		i := slices.IndexFunc(got.StablePods, func(p Pod) bool { return p.Name == pod.Name })
		for k, c := range pod.Counts[first : until+1] {
			if i < 0 && c.Requests+c.Bad != 0 || i >= 0 && got.StablePods[i].Counts[k] != c {
				t.Fatalf("pod %s is not the same in tick %d", pod.Name, int(first)+k)
			}
		}
	}
}

// Pieces that were read apart and merged are what was read at once.
func TestMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		series := history(t, "canary")
		var parts [][]Series
		for from := 0; from < halfHour; from += 300 {
			overlap := time.Duration(rapid.IntRange(0, 200).Draw(t, "overlap")) * time.Second
			begin := anchor.Add(time.Duration(from)*time.Second - time.Millisecond)
			parts = append(parts, cut(series, begin.Add(-overlap), begin.Add(300*time.Second)))
		}
		if rapid.Bool().Draw(t, "backwards") {
			slices.Reverse(parts)
		}
		g, err := NewGrid(anchor, 30*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		got := Count(g, 0, 60, Counters{Canary: Arm{Requests: Merge(parts...)}, Now: anchor})
		want := Count(g, 0, 60, Counters{Canary: Arm{Requests: cut(series, anchor.Add(-time.Hour), anchor.Add(time.Hour))}, Now: anchor})
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	})
}

// Nothing is counted twice or lost: a counter that only rises gains in all ticks together what lies between its first
// and its last sample, whatever the grid.
func TestNothingTwiceNothingLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := line("r")
		now, value := anchor.UnixMilli(), int64(rapid.IntRange(0, 1000).Draw(t, "value"))
		first := value
		for range rapid.IntRange(1, 100).Draw(t, "samples") {
			now += rapid.Int64Range(1, 300_000).Draw(t, "later")
			value += rapid.Int64Range(0, 1000).Draw(t, "more")
			if len(s.Points) == 0 {
				first = value
			}
			s.Points = append(s.Points, Point{T: now, V: float64(value)})
		}
		g, err := NewGrid(anchor.Add(time.Duration(rapid.IntRange(-9999, 9999).Draw(t, "anchor"))*time.Millisecond), time.Duration(rapid.Int64Range(100, 100_000).Draw(t, "tick"))*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		var sum int64
		for _, tick := range Count(g, g.index(anchor.UnixMilli())-1, g.index(now), Counters{Canary: Arm{Requests: []Series{s}}}).Ticks {
			sum += tick.Canary.Requests
		}
		if sum != value-first {
			t.Fatalf("counted %d, the counter rose by %d", sum, value-first)
		}
	})
}
