package controllers

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/measure"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
)

// condition is "Status Reason" of a type, after a plan was written.
func condition(t *testing.T, st *v1alpha1.RolloutStatus, kind string) string {
	t.Helper()
	c := meta.FindStatusCondition(st.Conditions, kind)
	if c == nil {
		t.Fatalf("there is no condition %s in %+v", kind, st.Conditions)
	}
	if c.Message == "" {
		t.Errorf("%s says nothing", kind)
	}
	return string(c.Status) + " " + c.Reason
}

func TestReadiness(t *testing.T) {
	ended := func(outcome v1alpha1.Outcome) *v1alpha1.Ending {
		return &v1alpha1.Ending{Outcome: outcome, Reason: "error-rate is 0.2"}
	}
	tests := map[string]struct {
		phase                      v1alpha1.Phase
		stage                      v1alpha1.Stage
		ending                     *v1alpha1.Ending
		stalled                    *plan.Problem
		ready, reconciling, stalls string
	}{
		"healthy":                  {v1alpha1.PhaseHealthy, v1alpha1.StageResting, nil, nil, "True Healthy", "False Healthy", "False Healthy"},
		"healthy after a failure":  {v1alpha1.PhaseHealthy, v1alpha1.StageResting, ended(v1alpha1.OutcomeFailed), nil, "True Healthy", "False Healthy", "False Healthy"},
		"in flight":                {v1alpha1.PhaseProgressing, v1alpha1.StageStepping, nil, nil, "False Progressing", "True Progressing", "False Progressing"},
		"paused":                   {v1alpha1.PhasePaused, v1alpha1.StageStepping, nil, nil, "False Paused", "True Paused", "False Paused"},
		"inconclusive":             {v1alpha1.PhaseInconclusive, v1alpha1.StageStepping, nil, nil, "False Inconclusive", "False Inconclusive", "True Inconclusive"},
		"a person has to do it":    {v1alpha1.PhaseDegraded, v1alpha1.StageResting, nil, &plan.Problem{Reason: "ServiceMissing", Message: "make it"}, "False ServiceMissing", "False Degraded", "True ServiceMissing"},
		"failed is Failed at once": {v1alpha1.PhaseAborted, v1alpha1.StageAborting, ended(v1alpha1.OutcomeFailed), nil, "False AttemptFailed", "False Aborted", "True AttemptFailed"},
		"while Git follows":        {v1alpha1.PhaseReverting, v1alpha1.StageHeld, ended(v1alpha1.OutcomeAborted), nil, "False AttemptAborted", "False Reverting", "True AttemptAborted"},
		"superseded is no failure": {v1alpha1.PhaseAborted, v1alpha1.StageDraining, ended(v1alpha1.OutcomeSuperseded), nil, "False Aborted", "True Aborted", "False Aborted"},
		"nor is withdrawn":         {v1alpha1.PhaseAborted, v1alpha1.StageDraining, ended(v1alpha1.OutcomeWithdrawn), nil, "False Aborted", "True Aborted", "False Aborted"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := shifting()
			s.Progress.Stage, s.Progress.Ending = tc.stage, tc.ending
			var st v1alpha1.RolloutStatus
			write(&st, s, plan.Plan{Phase: tc.phase, Reason: "something goes on", Stalled: tc.stalled})
			if st.Phase != tc.phase || st.Message != "something goes on" {
				t.Errorf("phase %s, message %q", st.Phase, st.Message)
			}
			for kind, want := range map[string]string{v1alpha1.ConditionReady: tc.ready, v1alpha1.ConditionReconciling: tc.reconciling, v1alpha1.ConditionStalled: tc.stalls} {
				if got := condition(t, &st, kind); got != want {
					t.Errorf("%s is %s, want %s", kind, got, want)
				}
			}
		})
	}
}

func TestOtherConditions(t *testing.T) {
	silent := func(s *observe.Scene) { s.Routes[0].Programmed, s.Routes[0].Why = false, "Gateway edge is silent" }
	gone := func(s *observe.Scene) { s.Routes[0].Found, s.Routes[0].Programmed = false, false }
	declared := func(s *observe.Scene) { s.Effective.Metrics = []v1alpha1.Metric{{Name: "errors"}} }
	tests := map[string]struct {
		change func(*observe.Scene)
		kind   string
		want   string
	}{
		"proved":             {func(*observe.Scene) {}, v1alpha1.ConditionGuarded, "True Proved"},
		"not proved":         {func(s *observe.Scene) { s.Guarded = plan.Proof{} }, v1alpha1.ConditionGuarded, "Unknown NotProved"},
		"cannot be proved":   {func(s *observe.Scene) { s.Guarded = plan.Proof{Why: "the server is away"} }, v1alpha1.ConditionGuarded, "Unknown NotProved"},
		"not held":           {func(s *observe.Scene) { s.Guarded = plan.Proof{Known: true, Why: "policies are missing"} }, v1alpha1.ConditionGuarded, "False NotHeld"},
		"programmed":         {func(*observe.Scene) {}, v1alpha1.ConditionTrafficReady, "True Programmed"},
		"not programmed":     {silent, v1alpha1.ConditionTrafficReady, "False NotProgrammed"},
		"no route":           {gone, v1alpha1.ConditionTrafficReady, "True Programmed"},
		"routes at rest":     {func(s *observe.Scene) { s.Progress.Stage = v1alpha1.StageResting }, v1alpha1.ConditionTrafficReady, "True AtRest"},
		"no metrics":         {func(*observe.Scene) {}, v1alpha1.ConditionAnalysisHealthy, "True NoMetrics"},
		"measurable":         {declared, v1alpha1.ConditionAnalysisHealthy, "True Measurable"},
		"cannot be measured": {func(s *observe.Scene) { declared(s); s.Measurement = measure.State{Misconfigured: "several series"} }, v1alpha1.ConditionAnalysisHealthy, "False Misconfigured"},
		"measured, warned":   {func(s *observe.Scene) { declared(s); s.Measurement = measure.State{Warnings: []string{"looks back"}} }, v1alpha1.ConditionAnalysisHealthy, "True Warning"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := shifting()
			tc.change(s)
			var st v1alpha1.RolloutStatus
			write(&st, s, plan.Plan{Phase: v1alpha1.PhaseProgressing, Reason: "goes on"})
			if got := condition(t, &st, tc.kind); got != tc.want {
				t.Errorf("%s is %s, want %s", tc.kind, got, tc.want)
			}
		})
	}
}

func TestTrafficInStatus(t *testing.T) {
	split := func(weight int32) func(*observe.Scene) {
		return func(s *observe.Scene) { s.Routes[0].Intent.Weight = weight }
	}
	tests := map[string]struct {
		change       func(*observe.Scene)
		weight, step string
		steps        int
	}{
		"as wanted":  {func(*observe.Scene) {}, "10%", "1/2", 2},
		"on its way": {split(0), "0% → 10%", "1/2", 2},
		"no route":   {func(s *observe.Scene) { s.Routes = nil }, "10%", "1/2", 2},
		"before a step": {func(s *observe.Scene) {
			s.Progress.Stage, s.Progress.Step, s.Progress.WeightPermille = v1alpha1.StagePinning, 0, 100
		}, "10%", "", 2},
		"at rest": {func(s *observe.Scene) { s.Progress.Stage = v1alpha1.StageResting }, "", "", 0},
		"held":    {func(s *observe.Scene) { s.Progress.Stage = v1alpha1.StageHeld }, "", "", 0},
		"the lowest one": {func(s *observe.Scene) {
			second := s.Routes[0]
			second.Intent = nil
			s.Routes = append(s.Routes, second)
		}, "0% → 10%", "1/2", 2},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := shifting()
			tc.change(s)
			st := v1alpha1.RolloutStatus{Weight: "old", Step: "9/9", Steps: []string{"old"}}
			write(&st, s, plan.Plan{Phase: v1alpha1.PhaseProgressing, Reason: "goes on"})
			if st.Weight != tc.weight || st.Step != tc.step || len(st.Steps) != tc.steps {
				t.Errorf("weight %q, step %q, steps %q", st.Weight, st.Step, st.Steps)
			}
			if tc.steps > 0 && len(st.Routes) != len(s.Routes) {
				t.Errorf("routes %+v", st.Routes)
			}
		})
	}
	for step, want := range map[plan.Step]string{
		{Permille: 255, Bake: time.Minute}:                     "25.5% for 1m0s",
		{Permille: 1000, Appended: true}:                       "100% for 0s (appended)",
		{Approve: true, Timeout: time.Hour}:                    "approve within 1h0m0s",
		{Permille: 50, Approve: true, Timeout: 24 * time.Hour}: "approve within 24h0m0s",
	} {
		if got := stepLine(step); got != want {
			t.Errorf("%+v is shown as %q, want %q", step, got, want)
		}
	}
}

func TestStatusRemembers(t *testing.T) {
	s := shifting()
	var st v1alpha1.RolloutStatus
	for i := range int64(12) {
		s.Progress.Attempt = i
		write(&st, s, plan.Plan{Progress: &v1alpha1.Progress{Attempt: i}, Ended: &v1alpha1.AttemptRecord{Attempt: i, Outcome: v1alpha1.OutcomeFailed}})
	}
	if len(st.History) != 10 || st.History[0].Attempt != 11 || st.History[9].Attempt != 2 {
		t.Errorf("history %+v", st.History)
	}
	pushed := &v1alpha1.Progress{Attempt: 11, Revert: &v1alpha1.RevertRecord{State: v1alpha1.RevertPushed, Commit: "r1"}}
	write(&st, s, plan.Plan{Progress: pushed, Ack: &v1alpha1.RequestStatus{Token: "t1"}})
	if st.History[0].Commit != "r1" || st.History[1].Commit != "" || st.Progress != pushed || st.Request.Token != "t1" {
		t.Errorf("remembers %+v, request %+v", st.History[:2], st.Request)
	}
	s.Progress = *pushed
	write(&st, s, plan.Plan{})
	if st.Progress != pushed || st.Request == nil {
		t.Error("a round that records nothing forgot something")
	}
	s = shifting()
	write(&st, s, plan.Plan{})
	if st.Stable == nil || st.Stable.Replicas != 4 || st.Stable.Ready != 4 || st.Canary == nil || st.Canary.Service != "shop-canary" || st.Canary.SourceRevision != "c2" {
		t.Errorf("stable %+v, canary %+v", st.Stable, st.Canary)
	}
}

func TestNews(t *testing.T) {
	measured := func(value string, at time.Duration, verdict v1alpha1.Verdict) *v1alpha1.RolloutStatus {
		return &v1alpha1.RolloutStatus{Metrics: []v1alpha1.MetricStatus{{Name: "errors", Value: value, Verdict: verdict, MeasuredAt: &metav1.Time{Time: begins.Add(at)}}}}
	}
	old := measured("0.1", 0, v1alpha1.VerdictPass)
	tests := map[string]struct {
		next  *v1alpha1.RolloutStatus
		after time.Duration
		want  bool
	}{
		"nothing":                   {measured("0.1", 0, v1alpha1.VerdictPass), time.Hour, false},
		"a number":                  {measured("0.2", 10*time.Second, v1alpha1.VerdictPass), 10 * time.Second, false},
		"a number after a minute":   {measured("0.2", time.Minute, v1alpha1.VerdictPass), time.Minute, true},
		"a verdict":                 {measured("0.2", time.Second, v1alpha1.VerdictFail), time.Second, true},
		"another message":           {&v1alpha1.RolloutStatus{Message: "goes on", Metrics: old.Metrics}, time.Second, true},
		"the metrics are not there": {&v1alpha1.RolloutStatus{}, time.Second, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			before := old.DeepCopy()
			if got := news(old, tc.next, begins.Add(tc.after)); got != tc.want {
				t.Errorf("news: %t", got)
			}
			if before.Metrics[0].Value != old.Metrics[0].Value {
				t.Error("looking changed it")
			}
		})
	}
}

func TestEvents(t *testing.T) {
	var told []string
	r := &Reporter{Event: func(_ *v1alpha1.Rollout, kind, reason, message string) {
		told = append(told, kind+" "+reason+": "+message)
	}}
	say := func(s *observe.Scene, p plan.Plan) []string {
		told = nil
		var st v1alpha1.RolloutStatus
		write(&st, s, p)
		r.events(s, p, &st)
		return told
	}
	quiet := func() *observe.Scene {
		s := shifting()
		s.Git.Configured = true
		return s
	}
	record := func(change func(*v1alpha1.Progress)) *v1alpha1.Progress {
		p := quiet().Progress
		change(&p)
		return &p
	}
	tests := []struct {
		name string
		plan plan.Plan
		want []string
	}{
		{"a wait", plan.Plan{Phase: v1alpha1.PhaseProgressing, Reason: "waits"}, nil},
		{"a step", plan.Plan{Phase: v1alpha1.PhaseProgressing, Reason: "step 2/2", Progress: record(func(p *v1alpha1.Progress) { p.Step = 2 })}, []string{"Normal Step: step 2/2"}},
		{"a stage", plan.Plan{Phase: v1alpha1.PhaseProgressing, Reason: "handed over", Progress: record(func(p *v1alpha1.Progress) { p.Stage = v1alpha1.StageUnpinning })}, []string{"Normal Unpinning: handed over"}},
		{"something else", plan.Plan{Phase: v1alpha1.PhaseProgressing, Reason: "noted", Progress: record(func(*v1alpha1.Progress) {})}, []string{"Normal Recorded: noted"}},
		{"quietly", plan.Plan{Phase: v1alpha1.PhaseProgressing, Reason: "noted", Quiet: true, Progress: record(func(*v1alpha1.Progress) {})}, nil},
		{"an answer", plan.Plan{Phase: v1alpha1.PhaseProgressing, Progress: record(func(*v1alpha1.Progress) {}), Ack: &v1alpha1.RequestStatus{Verb: "pause", Outcome: "Accepted", Message: "is paused"}}, []string{"Normal RequestAccepted: pause: is paused"}},
		{"what a person has to change", plan.Plan{Phase: v1alpha1.PhaseDegraded, Reason: "make it", Stalled: &plan.Problem{Reason: "ServiceMissing", Message: "make it"}}, []string{"Warning ServiceMissing: make it"}},
		{"the same once more", plan.Plan{Phase: v1alpha1.PhaseDegraded, Reason: "make it", Stalled: &plan.Problem{Reason: "ServiceMissing", Message: "make it"}}, nil},
	}
	for _, tc := range tests { // in order: what was said before is not said again
		if got := say(quiet(), tc.plan); !slices.Equal(got, tc.want) {
			t.Errorf("%s: told %q, want %q", tc.name, got, tc.want)
		}
	}
	ended := record(func(p *v1alpha1.Progress) {
		p.Stage, p.Ending = v1alpha1.StageAborting, &v1alpha1.Ending{Outcome: v1alpha1.OutcomeFailed, Reason: "bad"}
	})
	if got := say(quiet(), plan.Plan{Phase: v1alpha1.PhaseAborted, Reason: "bad", Progress: ended}); !slices.Contains(got, "Warning Aborting: bad") {
		t.Errorf("of an end: %q", got)
	}
	missing := plan.Plan{Phase: v1alpha1.PhaseDegraded, Reason: "make it", Stalled: &plan.Problem{Reason: "ServiceMissing", Message: "make it"}}
	r.forget(types.NamespacedName{})
	if got := say(quiet(), missing); len(got) != 1 {
		t.Errorf("of a new Rollout of the same name: %q", got)
	}
}
