package offline

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/cmd/kubectl-belay/ticks"
)

var bounds = []float64{0.1, 0.25, 0.5, 1, math.Inf(1)}

// both is a tick with counters and a histogram.
func both(canary, stable evidence.Counts, canaryBuckets, stableBuckets []int64) ticks.Tick {
	return ticks.Tick{Canary: canary, Stable: stable, CanaryBuckets: canaryBuckets, StableBuckets: stableBuckets, Weighed: true, Weight: 25}
}

var (
	fine      = evidence.Counts{Requests: 2500, Bad: 10}
	bad       = evidence.Counts{Requests: 2500, Bad: 60}
	stable    = evidence.Counts{Requests: 7500, Bad: 30}
	fast      = []int64{1500, 700, 250, 40, 10}
	slow      = []int64{800, 700, 600, 300, 100}
	stableLat = []int64{4500, 2100, 750, 120, 30}
)

func judged(t *testing.T, in Input, p evidence.Params, ticks ...ticks.Tick) Result {
	t.Helper()
	j, err := NewJudge(in, p)
	if err != nil {
		t.Fatal(err)
	}
	for i, tick := range ticks {
		tick.Line = i + 2
		if j.Add(tick) {
			break
		}
	}
	return j.Result()
}

func TestMetricsTogether(t *testing.T) {
	two := Input{Counters: true, Bounds: bounds, Unit: "s"}
	for name, c := range map[string]struct {
		in      Input
		tick    ticks.Tick
		verdict string
		culprit string
		metrics []string
	}{
		"all is well":            {two, both(fine, stable, fast, stableLat), Pass, "", []string{"errors", "latency"}},
		"errors":                 {two, both(bad, stable, fast, stableLat), Fail, "errors", []string{"errors", "latency"}},
		"slow":                   {two, both(fine, stable, slow, stableLat), Fail, "latency", []string{"errors", "latency"}},
		"slow, by another name":  {Input{Name: "checkout", Counters: true, Bounds: bounds}, both(fine, stable, slow, stableLat), Fail, "checkout latency", []string{"checkout", "checkout latency"}},
		"only the histogram":     {Input{Bounds: bounds, Unit: "s"}, both(fine, stable, slow, stableLat), Fail, "latency", []string{"latency"}},
		"only the other's name":  {Input{Name: "p99", Bounds: bounds}, both(fine, stable, fast, stableLat), Pass, "", []string{"p99"}},
		"Pass needs both":        {two, both(fine, stable, make([]int64, 5), stableLat), Inconclusive, "", []string{"errors", "latency"}},
		"errors without a chart": {Input{Counters: true}, both(bad, stable, slow, stableLat), Fail, "errors", []string{"errors"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := judged(t, c.in, evidence.Defaults(), slices.Repeat([]ticks.Tick{c.tick}, 120)...)
			var names []string
			for _, m := range r.Metrics {
				names = append(names, m.Name)
			}
			culprit := ""
			if r.Culprit != nil {
				culprit = *r.Culprit
			}
			if r.Verdict != c.verdict || culprit != c.culprit || !slices.Equal(names, c.metrics) {
				t.Errorf("%s by %q of %v, want %s by %q of %v: %s", r.Verdict, culprit, names, c.verdict, c.culprit, c.metrics, r.Sentence)
			}
			if culprit != "" && !strings.HasPrefix(r.Sentence, culprit+": ") || (r.Tick == nil) != (c.verdict == Inconclusive) {
				t.Errorf("tick %v, %s", r.Tick, r.Sentence)
			}
		})
	}
}

// Two metrics that would not fail alone yet fail together, if their evidence is together what one would need.
func TestMetricsThatFailTogether(t *testing.T) {
	p := evidence.Defaults()
	p.Phi, p.Noise = 1, 0
	worse := evidence.Counts{Requests: 2500, Bad: 18}
	slower := []int64{1380, 740, 305, 58, 17}
	stream := slices.Repeat([]ticks.Tick{both(worse, stable, slower, stableLat)}, 400)
	merged := judged(t, Input{Counters: true, Bounds: bounds}, p, stream...)
	if merged.Verdict != Fail || merged.LogThreshold != -math.Log(2*p.Alpha) {
		t.Fatalf("%s at %v", merged.Verdict, merged.LogThreshold)
	}
	sum := 0.0
	for _, m := range merged.Metrics {
		sum += math.Exp(m.LogE)
		if m.Verdict == Fail {
			t.Errorf("%s failed alone", m.Name)
		}
	}
	if mean := math.Log(sum / 2); math.Abs(mean-merged.LogE) > 1e-9 || mean < merged.LogThreshold {
		t.Errorf("the mean of the evidence is %v, and merged is %v", mean, merged.LogE)
	}
}

// What one metric says is what the comparison says, to the last bit.
func TestResultIsThatOfTheComparison(t *testing.T) {
	p := evidence.Defaults()
	c, err := evidence.New(p)
	if err != nil {
		t.Fatal(err)
	}
	stream := slices.Repeat([]ticks.Tick{both(fine, stable, nil, nil)}, 90)
	stream[70].WeightChanged, stream[80].WeightChanged = true, true
	stream[80].Weight, stream[80].Stable = 100, evidence.Counts{}
	for _, tick := range stream {
		baseline := evidence.Measured
		if tick.Stable.Requests == 0 {
			baseline = evidence.Gone
		}
		c.Add(evidence.Tick{Canary: tick.Canary, Stable: tick.Stable, WeightChanged: tick.WeightChanged, Baseline: baseline})
	}
	r, want := judged(t, Input{Counters: true}, p, stream...), c.Report()
	if r.LogE != want.LogE || r.Lower != want.Lower || r.Upper != want.Upper || r.Sentence != want.Sentence("errors", p) || r.LogThreshold != p.LogThreshold() {
		t.Errorf("%+v, want %+v", r, want)
	}
}

// The tick of a Pass is the one that won it at the present weight, also where the same tick lost the last weight's.
func TestTickOfThePass(t *testing.T) {
	clean := both(evidence.Counts{Requests: 9e6}, evidence.Counts{Requests: 9e6, Bad: 9e4}, nil, nil)
	again, gone := clean, clean
	again.WeightChanged, again.Weight = true, 50
	gone.WeightChanged, gone.Weight, gone.Stable = true, 100, evidence.Counts{}
	for name, c := range map[string]struct {
		stream []ticks.Tick
		tick   int
	}{
		"at once":                {[]ticks.Tick{clean, clean}, 0},
		"at the second weight":   {[]ticks.Tick{clean, clean, again, clean}, 2},
		"kept when stable goes":  {[]ticks.Tick{clean, clean, again, gone, gone}, 2},
		"kept from the first on": {[]ticks.Tick{clean, gone}, 0},
	} {
		r := judged(t, Input{Counters: true}, evidence.Defaults(), c.stream...)
		if r.Verdict != Pass || r.Tick == nil || *r.Tick != c.tick || r.Line != c.tick+2 {
			t.Errorf("%s: %s at %v in line %d, want tick %d", name, r.Verdict, r.Tick, r.Line, c.tick)
		}
	}
}

func TestParametersThatLatenciesRefuse(t *testing.T) {
	p := evidence.Defaults()
	p.MarginRelative = 0
	if _, err := NewJudge(Input{Bounds: bounds}, p); err == nil || !strings.Contains(err.Error(), "for latencies it must be") {
		t.Errorf("%v", err)
	}
	p.Alpha = 2
	if _, err := NewJudge(Input{Counters: true}, p); err == nil || !strings.Contains(err.Error(), "alpha") {
		t.Errorf("%v", err)
	}
}
