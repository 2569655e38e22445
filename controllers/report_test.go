package controllers

import (
	"encoding/json"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/measure"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/workloads"
)

// begins is a moment between two seconds, of which the API server keeps one.
var begins = time.Date(2026, 3, 1, 12, 0, 0, 123_456_789, time.UTC)

// shifting is an attempt whose first step has its pods, and its weight on the route, but no clock yet.
func shifting() *observe.Scene {
	split := routers.Split{Fence: routers.Fence{Attempt: 1, Sequence: 4}, Service: "shop", Canary: "shop-canary", Weight: 10, Scale: 100}
	since := metav1.NewMicroTime(begins.Add(-time.Second))
	stable := workloads.Revision{Name: "shop-1", Hash: "1", Exists: true, Owned: true, Replicas: 4, Present: 4, Ready: 4}
	canary := workloads.Revision{Name: "shop-2", Hash: "2", Exists: true, Ours: true, Current: true, Replicas: 1, Present: 1, Ready: 1}
	return &observe.Scene{
		Rollout: &v1alpha1.Rollout{},
		Plans:   []analysis.Plan{{Metric: v1alpha1.Metric{Name: "errors"}}},
		Observed: plan.Observed{
			Now: begins, Name: "shop", Finalizer: true, WorkloadName: "Deployment shop",
			Config: plan.Config{
				Service: "shop", Settle: time.Second, Progress: time.Minute, StartAt: 1, Gating: true, Measuring: true, Scale: 100,
				Ladder: []plan.Step{{Permille: 100, Bake: 5 * time.Second}, {Permille: 1000, Bake: time.Second}},
			},
			Progress: v1alpha1.Progress{
				Version: v1alpha1.ProgressVersion, Sequence: 5, Attempt: 1, Stage: v1alpha1.StageStepping, StageSince: since,
				StartedAt: &since, Step: 1, StepSince: &since, WaitSince: &since, WeightPermille: 100, Replicas: 4, CanaryService: "shop-canary",
				Stable: &v1alpha1.RevisionRecord{Revision: "1", ReplicaSet: "shop-1"},
				Canary: &v1alpha1.RevisionRecord{Revision: "2", ReplicaSet: "shop-2", Source: "c2"},
			},
			Workload: workloads.State{
				Found: true, Held: true, Replicas: 4, Governor: "shop", Revisions: []workloads.Revision{stable, canary}, Candidate: canary,
			},
			Services: []routers.ServiceState{{Name: "shop", Ready: map[string]int32{"1": 4}, Pinned: true, Pin: &routers.Pin{Value: "1"}}},
			Canary:   routers.CanaryServiceState{Found: true, Current: true, Revision: "2", Ready: 1},
			Routes:   []routers.State{{Found: true, Names: true, Divided: true, Programmed: true, Intent: &split}},
			Attempt:  plan.AttemptState{Found: true},
			Guarded:  plan.Proof{Known: true, Holds: true},
		},
	}
}

// stored is a status as it comes back from the API server.
func stored(t *testing.T, st *v1alpha1.RolloutStatus) *v1alpha1.RolloutStatus {
	t.Helper()
	text, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	var back v1alpha1.RolloutStatus
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	return &back
}

// The record that starts a step's clock says all that is to be said until something is measured: the rounds that follow
// have nothing to write.
func TestBakeIsWrittenOnce(t *testing.T) {
	s := shifting()
	var st v1alpha1.RolloutStatus
	st.Metrics = measure.Pending(s.Plans, 1)
	recorded := plan.Decide(s.Observed)
	if recorded.Progress == nil || recorded.Progress.ProgrammedSince == nil {
		t.Fatalf("the clock was not started: %+v", recorded)
	}
	write(&st, s, recorded)
	old := stored(t, &st)

	for _, after := range []time.Duration{10 * time.Millisecond, 1100 * time.Millisecond, 3 * time.Second} {
		s.Progress, s.Now = *old.Progress, begins.Add(after)
		s.Metrics = measure.Pending(s.Plans, 1)
		waits := plan.Decide(s.Observed)
		if waits.Progress != nil || waits.Waiting == nil {
			t.Fatalf("after %s it does not wait: %+v", after, waits)
		}
		next := old.DeepCopy()
		write(next, s, waits)
		if news(old, next, s.Now) {
			t.Errorf("after %s the status is written again:\n%+v\nis\n%+v", after, old, next)
		}
	}
}

// What was measured in one step is no word about the next: its entry says so by itself.
func TestStepBeginsUnmeasured(t *testing.T) {
	s := shifting()
	s.Metrics = measure.Pending(s.Plans, 1)
	s.Metrics[0].Verdict = v1alpha1.VerdictPass
	s.Progress.ProgrammedSince = &metav1.MicroTime{Time: begins}
	s.Now = begins.Add(7 * time.Second)
	var st v1alpha1.RolloutStatus

	p := plan.Decide(s.Observed)
	write(&st, s, p)

	if p.Progress == nil || p.Progress.Step != 2 || len(st.Metrics) != 1 || st.Metrics[0].Step != 2 || st.Metrics[0].Verdict != v1alpha1.VerdictPending {
		t.Errorf("%s: the metrics are %+v", p.Reason, st.Metrics)
	}
}

func TestHard(t *testing.T) {
	status := func(reason string, is metav1.ConditionStatus, kind string) *v1alpha1.RolloutStatus {
		return &v1alpha1.RolloutStatus{
			Phase: v1alpha1.PhaseProgressing, Message: reason,
			Conditions: []metav1.Condition{{Type: kind, Status: is, Reason: reason, Message: reason}},
		}
	}
	const yes, no = metav1.ConditionTrue, metav1.ConditionFalse
	for name, tc := range map[string]struct {
		old, next *v1alpha1.RolloutStatus
		want      bool
	}{
		"nothing":                          {status("A", yes, "Guarded"), status("A", yes, "Guarded"), false},
		"the status of a condition":        {status("A", yes, "Guarded"), status("A", no, "Guarded"), true},
		"why a condition is False":         {status("A", no, "Guarded"), status("B", no, "Guarded"), true},
		"why a condition is True":          {status("A", yes, "AnalysisHealthy"), status("B", yes, "AnalysisHealthy"), false},
		"traffic is on its way":            {status("A", yes, "TrafficReady"), status("B", no, "TrafficReady"), false},
		"a condition that was not there":   {&v1alpha1.RolloutStatus{Phase: v1alpha1.PhaseProgressing}, status("A", yes, "Guarded"), true},
		"another condition instead of one": {status("A", yes, "Guarded"), status("A", yes, "Ready"), true},
		"a phase":                          {&v1alpha1.RolloutStatus{Phase: v1alpha1.PhasePaused}, &v1alpha1.RolloutStatus{Phase: v1alpha1.PhaseProgressing}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := hard(tc.old, tc.next); got != tc.want {
				t.Errorf("got %t, want %t", got, tc.want)
			}
		})
	}
}

// The warning that a query looks back to before its step is no word about the next one.
func TestWarningEndsWithItsStep(t *testing.T) {
	s := shifting()
	s.Metrics = measure.Pending(s.Plans, 1)
	s.Metrics[0].Verdict = v1alpha1.VerdictPass
	s.Effective.Metrics = []v1alpha1.Metric{s.Plans[0].Metric}
	s.Measurement = measure.State{Attempt: 1, Step: 1, Warnings: []string{"looks back"}}
	s.Progress.ProgrammedSince = &metav1.MicroTime{Time: begins}
	for after, want := range map[time.Duration]string{3 * time.Second: "Warning", 7 * time.Second: "Measurable"} {
		s.Now = begins.Add(after)
		var st v1alpha1.RolloutStatus
		write(&st, s, plan.Decide(s.Observed))
		if c := meta.FindStatusCondition(st.Conditions, v1alpha1.ConditionAnalysisHealthy); c.Reason != want {
			t.Errorf("after %s: %s, want %s", after, c.Reason, want)
		}
	}
}
