package observe

import (
	"errors"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/measure"
	"github.com/belay-dev/belay/controllers/plan"
)

func counters(name string) v1alpha1.Metric {
	return v1alpha1.Metric{Name: name, Compare: &v1alpha1.Compare{
		Requests: `requests{service="{{ .Service }}"}`, Errors: `requests{service="{{ .Service }}",code="500"}`,
	}}
}

// ramping is a Rollout with a ramp and these metrics.
func ramping(metrics ...v1alpha1.Metric) *v1alpha1.Rollout {
	return rollout(func(r *v1alpha1.Rollout) {
		r.Spec.Strategy.Canary = &v1alpha1.Canary{Ramp: &v1alpha1.Ramp{}}
		r.Spec.Analysis = &v1alpha1.Analysis{Metrics: metrics}
	})
}

func seen(t *testing.T, o *Observer, r *v1alpha1.Rollout) *Scene {
	t.Helper()
	s, err := o.Observe(t.Context(), r)
	must(t, err)
	return s
}

func parts(t *testing.T, r *v1alpha1.Rollout) *Observer {
	t.Helper()
	return observer(cluster(t, r, web("web"), webService("web", selectsWeb), httpRoute("web", "", "web")))
}

// A ramp goes by the bound of a comparison of errors, from its first weight on.
func TestInvalidRamp(t *testing.T) {
	const needs = "spec.strategy.canary.ramp needs a compare metric with requests and errors (or a preset that has them), " +
		"whose bound decides about the weights: add one to spec.analysis"
	threshold := v1alpha1.Metric{Name: "rate", Prometheus: &v1alpha1.PrometheusQuery{Query: "up"}, SuccessCondition: "result > 0.0"}
	latency := v1alpha1.Metric{Name: "latency", Compare: &v1alpha1.Compare{Histogram: `seconds{service="{{ .Service }}"}`}}
	gauge := v1alpha1.Metric{Name: "memory", Gauge: &v1alpha1.Gauge{Selector: `memory{revision="{{ .Revision }}"}`}}
	preset := v1alpha1.Metric{Name: "edge", Compare: &v1alpha1.Compare{Preset: "Traefik"}}
	dry := counters("dry")
	dry.DryRun = true
	for name, tc := range map[string]struct {
		metrics []v1alpha1.Metric
		startAt int32
		want    string
	}{
		"with counters":           {[]v1alpha1.Metric{counters("errors")}, 1, ""},
		"with a preset":           {[]v1alpha1.Metric{threshold, preset}, 0, ""},
		"with nothing":            {nil, 0, needs},
		"with a threshold":        {[]v1alpha1.Metric{threshold}, 0, needs},
		"with latencies":          {[]v1alpha1.Metric{latency}, 0, needs},
		"with a gauge":            {[]v1alpha1.Metric{gauge}, 0, needs},
		"with counters that rest": {[]v1alpha1.Metric{dry}, 0, needs},
		"from a later step on":    {[]v1alpha1.Metric{counters("errors")}, 2, "spec.analysis.startAt is 2: a ramp compares from its first weight on: leave it out"},
	} {
		t.Run(name, func(t *testing.T) {
			r := ramping(tc.metrics...)
			r.Spec.Analysis.StartAt = tc.startAt
			s := seen(t, parts(t, r), r)
			i := slices.IndexFunc(s.Problems, func(p plan.Problem) bool { return p.Reason == "InvalidRamp" })
			if got := i >= 0; got != (tc.want != "") || got && s.Problems[i].Message != tc.want {
				t.Errorf("problems are %+v, want %q", s.Problems, tc.want)
			}
		})
	}
	steps := rollout()
	if s := seen(t, parts(t, steps), steps); len(s.Problems) > 0 {
		t.Errorf("steps need no comparison: %+v", s.Problems)
	}
}

// The weights of a ramp are those that it chose, and its intervals go through all of them.
func TestRampIsConfigured(t *testing.T) {
	r := ramping(counters("errors"))
	s := seen(t, parts(t, r), r)
	half := 30 * time.Second
	want := []plan.Step{{Permille: 10, Bake: half}, {Permille: 1000, Bake: half, Appended: true}}
	if c := s.Config; c.Ramp == nil || *c.Ramp != (plan.Ramp{From: 10, To: 1000, Budget: 0.002, Max: 30 * time.Minute}) || !slices.Equal(c.Ladder, want) || c.Scale != 100 || !c.Gating {
		t.Errorf("with nothing said: %+v, %+v", c.Ramp, c)
	}
	if !s.Plans[0].Comparison.Params.IntervalSpansWeights {
		t.Error("the interval begins afresh at each weight, of which there are many")
	}

	r = ramping(counters("errors"))
	r.Spec.Strategy.Canary.Ramp = &v1alpha1.Ramp{From: 5, To: 50, BudgetPermille: 10, MaxDuration: lasting(time.Hour)}
	r.Status.Progress = &v1alpha1.Progress{Stage: v1alpha1.StageResting, Ramp: []int32{50, 100, 130}}
	c := seen(t, parts(t, r), r).Config
	want = []plan.Step{{Permille: 50, Bake: half}, {Permille: 100, Bake: half}, {Permille: 130, Bake: half}, {Permille: 1000, Bake: half, Appended: true}}
	if *c.Ramp != (plan.Ramp{From: 50, To: 500, Budget: 0.01, Max: time.Hour}) || !slices.Equal(c.Ladder, want) {
		t.Errorf("as it was said: %+v, %+v", c.Ramp, c.Ladder)
	}

	steps := rollout(func(r *v1alpha1.Rollout) {
		r.Spec.Analysis = &v1alpha1.Analysis{Metrics: []v1alpha1.Metric{counters("errors")}}
	})
	if s := seen(t, parts(t, steps), steps); s.Config.Ramp != nil || s.Plans[0].Comparison.Params.IntervalSpansWeights {
		t.Error("the intervals of steps go through all of them")
	}
}

// tapes has one source of queries for everybody, and of raw samples as it was told.
type tapes struct {
	reader analysis.Reader
	err    error
}

type queries struct{ analysis.Provider }

type raw struct{ analysis.Reader }

func (tapes) Get(string, string) (analysis.Provider, error)    { return queries{}, nil }
func (s tapes) Reader(string, string) (analysis.Reader, error) { return s.reader, s.err }

func TestReaderOfSamples(t *testing.T) {
	r := ramping(counters("errors"))
	o := parts(t, r)
	o.Providers = tapes{reader: raw{}}
	if s := seen(t, o, r); s.Reader != (raw{}) || s.Provider == nil || len(s.Problems) > 0 {
		t.Errorf("reader %v, problems %+v", s.Reader, s.Problems)
	}
	o.Providers = tapes{err: errors.New("it is not\na Prometheus")}
	want := plan.Problem{Reason: "UnknownProvider", Message: "spec.analysis.provider: it is not; a Prometheus"}
	if s := seen(t, o, r); !slices.Contains(s.Problems, want) {
		t.Errorf("problems %+v", s.Problems)
	}
}

// What was measured last is there until the attempt is over: its history says what it cost. Before the hand-over it is not
// taken for a measurement.
func TestLastWordsOfAnAttempt(t *testing.T) {
	last := []v1alpha1.MetricStatus{{Name: "errors", Verdict: v1alpha1.VerdictPass, Comparison: &v1alpha1.ComparisonStatus{Cost: "3 requests"}}}
	for stage, want := range map[v1alpha1.Stage]int{
		v1alpha1.StageResting: 0, v1alpha1.StagePinning: 0, v1alpha1.StageStepping: 0, v1alpha1.StageUnpinning: 0,
		v1alpha1.StageHandingOver: 1, v1alpha1.StageCompleting: 1, v1alpha1.StageClearing: 1, v1alpha1.StageAborting: 0, v1alpha1.StageHeld: 0,
	} {
		r := ramping(counters("errors"))
		r.Status.Progress = &v1alpha1.Progress{Stage: stage, Attempt: 3, Step: 2}
		r.Status.Metrics = last
		s := seen(t, parts(t, r), r)
		if len(s.Metrics) != want || want > 0 && s.Metrics[0].Comparison.Cost != "3 requests" {
			t.Errorf("in stage %s: %+v", stage, s.Metrics)
		}
	}
	r := ramping(counters("errors"))
	r.Status.Progress, r.Status.Metrics = &v1alpha1.Progress{Stage: v1alpha1.StageUnpinning, Attempt: 3, Step: 2}, last
	o := parts(t, r)
	o.Measured = func(types.NamespacedName) (measure.State, bool) {
		return measure.State{Attempt: 3, Step: 2, Metrics: []v1alpha1.MetricStatus{{Name: "now"}}}, true
	}
	if s := seen(t, o, r); len(s.Metrics) != 1 || s.Metrics[0].Name != "now" {
		t.Errorf("what is measured now does not count: %+v", s.Metrics)
	}
}

// A comparison that fails while the next step gets its pods is heard; nothing else of the step before is.
func TestFailsBetweenSteps(t *testing.T) {
	failed := v1alpha1.MetricStatus{Name: "errors", Verdict: v1alpha1.VerdictFail, Step: 1, Comparison: &v1alpha1.ComparisonStatus{}}
	passed, threshold := failed, failed
	passed.Verdict, threshold.Comparison = v1alpha1.VerdictPass, nil
	r := ramping(counters("errors"))
	r.Status.Progress = &v1alpha1.Progress{Stage: v1alpha1.StageStepping, Attempt: 3, Step: 2}
	for attempt, want := range map[int64]int{3: 1, 2: 0} {
		o := parts(t, r)
		o.Measured = func(types.NamespacedName) (measure.State, bool) {
			return measure.State{Attempt: attempt, Step: 1, Metrics: []v1alpha1.MetricStatus{passed, failed, threshold}}, true
		}
		s := seen(t, o, r)
		if len(s.Metrics) != want || want > 0 && (s.Metrics[0].Verdict != v1alpha1.VerdictFail || s.Metrics[0].Comparison == nil) || s.Measurement.Step != 0 {
			t.Errorf("of attempt %d: %+v, %+v", attempt, s.Metrics, s.Measurement)
		}
	}
}
