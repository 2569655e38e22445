package plan

import (
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/workloads"
)

// Effect is one idempotent change of the world, as data.
type Effect interface{ effect() }

type (
	// Govern labels the workload.
	Govern struct{ Ignored []string }
	// Ungovern takes the label off again.
	Ungovern struct{}
	// AddFinalizer and RemoveFinalizer on the Rollout.
	AddFinalizer    struct{}
	RemoveFinalizer struct{}
	// Claim makes the hold the attempt's: nobody who knows less may take it off.
	Claim struct{ ResourceVersion string }
	// Release takes the hold off the workload.
	Release struct{ ResourceVersion string }
	// Notice writes on the held workload what to run.
	Notice struct{ Sentence string }
	// EnsureAttempt writes the parameter object with the snapshot.
	EnsureAttempt struct {
		Pin    routers.Pin
		Split  routers.Split
		Labels map[string]string
	}
	// DeleteAttempt deletes it.
	DeleteAttempt struct{}
	// EnsureCanaryService makes the canary's Service, or lets it select another revision.
	EnsureCanaryService struct{ Name, Service, Revision string }
	// DeleteCanaryService deletes it.
	DeleteCanaryService struct{ Name string }
	// Pin lets a Service select stable pods only.
	Pin struct {
		Service, ResourceVersion string
		Pin                      routers.Pin
	}
	// Unpin takes that back.
	Unpin struct{ Service, ResourceVersion string }
	// Split writes a weight.
	Split struct {
		Route           v1alpha1.RouteReference
		ResourceVersion string
		Split           routers.Split
	}
	// ClearSplit takes the split off a route.
	ClearSplit struct {
		Route           v1alpha1.RouteReference
		ResourceVersion string
	}
	// Canaries makes or scales the canary's pods.
	Canaries struct {
		Revision workloads.Revision
		Size     int32
	}
	// Resize sets the size of one of the held workload's own revisions.
	Resize struct {
		Revision workloads.Revision
		Size     int32
	}
	// Adopt lets the workload take the canary's ReplicaSet.
	Adopt struct{ Revision workloads.Revision }
	// CallOff makes every Adopt that was planned from an older record fail.
	CallOff struct{ Revision workloads.Revision }
	// ReturnRevision gives a ReplicaSet that was taken over back to the workload.
	ReturnRevision struct{ Revision workloads.Revision }
	// DropRevision deletes an empty ReplicaSet of ours.
	DropRevision struct{ Name string }
	// Measure runs the metrics of a step; its clock began at Since. Comparisons go through the whole attempt: Exposures are
	// the weights since metrics run, StablePods is how many pods stable has beside the canary.
	Measure struct {
		Attempt    int64
		Step       int32
		Since      time.Time
		Exposures  []v1alpha1.Exposure
		StablePods int32
	}
	// ReadTip asks for the branch head.
	ReadTip struct{ For string }
	// Locate asks for the bounds of the change.
	Locate struct{ For, Record, Head string }
	// Revert asks for the commit.
	Revert struct {
		For    string
		Record v1alpha1.RevertRecord
	}
)

func (Govern) effect()              {}
func (Ungovern) effect()            {}
func (AddFinalizer) effect()        {}
func (RemoveFinalizer) effect()     {}
func (Claim) effect()               {}
func (Release) effect()             {}
func (Notice) effect()              {}
func (EnsureAttempt) effect()       {}
func (DeleteAttempt) effect()       {}
func (EnsureCanaryService) effect() {}
func (DeleteCanaryService) effect() {}
func (Pin) effect()                 {}
func (Unpin) effect()               {}
func (Split) effect()               {}
func (ClearSplit) effect()          {}
func (Canaries) effect()            {}
func (Resize) effect()              {}
func (Adopt) effect()               {}
func (CallOff) effect()             {}
func (ReturnRevision) effect()      {}
func (DropRevision) effect()        {}
func (Measure) effect()             {}
func (ReadTip) effect()             {}
func (Locate) effect()              {}
func (Revert) effect()              {}
