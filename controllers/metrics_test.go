package controllers

import (
	"maps"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/plan"
)

// figures gives the value of every series (of a histogram its count), by name and label values.
func figures(t *testing.T, g prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			switch f.GetType() {
			case dto.MetricType_COUNTER:
				out[name] = m.GetCounter().GetValue()
			case dto.MetricType_GAUGE:
				out[name] = m.GetGauge().GetValue()
			default:
				out[name] = float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return out
}

func TestFigures(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	clock := clocktesting.NewFakePassiveClock(begins)
	m := NewMetrics(registry, clock)
	quiet := figures(t, registry)
	expect := func(when string, want map[string]float64) {
		t.Helper()
		all := maps.Clone(quiet)
		maps.Copy(all, want)
		if got := figures(t, registry); !maps.Equal(got, all) {
			t.Errorf("%s\n%v\nwant\n%v", when, got, all)
		}
	}
	s := shifting()
	s.Namespace = "web"
	s.Rollout.Status.Phase = v1alpha1.PhasePaused

	m.acted(s, plan.Plan{Phase: v1alpha1.PhaseProgressing})
	expect("in flight", map[string]float64{
		"belay_rollout_info web Progressing shop": 1, "belay_rollout_weight web canary shop": 0.1, "belay_rollout_weight web stable shop": 0.9,
	})

	m.recorded(s, plan.Plan{Progress: &v1alpha1.Progress{}})
	expect("a refused request changes no phase", map[string]float64{
		"belay_rollout_info web Paused shop": 1, "belay_rollout_weight web canary shop": 0.1, "belay_rollout_weight web stable shop": 0.9,
	})

	s.Progress.Ending = &v1alpha1.Ending{At: metav1.NewMicroTime(begins.Add(-time.Second))}
	m.acted(s, plan.Plan{Phase: v1alpha1.PhaseAborted, Breach: begins.Add(-time.Second)})
	s.Progress.Revert = &v1alpha1.RevertRecord{State: v1alpha1.RevertPlanned}
	ended := &v1alpha1.AttemptRecord{Outcome: v1alpha1.OutcomeFailed, StartedAt: &metav1.Time{Time: begins}}
	pushed := &v1alpha1.Progress{Revert: &v1alpha1.RevertRecord{State: v1alpha1.RevertPushed}}
	m.recorded(s, plan.Plan{Phase: v1alpha1.PhaseHeld, Progress: pushed, Ended: ended})
	s.Progress.Revert = pushed.Revert
	m.recorded(s, plan.Plan{Phase: v1alpha1.PhaseHeld, Progress: pushed})
	m.Measured("Pass")
	m.Queried(time.Second)
	m.violation("I2")
	bad := map[string]float64{
		"belay_rollout_info web Held shop": 1, "belay_rollout_weight web canary shop": 0.1, "belay_rollout_weight web stable shop": 0.9,
		"belay_breach_to_traffic_seconds": 1, "belay_breach_to_commit_seconds": 1, "belay_reverts_total Pushed": 1,
		"belay_attempts_total web Failed shop": 1, "belay_attempt_duration_seconds Failed": 1,
		"belay_measurements_total Pass": 1, "belay_query_duration_seconds": 1, "belay_invariant_violations_total I2": 1,
	}
	expect("after a failure", bad)

	s.Progress.Revert = nil
	for _, state := range []v1alpha1.RevertState{v1alpha1.RevertWanted, v1alpha1.RevertPlanned} {
		m.recorded(s, plan.Plan{Phase: v1alpha1.PhaseHeld, Progress: &v1alpha1.Progress{Revert: &v1alpha1.RevertRecord{State: state}}})
	}
	expect("a revert that goes on is none yet", bad)

	m.recorded(s, plan.Plan{Phase: v1alpha1.PhaseHeld, Progress: &v1alpha1.Progress{}, Ended: &v1alpha1.AttemptRecord{Outcome: v1alpha1.OutcomeBypassed}})
	bad["belay_attempts_total web Bypassed shop"] = 1
	expect("what was let through has no duration", bad)

	m.forget(types.NamespacedName{Namespace: "web", Name: "shop"})
	for _, gone := range []string{
		"belay_rollout_info web Held shop", "belay_rollout_weight web canary shop", "belay_rollout_weight web stable shop",
		"belay_attempts_total web Failed shop", "belay_attempts_total web Bypassed shop",
	} {
		delete(bad, gone)
	}
	expect("the series of a Rollout go with it", bad)
}
