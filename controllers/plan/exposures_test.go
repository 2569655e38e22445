package plan

import (
	"reflect"
	"testing"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

func exposure(step, permille, pods int32, since time.Time) v1alpha1.Exposure {
	return v1alpha1.Exposure{Step: step, WeightPermille: permille, Pods: pods, Since: micro(since)}
}

// A weight is recorded with the clock that it starts, once: a clock that stood and starts again was the same weight.
func TestExposures(t *testing.T) {
	first := exposure(1, 100, 1, noon.Add(-5*time.Minute))
	waits := func(edits ...edit) Observed {
		return entered(2, append([]edit{canaryPods(2, 2), weight(500)}, edits...)...)
	}
	had := func(all ...v1alpha1.Exposure) edit {
		return func(o *Observed) { o.Progress.Exposures = all }
	}
	second := exposure(2, 500, 2, noon.Add(-time.Minute))
	for name, tc := range map[string]struct {
		state Observed
		want  []v1alpha1.Exposure
	}{
		"the first":               {entered(1, canaryPods(1, 1), weight(100)), []v1alpha1.Exposure{exposure(1, 100, 1, noon.Add(3*time.Second))}},
		"the next":                {waits(had(first)), []v1alpha1.Exposure{first, exposure(2, 500, 2, noon.Add(3*time.Second))}},
		"a clock that had stood":  {waits(had(first, second)), []v1alpha1.Exposure{first, second}},
		"a record of before them": {waits(), []v1alpha1.Exposure{exposure(2, 500, 2, noon.Add(3*time.Second))}},
	} {
		t.Run(name, func(t *testing.T) {
			before := append([]v1alpha1.Exposure(nil), tc.state.Progress.Exposures...)
			p := Decide(tc.state)
			if p.Rule != "trafficPending" || p.Progress == nil || !reflect.DeepEqual(p.Progress.Exposures, tc.want) {
				t.Errorf("%s records %+v, want %+v", p.Rule, p.Progress, tc.want)
			}
			if !reflect.DeepEqual(tc.state.Progress.Exposures, append([]v1alpha1.Exposure(nil), before...)) {
				t.Error("what was observed is changed")
			}
		})
	}
	next := Decide(holding(had(first, second)))
	if next.Progress == nil || next.Progress.Attempt != 7 || next.Progress.Exposures != nil || next.Progress.Ramp != nil {
		t.Errorf("a new attempt begins with %+v", next.Progress)
	}
}

// Comparisons are told the weights from the step on at which metrics run, and the pods that stable had at the start.
func TestMeasureIsToldExposures(t *testing.T) {
	all := []v1alpha1.Exposure{exposure(1, 100, 1, noon.Add(-5*time.Minute)), exposure(2, 500, 2, noon.Add(-time.Minute))}
	for startAt, want := range map[int32][]v1alpha1.Exposure{1: all, 2: all[1:], 3: nil} {
		o := baking(2, time.Minute, func(o *Observed) { o.Progress.Exposures, o.Config.StartAt = all, startAt })
		if got := o.exposures(); !reflect.DeepEqual(got, want) {
			t.Errorf("from step %d on they are %+v, want %+v", startAt, got, want)
		}
		p := Decide(o)
		if startAt == 3 {
			continue // nothing is measured
		}
		m, ok := p.Effects[0].(Measure)
		if !ok || !reflect.DeepEqual(m.Exposures, want) || m.StablePods != 4 || m.Attempt != 7 || m.Step != 2 {
			t.Errorf("measured is %+v", m)
		}
	}
}

// What an attempt cost stands in its ending and in the history, by the comparison that counted most.
func TestCost(t *testing.T) {
	costs := func(name, cost string, excess int64, v v1alpha1.Verdict) edit {
		return func(o *Observed) {
			o.Metrics = append(o.Metrics, v1alpha1.MetricStatus{
				Name: name, Verdict: v, Value: "x", Limit: "y", Step: o.Progress.Step,
				Comparison: &v1alpha1.ComparisonStatus{Cost: cost, ExcessBad: excess},
			})
		}
	}
	const fail, pass = v1alpha1.VerdictFail, v1alpha1.VerdictPass
	for name, tc := range map[string]struct {
		metrics []edit
		want    string
	}{
		"nothing was compared":    {[]edit{says(fail)}, ""},
		"one":                     {[]edit{costs("errors", "5 requests", 5, fail)}, "5 requests"},
		"the one with most":       {[]edit{costs("a", "5 requests", 5, fail), costs("b", "9 requests", 9, pass), costs("c", "7 requests", 7, pass)}, "9 requests"},
		"latencies have no cost":  {[]edit{costs("a", "", 50, fail), costs("b", "2 requests", 2, pass)}, "2 requests"},
		"better than stable, too": {[]edit{costs("a", "none", -3, fail)}, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			p := Decide(baking(2, time.Minute, tc.metrics...))
			if p.Progress == nil || p.Progress.Ending == nil || p.Progress.Ending.Cost != tc.want {
				t.Fatalf("%s: the ending is %+v, want %q", p.Reason, p.Progress.Ending, tc.want)
			}
			if got := (&Observed{Progress: *p.Progress}).attempt(*p.Progress.Ending); got.Cost != tc.want {
				t.Errorf("the history says %q, want %q", got.Cost, tc.want)
			}
		})
	}
	o := handing(v1alpha1.StageClearing, costs("errors", "5 requests", 5, pass))
	if p := o.promoted(); p.Ended == nil || p.Ended.Cost != "5 requests" || p.Progress.Ending.Cost != "5 requests" {
		t.Errorf("a promotion is told as %+v", p.Ended)
	}
}
