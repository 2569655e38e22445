package observe

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/plan"
)

func lasting(d time.Duration) *metav1.Duration { return &metav1.Duration{Duration: d} }

func number(n int32) *int32 { return &n }

func TestLadder(t *testing.T) {
	percent, count, odd := intstr.FromString("30%"), intstr.FromInt32(3), intstr.FromString("a third")
	step := func(weight int32, bake time.Duration) v1alpha1.Step {
		return v1alpha1.Step{Weight: number(weight), Bake: lasting(bake)}
	}
	appended := plan.Step{Permille: 1000, Appended: true}
	tests := map[string]struct {
		canary *v1alpha1.Canary
		want   []plan.Step
	}{
		"none": {nil, nil},
		"percent": {
			&v1alpha1.Canary{Steps: []v1alpha1.Step{step(5, time.Minute), step(100, time.Hour)}},
			[]plan.Step{{Permille: 50, Bake: time.Minute}, {Permille: 1000, Bake: time.Hour}},
		},
		"one that ends lower gets its end": {
			&v1alpha1.Canary{Steps: []v1alpha1.Step{step(50, time.Minute)}},
			[]plan.Step{{Permille: 500, Bake: time.Minute}, appended},
		},
		"no step": {&v1alpha1.Canary{}, []plan.Step{appended}},
		"per mille": {
			&v1alpha1.Canary{Steps: []v1alpha1.Step{{WeightPermille: number(3)}}},
			[]plan.Step{{Permille: 3}, appended},
		},
		"a person's step keeps the share": {
			&v1alpha1.Canary{Steps: []v1alpha1.Step{step(25, 0), {Approve: &v1alpha1.Approve{Timeout: lasting(time.Hour), OnTimeout: v1alpha1.TimeoutContinue}}}},
			[]plan.Step{{Permille: 250}, {Permille: 250, Approve: true, Timeout: time.Hour, OnTimeout: v1alpha1.TimeoutContinue}, appended},
		},
		"a person at 100 % is not the end": {
			&v1alpha1.Canary{Steps: []v1alpha1.Step{step(100, 0), {Approve: &v1alpha1.Approve{}}}},
			[]plan.Step{{Permille: 1000}, {Permille: 1000, Approve: true, Timeout: 24 * time.Hour}, appended},
		},
		"sizes": {
			&v1alpha1.Canary{Steps: []v1alpha1.Step{
				{Weight: number(10), Replicas: &count}, {Weight: number(20), Replicas: &percent}, {Weight: number(100), Replicas: &odd},
			}},
			[]plan.Step{{Permille: 100, Replicas: 3}, {Permille: 200, Percent: 30}, {Permille: 1000}},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := ladder(tc.canary); !slices.Equal(got, tc.want) {
				t.Errorf("ladder\n%+v\nwant\n%+v", got, tc.want)
			}
		})
	}
}

func TestConfigure(t *testing.T) {
	spec := func(change func(*v1alpha1.RolloutSpec)) Snapshot {
		s := Snapshot{Spec: v1alpha1.RolloutSpec{
			Services: []v1alpha1.ServiceReference{{Name: "checkout"}},
			Strategy: v1alpha1.Strategy{Canary: &v1alpha1.Canary{Steps: []v1alpha1.Step{{Weight: number(50)}}}},
		}}
		if change != nil {
			change(&s.Spec)
		}
		return s
	}
	plain := configure(spec(nil), nil, nil)
	if plain.Service != "checkout" || plain.Settle != 3*time.Second || plain.Progress != 10*time.Minute || plain.Scale != 100 ||
		plain.OnInconclusive != v1alpha1.InconclusivePause || plain.Measuring || plain.Gating || len(plain.Ladder) != 2 {
		t.Errorf("with nothing said: %+v", plain)
	}
	said := configure(spec(func(s *v1alpha1.RolloutSpec) {
		s.ProgressDeadline = lasting(time.Minute)
		s.Strategy.Canary.Settle = lasting(0)
		s.Strategy.Canary.Steps[0] = v1alpha1.Step{WeightPermille: number(5)}
		s.Analysis = &v1alpha1.Analysis{StartAt: 2, StepDeadline: lasting(time.Hour), OnInconclusive: v1alpha1.InconclusiveAbort}
	}), nil, nil)
	if said.Settle != 0 || said.Progress != time.Minute || said.Scale != 1000 || said.StartAt != 2 || said.StepDeadline != time.Hour ||
		said.OnInconclusive != v1alpha1.InconclusiveAbort {
		t.Errorf("as it was said: %+v", said)
	}
	if got := configure(Snapshot{}, nil, nil); got.Service != "" || got.Ladder != nil {
		t.Errorf("of nothing: %+v", got)
	}
	metrics := map[string]struct {
		metrics           []v1alpha1.Metric
		measuring, gating bool
	}{
		"none":      {nil, false, false},
		"dry run":   {[]v1alpha1.Metric{{Name: "a", DryRun: true}}, true, false},
		"one gates": {[]v1alpha1.Metric{{Name: "a", DryRun: true}, {Name: "b"}}, true, true},
	}
	for name, tc := range metrics {
		t.Run(name, func(t *testing.T) {
			s := spec(func(s *v1alpha1.RolloutSpec) { s.Analysis = &v1alpha1.Analysis{} })
			s.Metrics = tc.metrics
			c := configure(s, []analysis.Plan{{Interval: 10 * time.Second, InitialDelay: 5 * time.Second}, {Interval: 2 * time.Second}}, nil)
			if c.Measuring != tc.measuring || c.Gating != tc.gating {
				t.Errorf("measuring %t, gating %t", c.Measuring, c.Gating)
			}
			if c.StartAt != 1 || c.FourMeasurements != 45*time.Second {
				t.Errorf("starts at %d, four measurements take %s", c.StartAt, c.FourMeasurements)
			}
		})
	}
}
