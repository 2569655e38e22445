package controllers

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// compared is a status in which a comparison was measured at a moment, as the API server has stored it.
func compared(t *testing.T, at time.Time, change ...func(*v1alpha1.MetricStatus)) *v1alpha1.RolloutStatus {
	t.Helper()
	m := v1alpha1.MetricStatus{
		Name: "errors", Verdict: v1alpha1.VerdictPending, Value: "0.3 % against 0.3 %", Message: "canary 3/1,000", Step: 2, Limit: "1.1 × stable",
		MeasuredAt: &metav1.Time{Time: at.Truncate(time.Second)}, Query: "requests",
		Comparison: &v1alpha1.ComparisonStatus{
			Since: metav1.Time{Time: begins.Truncate(time.Second)}, TickSeconds: 10, Ticks: 3, CanaryRequests: 1000, CanaryBad: 3, LogE: "-0.1", Upper: "0.01",
		},
	}
	for _, c := range change {
		c(&m)
	}
	return stored(t, &v1alpha1.RolloutStatus{Phase: v1alpha1.PhaseProgressing, Metrics: []v1alpha1.MetricStatus{m}})
}

// The numbers of a comparison change at every tick. They are written once a minute, and with whatever is news; a verdict is.
func TestNumbersOfComparisonsWait(t *testing.T) {
	tick := func(m *v1alpha1.MetricStatus) {
		m.Comparison.Ticks, m.Comparison.CanaryRequests, m.Comparison.LogE, m.Comparison.Upper = 4, 1400, "-0.2", "0.009"
		m.Message, m.Value, m.Counts.ConsecutiveNoData = "canary 4/1,400", "0.29 % against 0.3 %", 1
	}
	begin := func(m *v1alpha1.MetricStatus) { m.Comparison = nil }
	verdict := func(v v1alpha1.Verdict) func(*v1alpha1.MetricStatus) {
		return func(m *v1alpha1.MetricStatus) { m.Verdict = v }
	}
	for name, tc := range map[string]struct {
		old    func(*v1alpha1.MetricStatus)
		change func(*v1alpha1.MetricStatus)
		after  time.Duration
		want   bool
	}{
		"nothing":             {tick, tick, 2 * time.Minute, false},
		"the next tick":       {nil, tick, 10 * time.Second, false},
		"the first tick":      {begin, tick, 10 * time.Second, false},
		"a minute later":      {nil, tick, time.Minute, true},
		"a Pass":              {nil, verdict(v1alpha1.VerdictPass), 10 * time.Second, true},
		"a Fail":              {nil, verdict(v1alpha1.VerdictFail), 10 * time.Second, true},
		"a Pass that is gone": {verdict(v1alpha1.VerdictPass), verdict(v1alpha1.VerdictPending), 10 * time.Second, true},
		"it was never measured there": {func(m *v1alpha1.MetricStatus) {
			*m = v1alpha1.MetricStatus{Name: "errors", Verdict: m.Verdict, Step: 2, Limit: m.Limit}
		}, tick, 10 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			old := compared(t, begins)
			if tc.old != nil {
				old = compared(t, begins, tc.old)
			}
			next := compared(t, begins.Add(tc.after), tc.change)
			if name == "nothing" {
				next = compared(t, begins, tc.change)
			}
			if got := news(old, next, begins.Add(tc.after)); got != tc.want {
				t.Errorf("written: %t, want %t", got, tc.want)
			}
		})
	}
}
