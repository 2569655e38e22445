package samples

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/belay-dev/belay/analysis/evidence"
)

// anchor of the grids of the tests, whose ticks last ten seconds.
var anchor = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func tens(t *testing.T) Grid {
	t.Helper()
	g, err := NewGrid(anchor, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// at is a moment some seconds after the anchor.
func at(seconds float64) int64 { return anchor.UnixMilli() + int64(seconds*1000) }

// line is a series with samples at seconds after the anchor: at, value, at, value…
func line(labels string, pairs ...float64) Series {
	s := Series{Labels: labelsOf(labels)}
	for i := 0; i < len(pairs); i += 2 {
		s.Points = append(s.Points, Point{T: at(pairs[i]), V: pairs[i+1]})
	}
	return s
}

// labelsOf reads "name a=b c=d".
func labelsOf(text string) map[string]string {
	words := strings.Fields(text)
	out := map[string]string{NameLabel: words[0]}
	for _, w := range words[1:] {
		name, value, _ := strings.Cut(w, "=")
		out[name] = value
	}
	return out
}

func created(s Series, seconds float64) Series {
	s.Created = at(seconds)
	return s
}

var stale = math.Float64frombits(staleBits)

// What one counter gains, tick by tick.
func TestIncreases(t *testing.T) {
	tests := map[string]struct {
		series []Series
		pods   map[string]time.Time
		want   []int64
	}{
		"plain": {series: []Series{line("r", -5, 100, 5, 103, 15, 110, 25, 110)}, want: []int64{3, 7, 0, 0}},
		"a sample at the end belongs to the tick": {series: []Series{line("r", 0, 100, 10, 103, 20, 110)}, want: []int64{3, 7, 0, 0}},
		"several in a tick":                       {series: []Series{line("r", 0, 1, 2, 3, 4, 5, 6, 9, 12, 10)}, want: []int64{8, 1, 0, 0}},
		"a scrape failed":                         {series: []Series{line("r", 0, 1, 10, 2, 30, 9)}, want: []int64{1, 0, 7, 0}},
		"a reset":                                 {series: []Series{line("r", 0, 100, 10, 4, 20, 5)}, want: []int64{4, 1, 0, 0}},
		"a reset inside of a tick":                {series: []Series{line("r", 0, 100, 3, 107, 6, 2, 9, 120)}, want: []int64{7 + 2 + 118, 0, 0, 0}},
		"two resets in a tick":                    {series: []Series{line("r", 0, 100, 3, 1, 6, 0, 9, 5)}, want: []int64{1 + 0 + 5, 0, 0, 0}},
		"it ends":                                 {series: []Series{line("r", 0, 1, 10, 5)}, want: []int64{4, 0, 0, 0}},
		"nothing":                                 {want: []int64{0, 0, 0, 0}},

		"new, of unknown birth":             {series: []Series{line("r pod=a", 15, 50, 25, 57)}, want: []int64{0, 0, 7, 0}},
		"new, its pod was born in the tick": {series: []Series{line("r pod=a", 15, 50, 25, 57)}, pods: map[string]time.Time{"a": anchor.Add(11 * time.Second)}, want: []int64{0, 50, 7, 0}},
		"new, its pod was born at the tick's start": {
			series: []Series{line("r pod=a", 15, 50, 25, 57)}, pods: map[string]time.Time{"a": anchor.Add(10 * time.Second)}, want: []int64{0, 0, 7, 0},
		},
		"new, its pod was born after its first sample": {
			series: []Series{line("r pod=a", 15, 50, 25, 57)}, pods: map[string]time.Time{"a": anchor.Add(16 * time.Second)}, want: []int64{0, 0, 7, 0},
		},
		"new, another pod was born":            {series: []Series{line("r pod=a", 15, 50, 25, 57)}, pods: map[string]time.Time{"b": anchor.Add(11 * time.Second)}, want: []int64{0, 0, 7, 0}},
		"new, created in the tick":             {series: []Series{created(line("r pod=a", 15, 50, 25, 57), 12)}, want: []int64{0, 50, 7, 0}},
		"new, created before the tick":         {series: []Series{created(line("r pod=a", 15, 50, 25, 57), 9)}, want: []int64{0, 0, 7, 0}},
		"created anew, and higher than before": {series: []Series{created(line("r pod=a", 5, 10, 15, 50, 25, 57), 12)}, want: []int64{0, 50, 7, 0}},
		"created long ago, the pod just started": {
			series: []Series{created(line("r pod=a", 15, 50), -900)}, pods: map[string]time.Time{"a": anchor.Add(11 * time.Second)}, want: []int64{0, 0, 0, 0},
		},

		"new, its target was scraped without it": {
			series: []Series{line("r instance=x code=200", 5, 10, 15, 12), line("r instance=x code=500", 15, 4, 25, 5)}, want: []int64{0, 2 + 4, 1, 0},
		},
		"new, its target is new": {
			series: []Series{line("r instance=x code=200", 15, 12), line("r instance=x code=500", 15, 4)}, want: []int64{0, 0, 0, 0},
		},
		"new, another target was scraped": {
			series: []Series{line("r instance=y code=200", 5, 10, 15, 12), line("r instance=x code=500", 15, 4)}, want: []int64{0, 2, 0, 0},
		},
		"new, another job on the address": {
			series: []Series{line("r job=j instance=x code=200", 5, 10, 15, 12), line("r job=k instance=x code=500", 15, 4)}, want: []int64{0, 2, 0, 0},
		},
		"new, its target was not seen for too long": {
			series: []Series{line("r instance=x code=200", -300, 10, 15, 12), line("r instance=x code=500", 15, 4)}, want: []int64{0, 0, 0, 0},
		},
		"all series of a target have new labels": {
			series: []Series{line("r instance=x code=200", 5, 1000), line("r instance=x code=500", 5, 10), line("r instance=x code=200 team=a", 15, 1002), line("r instance=x code=500 team=a", 15, 10)},
			want:   []int64{0, 0, 0, 0},
		},
		"recorded series have no target": {
			series: []Series{line("r code=200", 5, 10, 15, 12), line("r code=500", 15, 4)}, want: []int64{0, 2, 0, 0},
		},

		"unseen for five minutes":      {series: []Series{line("r", -295, 10, 5, 60)}, want: []int64{50, 0, 0, 0}},
		"unseen for longer":            {series: []Series{line("r", -296, 10, 5, 60, 15, 61)}, want: []int64{0, 1, 0, 0}},
		"a stale marker ends a series": {series: []Series{line("r", 5, 10, 15, stale, 25, 60, 35, 61)}, want: []int64{0, 0, 0, 1}},
		"a stale marker, and its target went on": {
			series: []Series{line("r instance=x a=b", 5, 10, 15, stale, 25, 6, 35, 7), line("r instance=x", 5, 0, 15, 0, 25, 0, 35, 0)}, want: []int64{0, 0, 6, 1},
		},

		"another series of the target missed a scrape": {
			series: []Series{
				line("r instance=x a=new", 1, 10, 3, stale, 15, 6), line("r instance=x a=1", 5, 0, 15, 0), line("r instance=x a=2", -5, 0, 15, 0),
			}, want: []int64{0, 6, 0, 0},
		},
		"its target was not seen since it ended": {
			series: []Series{line("r instance=x a=new", 5, 10, 7, stale, 15, 6), line("r instance=x a=1", -5, 0, 15, 0)}, want: []int64{0, 0, 0, 0},
		},

		"NaN is left out":               {series: []Series{line("r", 0, 10, 10, math.NaN(), 20, 60)}, want: []int64{0, 50, 0, 0}},
		"Inf is left out":               {series: []Series{line("r", 0, 10, 10, math.Inf(1), 20, 60)}, want: []int64{0, 50, 0, 0}},
		"less than nothing is left out": {series: []Series{line("r", 0, 10, 10, -3, 20, 60)}, want: []int64{0, 50, 0, 0}},
		"more than can be counted":      {series: []Series{line("r", 0, 10, 10, 1e19, 20, 60)}, want: []int64{0, 50, 0, 0}},
		"fractions are rounded":         {series: []Series{line("r", 0, 0.4, 10, 0.8, 20, 1.2, 30, 1.6)}, want: []int64{1, 0, 1, 0}},
		"out of order":                  {series: []Series{line("r", 0, 10, 20, 30, 10, 15)}, want: []int64{5, 15, 0, 0}},
		"twice the same":                {series: []Series{line("r", 0, 10, 10, 15, 10, 15, 20, 30)}, want: []int64{5, 15, 0, 0}},
		"two values at one moment":      {series: []Series{line("r", 0, 10, 10, 15, 10, 16, 20, 30)}, want: []int64{5, 15, 0, 0}},
		"several series":                {series: []Series{line("r a=1", 0, 10, 10, 15), line("r a=2", 0, 3, 10, 4, 30, 9)}, want: []int64{6, 0, 5, 0}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			in := Counters{PodLabel: "pod", Canary: Arm{Requests: tc.series, Pods: tc.pods}}
			var got []int64
			for _, tick := range Count(tens(t), 0, 3, in).Ticks {
				got = append(got, tick.Canary.Requests)
			}
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

func TestBothArmsAndTheirPods(t *testing.T) {
	in := Counters{
		Metric: "errors", PodLabel: "pod",
		Canary: Arm{
			Requests: []Series{line("r pod=c code=200", 0, 10, 10, 15, 30, 16), line("r pod=c code=500", 0, 0, 10, 2, 30, 2)},
			Errors:   []Series{line("r pod=c code=500", 0, 0, 10, 2, 30, 2)},
		},
		Stable: Arm{Requests: []Series{line("r pod=b", 0, 100, 10, 200, 20, 300), line("r pod=a", 0, 100, 10, 150, 20, 200), line("r", 0, 0, 10, 7)}},
	}
	got := Count(tens(t), 0, 2, in)
	want := Counted{
		Ticks: []evidence.Tick{
			{Canary: evidence.Counts{Requests: 7, Bad: 2}, Stable: evidence.Counts{Requests: 157}},
			{Stable: evidence.Counts{Requests: 150}},
			{Canary: evidence.Counts{Requests: 1}},
		},
		CanarySeen: []bool{true, false, true}, StableSeen: []bool{true, true, false},
		CanaryPods: []Pod{{Name: "c", Counts: []evidence.Counts{{Requests: 7, Bad: 2}, {}, {Requests: 1}}}},
		StablePods: []Pod{
			{Name: "a", Counts: []evidence.Counts{{Requests: 50}, {Requests: 50}, {}}},
			{Name: "b", Counts: []evidence.Counts{{Requests: 100}, {Requests: 100}, {}}},
		},
		Problems: []Problem{},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if pods := got.StableCounts(); len(pods) != 2 || pods[1][1].Requests != 100 {
		t.Errorf("the stable's pods are %v", pods)
	}
}

func TestNoTicks(t *testing.T) {
	got := Count(tens(t), 3, 2, Counters{Canary: Arm{Requests: []Series{line("r", 0, 1, 40, 2)}}})
	if len(got.Ticks) != 0 || len(got.CanarySeen) != 0 {
		t.Errorf("got %+v", got)
	}
}
