package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RolloutStatus is what the controller saw, decided and remembers.
type RolloutStatus struct {
	// conditions: Ready as kstatus reads it, Reconciling, Stalled, Guarded, TrafficReady, AnalysisHealthy, GitReverted.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation of the spec that the status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// progress is the controller's only memory. Nobody else reads or writes it.
	// +optional
	Progress *Progress `json:"progress,omitempty"`

	// phase: Healthy, Pending, Progressing, Paused, Inconclusive, Aborted, Reverting, Held or Degraded.
	// +optional
	Phase Phase `json:"phase,omitempty"`
	// message says in one sentence what is going on.
	// +optional
	Message string `json:"message,omitempty"`
	// step as "3/5".
	// +optional
	Step string `json:"step,omitempty"`
	// steps are the ladder of the attempt as it runs, with what was appended.
	// +optional
	// +listType=atomic
	Steps []string `json:"steps,omitempty"`
	// weight as people read it: "25%", and "5% → 25%" while the routes are not yet programmed.
	// +optional
	Weight string `json:"weight,omitempty"`
	// weights wanted and programmed, per route.
	// +optional
	// +listType=atomic
	Routes []RouteStatus `json:"routes,omitempty"`
	// waiting says what is waited for, since when and until when.
	// +optional
	Waiting *Waiting `json:"waiting,omitempty"`
	// stable is the revision that passed.
	// +optional
	Stable *RevisionStatus `json:"stable,omitempty"`
	// canary is the revision under judgement, or the last one that failed and is still in the workload.
	// +optional
	Canary *RevisionStatus `json:"canary,omitempty"`
	// metrics are the last measurements of the attempt.
	// +optional
	// +listType=atomic
	Metrics []MetricStatus `json:"metrics,omitempty"`
	// request is the last request by a person and what came of it.
	// +optional
	Request *RequestStatus `json:"request,omitempty"`
	// history of attempts, the newest first, at most ten.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10
	History []AttemptRecord `json:"history,omitempty"`
}

// Phase is the state of a Rollout in one word.
type Phase string

// Phases of a Rollout.
const (
	PhaseHealthy      Phase = "Healthy"      // at rest, stable serves
	PhasePending      Phase = "Pending"      // waiting for the workload's first or own rolling update, or for another precondition
	PhaseProgressing  Phase = "Progressing"  // an attempt runs
	PhasePaused       Phase = "Paused"       // an attempt waits for a person
	PhaseInconclusive Phase = "Inconclusive" // an attempt waits for a person because nothing could be concluded
	PhaseAborted      Phase = "Aborted"      // traffic is going, or gone, back to stable
	PhaseReverting    Phase = "Reverting"    // the failed revision is being taken out of Git
	PhaseHeld         Phase = "Held"         // the workload holds a failed revision; stable serves
	PhaseDegraded     Phase = "Degraded"     // something has to be mended by a person; see Stalled
)

// RevisionStatus describes a revision as it is live.
type RevisionStatus struct {
	// revision is the pod-template-hash of its pods.
	// +optional
	Revision string `json:"revision,omitempty"`
	// image of its first container.
	// +optional
	Image string `json:"image,omitempty"`
	// replicas that it has, and how many are ready.
	// +optional
	Replicas int32 `json:"replicas"`
	// +optional
	Ready int32 `json:"ready"`
	// sourceRevision is the Git commit at which it was live.
	// +optional
	SourceRevision string `json:"sourceRevision,omitempty"`
	// service that selects exactly its pods.
	// +optional
	Service string `json:"service,omitempty"`
}

// RouteStatus reports the split of one route.
type RouteStatus struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	// wantedPermille is the canary's share that is written, in thousandths.
	WantedPermille int32 `json:"wantedPermille"`
	// programmed says whether every gateway reports it as programmed.
	Programmed bool `json:"programmed"`
	// message says why not.
	// +optional
	Message string `json:"message,omitempty"`
}

// Waiting says what is waited for.
type Waiting struct {
	// for is a sentence.
	For string `json:"for"`
	// since when.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`
	// until when; after that the attempt moves on or is aborted.
	// +optional
	Until *metav1.Time `json:"until,omitempty"`
}

// Verdict of a metric or an attempt.
type Verdict string

// Verdicts.
const (
	VerdictPending      Verdict = "Pending"
	VerdictPass         Verdict = "Pass"
	VerdictFail         Verdict = "Fail"
	VerdictInconclusive Verdict = "Inconclusive"
)

// MetricStatus is the last word on one metric in the current step.
type MetricStatus struct {
	Name string `json:"name"`
	// verdict at the current step.
	Verdict Verdict `json:"verdict"`
	// value that was measured last, as text.
	// +optional
	Value string `json:"value,omitempty"`
	// limit is the condition that judges it.
	// +optional
	Limit string `json:"limit,omitempty"`
	// message says what led to the verdict, or why nothing could be measured.
	// +optional
	Message string `json:"message,omitempty"`
	// query as it was sent.
	// +optional
	Query string `json:"query,omitempty"`
	// step in which it was measured, 1-based.
	// +optional
	Step int32 `json:"step,omitempty"`
	// dryRun metrics do not count.
	// +optional
	DryRun bool `json:"dryRun,omitempty"`
	// measuredAt is when the last measurement was made.
	// +optional
	MeasuredAt *metav1.Time `json:"measuredAt,omitempty"`
	// counts of measurements in this step.
	// +optional
	Counts MeasurementCounts `json:"counts"`
	// comparison is what a compare metric has seen in this attempt.
	// +optional
	Comparison *ComparisonStatus `json:"comparison,omitempty"`
}

// MeasurementCounts counts the measurements of one metric in one step.
type MeasurementCounts struct {
	Success            int32 `json:"success,omitempty"`
	Failure            int32 `json:"failure,omitempty"`
	Inconclusive       int32 `json:"inconclusive,omitempty"`
	Error              int32 `json:"error,omitempty"`
	ConsecutiveSuccess int32 `json:"consecutiveSuccess,omitempty"`
	ConsecutiveFailure int32 `json:"consecutiveFailure,omitempty"`
	ConsecutiveError   int32 `json:"consecutiveError,omitempty"`
	// consecutiveNoData counts those of the last errors where the source answered that it has no data.
	ConsecutiveNoData int32 `json:"consecutiveNoData,omitempty"`
}

// RequestStatus acknowledges a person's request.
type RequestStatus struct {
	Verb     string `json:"verb"`
	Revision string `json:"revision,omitempty"`
	Token    string `json:"token"`
	// +optional
	User string `json:"user,omitempty"`
	// +optional
	At *metav1.Time `json:"at,omitempty"`
	// outcome: Accepted or Refused.
	Outcome string `json:"outcome"`
	// +optional
	Message string `json:"message,omitempty"`
}

// Outcome of an attempt.
type Outcome string

// Outcomes of attempts.
const (
	OutcomePromoted   Outcome = "Promoted"   // the canary is the new stable
	OutcomeFailed     Outcome = "Failed"     // a verdict, or pods or routes that never came up
	OutcomeAborted    Outcome = "Aborted"    // a person said so
	OutcomeSuperseded Outcome = "Superseded" // another template took its place
	OutcomeWithdrawn  Outcome = "Withdrawn"  // the stable template came back before the end
	OutcomeTimedOut   Outcome = "TimedOut"   // nobody approved
	OutcomeUndecided  Outcome = "Undecided"  // inconclusive, and onInconclusive says Abort
	OutcomeBypassed   Outcome = "Bypassed"   // let through unheld by a person
)

// AttemptRecord is one line of history.
type AttemptRecord struct {
	Attempt int64   `json:"attempt"`
	Outcome Outcome `json:"outcome"`
	// +optional
	Revision string `json:"revision,omitempty"`
	// +optional
	Image string `json:"image,omitempty"`
	// reason is the sentence that ended it.
	// +optional
	Reason string `json:"reason,omitempty"`
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`
	// +optional
	EndedAt *metav1.Time `json:"endedAt,omitempty"`
	// duration as a Go duration string.
	// +optional
	Duration string `json:"duration,omitempty"`
	// step reached, as "3/5".
	// +optional
	Step string `json:"step,omitempty"`
	// cost is how many requests of the canary were bad, where a comparison counted them.
	// +optional
	Cost string `json:"cost,omitempty"`
	// commit that took it out of Git.
	// +optional
	Commit string `json:"commit,omitempty"`
}
