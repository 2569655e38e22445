package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ProgressVersion is the layout of Progress that this controller writes. A controller refuses a newer one.
const ProgressVersion int32 = 1

// Stage is where an attempt stands. Every stage is entered by a recorded plan and left by another.
type Stage string

// Stages, in the order in which an attempt passes them.
const (
	// StageAdopting: the workload is labelled, its own roll-out is awaited, nothing is known to be stable yet.
	StageAdopting Stage = "Adopting"
	// StageResting: nothing in flight.
	StageResting Stage = "Resting"
	// StagePinning: Services are being pinned to stable, the canary Service is made.
	StagePinning Stage = "Pinning"
	// StageStepping: pods, weight and clock of the current step.
	StageStepping Stage = "Stepping"
	// StageUnpinning: judged good; the Services select the canary pods as well.
	StageUnpinning Stage = "Unpinning"
	// StageHandingOver: the workload takes the canary's ReplicaSet. From then on there is no return.
	StageHandingOver Stage = "HandingOver"
	// StageCompleting: the workload finishes its own roll-out.
	StageCompleting Stage = "Completing"
	// StageClearing: the split is taken off the routes after a promotion.
	StageClearing Stage = "Clearing"
	// StageAborting: the split is taken off the routes, all traffic to stable.
	StageAborting Stage = "Aborting"
	// StageDraining: nothing is sent to the canary any more; what is in flight ends.
	StageDraining Stage = "Draining"
	// StageRetiring: canary pods end, Services are unpinned.
	StageRetiring Stage = "Retiring"
	// StageHeld: the attempt failed; the workload holds its template until Git or a person takes it back.
	StageHeld Stage = "Held"
)

// Progress is the controller's memory of a Rollout.
type Progress struct {
	Version int32 `json:"version"`
	// sequence rises with every recorded plan; together with attempt it is the fence of every write.
	Sequence int64 `json:"sequence"`
	Stage    Stage `json:"stage"`
	// stageSince is when the stage was entered.
	StageSince metav1.MicroTime `json:"stageSince"`
	// attempt is the number of the current or last attempt.
	Attempt int64 `json:"attempt"`
	// startedAt is when the attempt started.
	// +optional
	StartedAt *metav1.MicroTime `json:"startedAt,omitempty"`
	// stable is the revision that passed.
	// +optional
	Stable *RevisionRecord `json:"stable,omitempty"`
	// canary is the revision of the current attempt.
	// +optional
	Canary *RevisionRecord `json:"canary,omitempty"`
	// workloadUID is the workload's identity at the attempt's start; another one was recreated under the same name.
	// +optional
	WorkloadUID string `json:"workloadUID,omitempty"`
	// snapshotDigest names the snapshot of the Rollout and its templates that the attempt runs on.
	// +optional
	SnapshotDigest string `json:"snapshotDigest,omitempty"`
	// replicas of the workload at the attempt's start.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`
	// canaryService is the name of the canary's Service.
	// +optional
	CanaryService string `json:"canaryService,omitempty"`
	// step is the current step, 1-based.
	// +optional
	Step int32 `json:"step,omitempty"`
	// stepSince is when the step was entered.
	// +optional
	StepSince *metav1.MicroTime `json:"stepSince,omitempty"`
	// weightPermille is the highest share that the plan allows at present.
	// +optional
	WeightPermille int32 `json:"weightPermille,omitempty"`
	// readyHighWater is the most canary pods that were ready when a deadline was extended in this step.
	// +optional
	ReadyHighWater int32 `json:"readyHighWater,omitempty"`
	// waitSince is when the current wait for pods or routes began; the progress deadline counts from it.
	// +optional
	WaitSince *metav1.MicroTime `json:"waitSince,omitempty"`
	// programmedSince is when every route was seen programmed at weightPermille with its pods ready. The step's clock
	// runs from then plus the settle time; empty: it stands.
	// +optional
	ProgrammedSince *metav1.MicroTime `json:"programmedSince,omitempty"`
	// clockElapsed is what the clock had counted before that.
	// +optional
	ClockElapsed metav1.Duration `json:"clockElapsed,omitempty"`
	// exposures are the weights of this attempt, in their order, from which its comparisons can be computed again.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=128
	Exposures []Exposure `json:"exposures,omitempty"`
	// ramp are the weights in thousandths that a ramp chose, in their order.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=128
	Ramp []int32 `json:"ramp,omitempty"`
	// frozenSince is when the attempt was last seen suspended or invalid; empty: it is neither.
	// +optional
	FrozenSince *metav1.MicroTime `json:"frozenSince,omitempty"`
	// stableLostSince is when the stable revision was seen without a ready pod in this attempt; empty: it has one.
	// +optional
	StableLostSince *metav1.MicroTime `json:"stableLostSince,omitempty"`
	// promoteFull: a person said to go to 100 % and hand over without further bake.
	// +optional
	PromoteFull bool `json:"promoteFull,omitempty"`
	// paused by a person.
	// +optional
	Paused bool `json:"paused,omitempty"`
	// inconclusive is the sentence why nothing could be concluded; the attempt waits for a person.
	// +optional
	Inconclusive string `json:"inconclusive,omitempty"`
	// ending is how the attempt ends, once that is decided.
	// +optional
	Ending *Ending `json:"ending,omitempty"`
	// calledOff is how the attempt is to end instead of being handed over. It becomes the ending as soon as the workload
	// cannot take the canary over any more, and is dropped if it has.
	// +optional
	CalledOff *Ending `json:"calledOff,omitempty"`
	// clearedAt is when the split was seen cleared on every route.
	// +optional
	ClearedAt *metav1.MicroTime `json:"clearedAt,omitempty"`
	// retiring is a canary Service that is deleted after notBefore.
	// +optional
	Retiring *RetiringService `json:"retiring,omitempty"`
	// revert is what became of taking the failed revision out of Git.
	// +optional
	Revert *RevertRecord `json:"revert,omitempty"`
	// quarantine lists ReplicaSets of revisions that failed, the newest first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=5
	Quarantine []QuarantinedRevision `json:"quarantine,omitempty"`
	// request is the token of the last request that was answered.
	// +optional
	Request string `json:"request,omitempty"`
	// snapshotGeneration is the Rollout's generation at the attempt's start.
	// +optional
	SnapshotGeneration int64 `json:"snapshotGeneration,omitempty"`
}

// RevisionRecord remembers a revision by its ReplicaSet.
type RevisionRecord struct {
	// revision is its pod-template-hash.
	Revision string `json:"revision"`
	// replicaSet is the name of its ReplicaSet.
	// +optional
	ReplicaSet string `json:"replicaSet,omitempty"`
	// +optional
	Image string `json:"image,omitempty"`
	// source is the commit at which it was (stable) or became (canary) live.
	// +optional
	Source string `json:"source,omitempty"`
	// takenOver: the ReplicaSet was the workload's own before the attempt and goes back to it afterwards.
	// +optional
	TakenOver bool `json:"takenOver,omitempty"`
}

// Ending says how and why an attempt ends.
type Ending struct {
	Outcome Outcome          `json:"outcome"`
	Reason  string           `json:"reason"`
	At      metav1.MicroTime `json:"at"`
	// step reached, as "3/6 (25%)".
	// +optional
	Step string `json:"step,omitempty"`
	// evidence lines as they stand in the commit.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=40
	Evidence []string `json:"evidence,omitempty"`
	// cost is how many requests of the canary were bad, where a comparison counted them.
	// +optional
	Cost string `json:"cost,omitempty"`
}

// RetiringService is a canary Service that waits to be deleted.
type RetiringService struct {
	Name      string           `json:"name"`
	NotBefore metav1.MicroTime `json:"notBefore"`
}

// QuarantinedRevision is a revision that failed.
type QuarantinedRevision struct {
	ReplicaSet string `json:"replicaSet"`
	Revision   string `json:"revision"`
	Reason     string `json:"reason,omitempty"`
}

// RevertState says how far a revert is.
type RevertState string

// States of a revert. Wanted and Planned go on by themselves, the others are final.
const (
	RevertWanted     RevertState = "Wanted"     // to be written
	RevertPlanned    RevertState = "Planned"    // key and commit recorded, about to be pushed
	RevertPushed     RevertState = "Pushed"     // on the server
	RevertUnneeded   RevertState = "Unneeded"   // already reverted, superseded, or not from Git
	RevertBlocked    RevertState = "Blocked"    // a person has to do it: conflict, denied, limit, credentials
	RevertSkipped    RevertState = "Skipped"    // mode Off, or the attempt's outcome is not one to revert
	RevertSuperseded RevertState = "Superseded" // a newer version took the place
)

// RevertRecord remembers one revert.
type RevertRecord struct {
	State RevertState `json:"state"`
	// reason is a CamelCase word, message a sentence.
	// +optional
	Reason string `json:"reason,omitempty"`
	// +optional
	Message string `json:"message,omitempty"`
	// stable and failed bound the change, as full commit ids.
	// +optional
	Stable string `json:"stable,omitempty"`
	// +optional
	Failed string `json:"failed,omitempty"`
	// accepted is the branch head whose inputs the head barrier let pass.
	// +optional
	Accepted string `json:"accepted,omitempty"`
	// barrier is a branch head whose inputs differ from the failed ones; barrierSince when it was first seen.
	// +optional
	Barrier string `json:"barrier,omitempty"`
	// +optional
	BarrierSince *metav1.MicroTime `json:"barrierSince,omitempty"`
	// key and commit of the planned or pushed revert.
	// +optional
	Key string `json:"key,omitempty"`
	// +optional
	Commit string `json:"commit,omitempty"`
	// +optional
	At *metav1.MicroTime `json:"at,omitempty"`
}
