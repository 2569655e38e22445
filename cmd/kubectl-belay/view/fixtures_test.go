package view

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) *metav1.Time { return &metav1.Time{Time: noon.Add(-d)} }

func percent(n int32) *int32 { return &n }

func bake(d time.Duration) *metav1.Duration { return &metav1.Duration{Duration: d} }

// checkout is a Rollout that the controller has never seen.
func checkout() *v1alpha1.Rollout {
	return &v1alpha1.Rollout{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "checkout", CreationTimestamp: *ago(96 * time.Hour)},
		Spec: v1alpha1.RolloutSpec{
			WorkloadRef: v1alpha1.WorkloadReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "checkout"},
			Services:    []v1alpha1.ServiceReference{{Name: "checkout"}},
			Routes:      []v1alpha1.RouteReference{{Kind: "HTTPRoute", Name: "checkout"}},
			Strategy: v1alpha1.Strategy{Canary: &v1alpha1.Canary{Steps: []v1alpha1.Step{
				{Weight: percent(5), Bake: bake(2 * time.Minute)},
				{WeightPermille: percent(255), Bake: bake(time.Hour)},
				{Approve: &v1alpha1.Approve{Timeout: bake(24 * time.Hour)}},
				{Weight: percent(100), Bake: bake(90 * time.Second)},
			}}},
		},
	}
}

func stable() *v1alpha1.RevisionStatus {
	return &v1alpha1.RevisionStatus{Revision: "5d4f8c7b9d", Image: "registry.example.com/shop/checkout:v1", Replicas: 4, Ready: 4,
		SourceRevision: "main@sha1:1f0c5e4b7a2d9c8e3f6b5a4d7c8e9f0a1b2c3d4e", Service: "checkout"}
}

func canary() *v1alpha1.RevisionStatus {
	return &v1alpha1.RevisionStatus{Revision: "7f6b5c9d8b", Image: "registry.example.com/shop/checkout:v2", Replicas: 2, Ready: 1,
		SourceRevision: "9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b3a2f1e0d", Service: "checkout-canary"}
}

func stablePods() *Group {
	return &Group{Name: "checkout-5d4f8c7b9d", Replicas: 4, Ready: 4, Pods: []Pod{
		{Name: "checkout-5d4f8c7b9d-4xk2p", State: "Running", Ready: true, Created: noon.Add(-96 * time.Hour)},
		{Name: "checkout-5d4f8c7b9d-9qwz7", State: "Running", Ready: true, Created: noon.Add(-96 * time.Hour), Restarts: 1},
	}}
}

func healthy() Tree {
	r := checkout()
	r.Status = v1alpha1.RolloutStatus{
		Phase: v1alpha1.PhaseHealthy, Message: "Revision 5d4f8c7b9d is stable and serves all requests.",
		Stable: stable(),
		Conditions: []metav1.Condition{
			{Type: "Ready", Status: "True", Reason: "Healthy"},
			{Type: "Guarded", Status: "True", Reason: "Proved"},
			{Type: "GitReverted", Status: "Unknown", Reason: "NoGit"},
		},
		History: []v1alpha1.AttemptRecord{
			{Attempt: 6, Outcome: v1alpha1.OutcomePromoted, Image: "registry.example.com/shop/checkout:v1", Step: "4/4", Duration: "18m2s", EndedAt: ago(95 * time.Hour)},
			{Attempt: 5, Outcome: v1alpha1.OutcomeFailed, Image: "registry.example.com/shop/checkout:v0", Step: "2/4", Duration: "3m10s", EndedAt: ago(97 * time.Hour),
				Reason: "error-rate 7.2% > 1%", Commit: "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"},
		},
	}
	return Tree{Rollout: r, Now: noon, Stable: stablePods(), Workload: &Workload{Kind: "Deployment", Name: "checkout", Replicas: 4}}
}

// compared is a step that is judged by a comparison, after an attempt that one ended.
func compared() Tree {
	t := progressing()
	s := &t.Rollout.Status
	s.Metrics = []v1alpha1.MetricStatus{
		{Name: "errors", Verdict: v1alpha1.VerdictPass, Value: "0.31 % against 0.30 %", Limit: "1.1 × stable + 0.5 points", MeasuredAt: ago(3 * time.Second),
			Message:    "canary 155/50,012 (0.31 %), stable 453/151,110 (0.30 %): at most 0.14 points worse, at any look, 99 %",
			Comparison: &v1alpha1.ComparisonStatus{Ticks: 42, TickSeconds: 10}},
		{Name: "memory", Verdict: v1alpha1.VerdictPending, Value: "median 410M against 400M", Limit: "1.2 × stable", MeasuredAt: ago(3 * time.Second),
			Message: "median 410M against 400M: too few samples for a verdict"},
	}
	s.History = append([]v1alpha1.AttemptRecord{{Attempt: 9, Outcome: v1alpha1.OutcomeFailed, Revision: "6d4f", Image: "checkout:v8", Step: "1/5",
		Reason: "errors: canary 361/5,012 (7.2 %), stable 48/15,110 (0.3 %): 6.1 to 7.8 points worse, at any look, 99 %",
		Cost:   "361 bad requests of the canary, 345 more than at stable's share"}}, s.History...)
	return t
}

func progressing() Tree {
	t := healthy()
	s := &t.Rollout.Status
	s.Phase, s.Step, s.Weight = v1alpha1.PhaseProgressing, "2/5", "5% → 25.5%"
	s.Message = "The canary is to take 25.5% of the requests; HTTPRoute internal is not programmed yet."
	s.Steps = []string{"5%, bake 2m", "25.5%, bake 1h", "approve within 24h", "90%, bake 1m30s", "100%, appended"}
	s.Canary = canary()
	s.Waiting = &v1alpha1.Waiting{For: "HTTPRoute internal to be programmed", Since: ago(12 * time.Second), Until: &metav1.Time{Time: noon.Add(588 * time.Second)}}
	s.Routes = []v1alpha1.RouteStatus{
		{Kind: "HTTPRoute", Name: "checkout", WantedPermille: 255, Programmed: true},
		{Kind: "HTTPRoute", Name: "internal", WantedPermille: 255, Message: "parent gateways/private has observed generation 4 of 5"},
	}
	s.Metrics = []v1alpha1.MetricStatus{
		{Name: "error-rate", Verdict: v1alpha1.VerdictPass, Value: "0.0021", Limit: "result < 0.01", MeasuredAt: ago(3 * time.Second), Counts: v1alpha1.MeasurementCounts{Success: 12}},
		{Name: "p99-latency", Verdict: v1alpha1.VerdictPending, Limit: "result < 0.8", Message: "the query gave an empty vector", Counts: v1alpha1.MeasurementCounts{Error: 2}},
		{Name: "queue-length", Verdict: v1alpha1.VerdictFail, Value: "1204", Limit: "result < 1000.0", DryRun: true, MeasuredAt: ago(3 * time.Second),
			Message: "1 of 1 measurements failed, more than failureLimit 0", Counts: v1alpha1.MeasurementCounts{Failure: 1}},
	}
	t.Workload.Held = true
	t.Canary = &Group{Name: "checkout-7f6b5c9d8b", Replicas: 3, Ready: 1, Pods: []Pod{
		{Name: "checkout-7f6b5c9d8b-aaaaa", State: "Running", Ready: true, Created: noon.Add(-3 * time.Minute)},
		{Name: "checkout-7f6b5c9d8b-bbbbb", State: "Running", Created: noon.Add(-20 * time.Second)},
		{Name: "checkout-7f6b5c9d8b-ccccc", State: "CrashLoopBackOff", Created: noon.Add(-20 * time.Second), Restarts: 3},
	}}
	return t
}

func paused() Tree {
	t := progressing()
	s := &t.Rollout.Status
	s.Phase, s.Step, s.Weight, s.Message = v1alpha1.PhasePaused, "3/5", "25.5%", "Step 3 waits for a person: kubectl belay promote checkout."
	s.Waiting = &v1alpha1.Waiting{For: "approval", Since: ago(25 * time.Hour), Until: ago(time.Second)}
	s.Routes[1].Programmed, s.Routes[1].Message = true, ""
	s.Metrics = s.Metrics[:1]
	s.Request = &v1alpha1.RequestStatus{Verb: "promote", Revision: "7f6b5c9d8b", Token: "t1", User: "alice", At: ago(90 * time.Second), Outcome: "Refused",
		Message: "error-rate has no Pass yet"}
	t.Rollout.Annotations = map[string]string{
		v1alpha1.AnnotationRequest:     "promote-full 7f6b5c9d8b t2",
		v1alpha1.AnnotationRequestedBy: "bob",
	}
	return t
}

func reverting() Tree {
	t := progressing()
	s := &t.Rollout.Status
	s.Phase, s.Step, s.Weight, s.Message = v1alpha1.PhaseReverting, "2/5", "0%", "error-rate 7.2% > 1%: all traffic is on stable; the revert is being written."
	s.Waiting, s.Routes = nil, nil
	s.Metrics = s.Metrics[:1]
	s.Metrics[0] = v1alpha1.MetricStatus{Name: "error-rate", Verdict: v1alpha1.VerdictFail, Value: "0.072", Limit: "result < 0.01", MeasuredAt: ago(4 * time.Second),
		Message: "3 of 15 measurements failed, more than failureLimit 2", Counts: v1alpha1.MeasurementCounts{Success: 12, Failure: 3}}
	s.Conditions = append(s.Conditions[:2:2],
		metav1.Condition{Type: "Stalled", Status: "True", Reason: "AttemptFailed", Message: "error-rate 7.2% > 1%"},
		metav1.Condition{Type: "GitReverted", Status: "False", Reason: "Reverting", Message: "the failed revision is being taken out of Git"},
		metav1.Condition{Type: "AnalysisHealthy", Status: "Unknown", Reason: "NotAsked"})
	t.Rollout.Spec.Git = &v1alpha1.Git{Repository: "platform", Branch: "main", Path: "apps/checkout"}
	t.Canary = &Group{Name: "checkout-7f6b5c9d8b"}
	return t
}
