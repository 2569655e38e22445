package plan

import (
	"fmt"
	"slices"
	"testing"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// A status with more lines than the schema allows is refused, and with it the abort. What failed is always among them.
func TestEvidenceIsBounded(t *testing.T) {
	o := baking(2, 0)
	o.Metrics = nil
	for i := range 60 {
		m := v1alpha1.MetricStatus{Name: fmt.Sprintf("m%d", i), Value: "1", Limit: "< 2", Verdict: v1alpha1.VerdictPass, Step: 2}
		switch i {
		case 10:
			m.Verdict, m.DryRun = v1alpha1.VerdictFail, true
		case 50, 55:
			m.Verdict = v1alpha1.VerdictFail
		}
		o.Metrics = append(o.Metrics, m)
	}
	o.Metrics = append(o.Metrics, v1alpha1.MetricStatus{Name: "old", Verdict: v1alpha1.VerdictFail, Step: 1})

	p := Decide(o)

	if p.Progress == nil || p.Progress.Ending == nil {
		t.Fatalf("the attempt goes on: %+v", p)
	}
	lines := p.Progress.Ending.Evidence
	want := []string{"m50\t1\t< 2\tFail", "m55\t1\t< 2\tFail", "m0\t1\t< 2\tPass"}
	if len(lines) != 40 || !slices.Equal(lines[:3], want) {
		t.Errorf("%d lines, the first %q; want 40, and %q", len(lines), lines[:3], want)
	}
}

func TestPodsAsEvidenceAreBounded(t *testing.T) {
	o := baking(2, 0)
	o.Pods = make([]string, 60)
	if p := o.end(v1alpha1.OutcomeFailed, "pods", o.Pods...); len(p.Progress.Ending.Evidence) != 40 {
		t.Errorf("%d lines of evidence, want 40", len(p.Progress.Ending.Evidence))
	}
}
