package observe

import (
	"slices"
	"testing"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/plan"
)

// weighted is a canary of these steps.
func weighted(weights ...int32) *v1alpha1.Canary {
	c := &v1alpha1.Canary{}
	for i := range weights {
		c.Steps = append(c.Steps, v1alpha1.Step{Weight: &weights[i]})
	}
	return c
}

// Metrics that would never be measured let everything through.
func TestAnalysisBeyondTheLadder(t *testing.T) {
	gating, dry := v1alpha1.Metric{Name: "errors"}, v1alpha1.Metric{Name: "errors", DryRun: true}
	for name, tc := range map[string]struct {
		startAt int32
		steps   []int32
		metrics []v1alpha1.Metric
		want    string
	}{
		"at the first step":            {1, []int32{10, 50, 100}, []v1alpha1.Metric{gating}, ""},
		"at the last step":             {3, []int32{10, 50, 100}, []v1alpha1.Metric{gating}, ""},
		"at the step that is appended": {3, []int32{10, 50}, []v1alpha1.Metric{gating}, ""},
		"beyond the ladder": {5, []int32{10, 50, 100}, []v1alpha1.Metric{dry, gating},
			"spec.analysis.startAt is 5, the ladder has 3 steps: no metric would ever be measured; name a step of the ladder"},
		"only in dry run": {5, []int32{10, 50, 100}, []v1alpha1.Metric{dry}, ""},
		"no metrics":      {5, []int32{10, 50, 100}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			live := Snapshot{Metrics: tc.metrics}
			live.Spec.Strategy.Canary = weighted(tc.steps...)
			live.Spec.Analysis = &v1alpha1.Analysis{StartAt: tc.startAt}
			s := &Scene{}
			s.spec(live)
			var want []plan.Problem
			if tc.want != "" {
				want = []plan.Problem{{Reason: "AnalysisNeverRuns", Message: tc.want}}
			}
			if !slices.Equal(s.Problems, want) {
				t.Errorf("problems are %v, want %v", s.Problems, want)
			}
		})
	}
}
