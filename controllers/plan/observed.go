package plan

import (
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/workloads"
)

// Observed is everything that a decision may depend on.
type Observed struct {
	Now time.Time
	// Namespace and Name of the Rollout.
	Namespace, Name string
	// Deleting: the Rollout is to go. Finalizer: it carries ours.
	Deleting, Finalizer bool
	Generation          int64
	// Suspend as the live spec says.
	Suspend bool
	// Ignored are the template annotations whose change is no release, as the live spec says.
	Ignored []string
	// Config is what the attempt runs on: its snapshot in flight, the live spec at rest.
	Config Config
	// LiveDigest names what a snapshot taken now would say.
	LiveDigest string
	// Problems of the live spec, the first being the one to report.
	Problems []Problem
	// Request is a person's request that is not answered yet.
	Request  *Request
	Progress v1alpha1.Progress
	// WorkloadName for sentences, as "Deployment checkout".
	WorkloadName string
	Workload     workloads.State
	// Services in front of the pods; Canary's own Service; the attempt's parameter object.
	Services []routers.ServiceState
	Canary   routers.CanaryServiceState
	Attempt  AttemptState
	Routes   []routers.State
	// Metrics of the current step, as measured so far.
	Metrics []v1alpha1.MetricStatus
	// CanaryReadySince is since when the canary has been seen with a ready endpoint; zero: it has none.
	CanaryReadySince time.Time
	// CanaryPods counts the canary's pods that nobody has asked to end yet, whoever owns them.
	CanaryPods int32
	// Pods says what is wrong with canary pods; empty: nothing known.
	Pods []string
	Git  Git
	// Guarded is the last proof that a new template would be held.
	Guarded Proof
}

// AttemptState is the parameter object of the attempt.
type AttemptState struct {
	Found bool
	// Lost: an attempt runs and its snapshot is gone or was changed.
	Lost bool
	// Digest of the snapshot in it, and the pin that it restores on recreated Services.
	Digest, Pin string
}

// Proof of a fact that only the API server can give.
type Proof struct {
	Known, Holds bool
	Why          string
}

// Problem is something that a person has to change.
type Problem struct {
	// Reason is a CamelCase word, Message a sentence with the field, the value and the way out.
	Reason, Message string
}

// Request is what a person asked for.
type Request struct {
	Verb, Revision, Token, User string
	// Malformed says why it cannot be read.
	Malformed string
}

// Config is the part of a Rollout that decisions depend on, with defaults filled in.
type Config struct {
	Service string
	Ladder  []Step
	Settle  time.Duration
	// Progress bounds every wait on pods and routes.
	Progress time.Duration
	// StepDeadline as written; 0: derived from the bake.
	StepDeadline time.Duration
	// FourMeasurements is how long the slowest metric takes to be measured four times.
	FourMeasurements time.Duration
	StartAt          int32
	// Gating says that there is a metric that counts.
	Gating         bool
	Measuring      bool
	OnInconclusive v1alpha1.InconclusiveAction
	// Ramp, instead of a ladder that is written down: Ladder then holds the weights that it has chosen so far.
	Ramp *Ramp
	// Scale of every split of the attempt.
	Scale int32
}

// Step of the ladder.
type Step struct {
	// Permille is the canary's share, 0…1000. For an approve step, that of the step before.
	Permille int32
	Bake     time.Duration
	// Replicas as a number, or Percent of the workload's; both 0: the share.
	Replicas, Percent int32
	// Approve waits for a person.
	Approve   bool
	Timeout   time.Duration
	OnTimeout v1alpha1.TimeoutAction
	// Appended: not in the spec, added so that the ladder ends at 100 %.
	Appended bool
}

// Ramp chooses weights by what comparisons have ruled out.
type Ramp struct {
	From, To int32 // permille
	// Budget is the share of all requests that may be made bad.
	Budget float64
	Max    time.Duration
}

// Git is what is known of the repository.
type Git struct {
	// Configured: spec.git is there. Off says why nothing is written all the same.
	Configured bool
	Off        string
	// Problem with the Repository object, its access rules or its Secret.
	Problem *Problem
	// MaxAge of a failure that is still reverted.
	MaxAge time.Duration
	// Tip is the branch head, as read for the question that was asked last.
	Tip *Tip
	// Located is the answer to Locate; Answer that to Revert.
	Located *Located
	Answer  *Answer
	// Failure of the last call; it is tried again by itself.
	Failure *Problem
}

// Tip is the head of the branch. For names what it was read for.
type Tip struct{ For, Commit, Inputs string }

// Located bounds the change; For names the attempt.
type Located struct{ For, Stable, Failed string }

// Answer is how a revert ended; For names the attempt and the order.
type Answer struct {
	For, Result, Key, Commit, Why, Head string
}

// inFlight says that an attempt runs and can still be aborted.
func (o *Observed) inFlight() bool {
	switch o.Progress.Stage {
	case v1alpha1.StagePinning, v1alpha1.StageStepping, v1alpha1.StageUnpinning:
		return true
	}
	return false
}

// ending says that an aborted attempt is being taken down.
func (o *Observed) ending() bool {
	switch o.Progress.Stage {
	case v1alpha1.StageAborting, v1alpha1.StageDraining, v1alpha1.StageRetiring:
		return true
	}
	return false
}

// canary is the ReplicaSet of the attempt, as it is stored.
func (o *Observed) canary() (workloads.Revision, bool) {
	if o.Progress.Canary == nil {
		return workloads.Revision{}, false
	}
	return o.Workload.Find(o.Progress.Canary.ReplicaSet)
}

// stable is the ReplicaSet that passed, as it is stored.
func (o *Observed) stable() (workloads.Revision, bool) {
	if o.Progress.Stable == nil {
		return workloads.Revision{}, false
	}
	return o.Workload.Find(o.Progress.Stable.ReplicaSet)
}

// templateIsStable says that the workload's spec carries the stable template.
func (o *Observed) templateIsStable() bool {
	s, ok := o.stable()
	return ok && s.Current
}

// templateIsAlike says that it does, give or take annotations whose change is no release.
func (o *Observed) templateIsAlike() bool {
	s, ok := o.stable()
	return ok && s.Alike
}

// templateIsCanary says that the workload's spec carries the template under judgement.
func (o *Observed) templateIsCanary() bool {
	if c, ok := o.canary(); ok {
		return c.Current
	}
	return o.Progress.Canary != nil && o.Workload.Candidate.Name == o.Progress.Canary.ReplicaSet
}

// templateFailed says that the workload's spec carries the template that failed, give or take annotations whose change is
// no release.
func (o *Observed) templateFailed() bool {
	c, ok := o.canary()
	return o.templateIsCanary() || (ok && c.Alike)
}

// recreated says that the workload is not the one with which the attempt began.
func (o *Observed) recreated() bool {
	return !o.Workload.Found || (o.Progress.WorkloadUID != "" && o.Workload.UID != o.Progress.WorkloadUID)
}

// frozen says that nothing may advance, and why.
func (o *Observed) frozen() (string, bool) {
	switch {
	case o.Suspend:
		return "the Rollout is suspended", true
	case len(o.Problems) > 0:
		return "the Rollout is invalid: " + o.Problems[0].Message, true
	}
	return "", false
}

func (o *Observed) fence() routers.Fence {
	return routers.Fence{Attempt: o.Progress.Attempt, Sequence: o.Progress.Sequence}
}
