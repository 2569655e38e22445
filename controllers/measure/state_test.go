package measure

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
)

func TestRestore(t *testing.T) {
	at := func(s int) *metav1.Time { return &metav1.Time{Time: start.Add(seconds(s))} }
	status := func(change ...func(*v1alpha1.MetricStatus)) v1alpha1.MetricStatus {
		m := v1alpha1.MetricStatus{
			Name: "errors", Verdict: v1alpha1.VerdictPass, Value: "0.001", Step: 1, MeasuredAt: at(20),
			Counts: v1alpha1.MeasurementCounts{Success: 3, ConsecutiveSuccess: 3},
		}
		for _, c := range change {
			c(&m)
		}
		return m
	}
	tests := map[string]struct {
		old     v1alpha1.MetricStatus
		verdict v1alpha1.Verdict
		count   int32 // successes that are known before anything is measured
		first   int   // second at which the next measurement is made; the controller is back at 25
	}{
		"this step continues": {status(), v1alpha1.VerdictPass, 3, 30},
		"a tick was missed":   {status(func(m *v1alpha1.MetricStatus) { m.MeasuredAt = at(10) }), v1alpha1.VerdictPass, 3, 25},
		"another step":        {status(func(m *v1alpha1.MetricStatus) { m.Step = 2 }), v1alpha1.VerdictPending, 0, 25},
		"another metric":      {status(func(m *v1alpha1.MetricStatus) { m.Name = "other" }), v1alpha1.VerdictPending, 0, 25},
		"another attempt":     {status(func(m *v1alpha1.MetricStatus) { m.MeasuredAt = at(-1) }), v1alpha1.VerdictPending, 0, 25},
		"never measured":      {status(func(m *v1alpha1.MetricStatus) { m.MeasuredAt = nil }), v1alpha1.VerdictPending, 0, 25},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.clock.Step(seconds(25))
			b.run()
			job := b.job(1, metric("errors"))
			job.Restored = []v1alpha1.MetricStatus{tc.old}
			b.runner.Ensure(shop, job)
			state, _ := b.runner.Snapshot(shop)
			if state.Verdict != tc.verdict || state.Metrics[0].Counts.Success != tc.count {
				t.Errorf("restored %+v", state)
			}
			if tc.first > 25 {
				b.quiet(1)
				b.advance(seconds(tc.first-25), 1)
			}
			state = b.measure(seconds(tc.first), 0)
			if got := state.Metrics[0].Counts.Success; got != tc.count+1 {
				t.Errorf("%d successes, want %d", got, tc.count+1)
			}
		})
	}
}

func TestAFailIsNotForgottenByARestart(t *testing.T) {
	b := newBench(t)
	b.clock.Step(seconds(30))
	b.run()
	job := b.job(1, metric("errors"))
	job.Restored = []v1alpha1.MetricStatus{{
		Name: "errors", Verdict: v1alpha1.VerdictFail, Value: "0.2", Message: "1 failed measurement", Step: 1,
		MeasuredAt: &metav1.Time{Time: start.Add(seconds(10))}, Counts: v1alpha1.MeasurementCounts{Failure: 1},
	}}
	b.runner.Ensure(shop, job)
	state, _ := b.runner.Snapshot(shop)
	b.expect(state, v1alpha1.VerdictFail, "errors: 1 failed measurement")
	b.quiet(1)
}

func TestWholeSecondsAreRestoredWithoutASecondMeasurement(t *testing.T) {
	b := newBench(t)
	b.clock.Step(seconds(22))
	b.run()
	job := b.job(1, metric("errors"))
	job.Since = start.Add(300 * 1e6) // measured at 20.3 s, stored as 20 s
	job.Restored = []v1alpha1.MetricStatus{{
		Name: "errors", Verdict: v1alpha1.VerdictPass, Step: 1,
		MeasuredAt: &metav1.Time{Time: start.Add(seconds(20))}, Counts: v1alpha1.MeasurementCounts{Success: 3},
	}}
	b.runner.Ensure(shop, job)
	b.quiet(1)
}

func TestDryRunIsMeasuredAndDoesNotCount(t *testing.T) {
	b := newBench(t)
	b.run()
	b.runner.Ensure(shop, b.job(1, metric("errors", func(m *v1alpha1.Metric) { m.DryRun = true })))
	state := b.measure(0, 0.9)
	b.expect(state, v1alpha1.VerdictPass, "")
	if m := state.Metrics[0]; !m.DryRun || m.Verdict != v1alpha1.VerdictFail || m.Value != "0.9" {
		t.Errorf("metric %+v", m)
	}
}

func TestMisconfiguredHoldsAndSaysWhy(t *testing.T) {
	b := newBench(t)
	b.run()
	b.runner.Ensure(shop, b.job(1, metric("errors")))
	b.next(0).reply <- reply{result: analysis.Result{Series: []analysis.Series{{Value: 0}, {Value: 0}}}}
	state := b.wake(shop)
	const want = `metric "errors": the query returns 2 series where the condition expects one: aggregate it, as in sum(...), or write the condition for a list, as in result.all(x, x < 0.01)`
	if state.Verdict != v1alpha1.VerdictPending || state.Misconfigured != want {
		t.Errorf("%s, misconfigured %q", state.Verdict, state.Misconfigured)
	}
	b.advance(seconds(10), 1)
	if state = b.measure(seconds(10), 0); state.Misconfigured != "" || state.Verdict != v1alpha1.VerdictPass {
		t.Errorf("mended and still %+v", state)
	}
}

func TestAVariableThatBreaksTheQueryIsNotSent(t *testing.T) {
	b := newBench(t)
	b.run()
	job := b.job(1, metric("errors", func(m *v1alpha1.Metric) { m.Prometheus.Query = `sum({{ .Name }})` }))
	job.Vars.Name = "not-a-name"
	b.runner.Ensure(shop, job)
	state := b.wake(shop)
	if state.Misconfigured == "" || state.Verdict != v1alpha1.VerdictPending || len(b.source.asked) != 0 {
		t.Errorf("state %+v, %d queries", state, len(b.source.asked))
	}
}

func TestWindowsThatReachBackAreWarnedOf(t *testing.T) {
	b := newBench(t)
	b.run()
	b.runner.Ensure(shop, b.job(1, metric("errors", func(m *v1alpha1.Metric) { m.Prometheus.Query = `rate(x[15s])` })))
	if state := b.measure(0, 0); len(state.Warnings) != 1 {
		t.Errorf("warnings %q, want one", state.Warnings)
	}
	b.advance(seconds(10), 1)
	if state := b.measure(seconds(10), 0); len(state.Warnings) != 1 {
		t.Errorf("warnings %q, want one", state.Warnings)
	}
	b.advance(seconds(10), 1)
	if state := b.measure(seconds(20), 0); len(state.Warnings) != 0 {
		t.Errorf("warnings %q, want none: the window lies in the step", state.Warnings)
	}
}

func TestPersistentAbsenceIsInconclusive(t *testing.T) {
	b := newBench(t)
	b.run()
	b.runner.Ensure(shop, b.job(1, metric("errors")))
	var state State
	for i := range 5 {
		if i > 0 {
			b.advance(seconds(10), 1)
		}
		b.next(seconds(10 * i)).reply <- reply{err: &analysis.Error{Kind: analysis.Transient, Text: "did not answer in time"}}
		state = b.wake(shop)
	}
	b.expect(state, v1alpha1.VerdictInconclusive, "errors: no data 5 times in a row, consecutiveErrorLimit is 4; last: did not answer in time")
	b.advance(seconds(10), 1)
	b.expect(b.measure(seconds(50), 0), v1alpha1.VerdictPass, "")
}
