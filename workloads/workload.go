package workloads

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// State is a workload as it is stored.
type State struct {
	Found           bool
	UID             string
	ResourceVersion string
	// Replicas that the workload wants.
	Replicas int32
	// Governor is the name of the Rollout in its label; empty: not governed.
	Governor string
	// Ignored is the value of the annotation that lists ignored template annotations.
	Ignored string
	// Held: a new template is in the spec, but no pod of it is started.
	Held bool
	// Claim is the fence in the hold, "0.0" as long as nobody claimed it; empty: there is no hold.
	Claim string
	// Notice is the sentence on a held workload that says what to run.
	Notice string
	// Settled: the workload's own roll-out is complete and its status speaks of the stored spec.
	Settled bool
	// Recreate: two versions must not run at once.
	Recreate bool
	// Bypassed is the reason with which the last change was let through unheld.
	Bypassed string
	// Source is the Git commit that an agent says it applied; empty: unknown.
	Source string
	// ContestedBy is who last tried to undo the hold.
	ContestedBy string
	// Labels of the stable pods without the revision's own, from the pod template.
	PodLabels map[string]string
	// Revisions are all ReplicaSets of the workload's selector, oldest first.
	Revisions []Revision
	// Candidate is the ReplicaSet that carries, or would carry, the present template.
	Candidate Revision
}

// Revision is one ReplicaSet.
type Revision struct {
	// Name of the ReplicaSet and its pod-template-hash.
	Name, Hash string
	// Image of the first container.
	Image string
	// Labels of its pods without the revision's own.
	Labels map[string]string
	// Exists is false for a candidate that is yet to be made.
	Exists          bool
	ResourceVersion string
	// Wanted, present, ready and available pods.
	Replicas, Present, Ready, Available int32
	// Owned by the workload, or Ours: owned by the Rollout.
	Owned, Ours bool
	// Current: its template equals the workload's. Alike: it does but for annotations whose change is no release.
	Current, Alike bool
	// CalledOff is the fence with which its hand-over was called off last; empty: it never was.
	CalledOff string
	Created   time.Time
}

// Find gives the revision with a ReplicaSet's name.
func (s State) Find(name string) (Revision, bool) {
	for _, r := range s.Revisions {
		if r.Name == name {
			return r, true
		}
	}
	return Revision{}, false
}

// Others are the workload's own revisions with pods, other than the named one.
func (s State) Others(name string) []Revision {
	var out []Revision
	for _, r := range s.Revisions {
		if r.Owned && r.Name != name && (r.Replicas > 0 || r.Present > 0) {
			out = append(out, r)
		}
	}
	return out
}

// Target names a workload and the Rollout that governs it.
type Target struct {
	Namespace, Name string
	// Rollout's name and UID, for owner references.
	Rollout, RolloutUID string
}

// Workload is one kind of workload.
type Workload interface {
	Holder
	Carrier
}

// Holder reads a workload, guards it and lets it go.
type Holder interface {
	// Observe reads the workload and its revisions. A missing one is a State with Found false.
	Observe(ctx context.Context, r client.Reader, t Target) (State, error)
	// Govern labels the workload; ignored are the template annotations whose change is no release.
	// An empty t.Rollout takes the label off.
	Govern(ctx context.Context, c client.Client, t Target, ignored []string) error
	// Claim writes the caller's fence ("<attempt>.<sequence>") into the hold, so that nobody who knows less releases it.
	Claim(ctx context.Context, c client.Client, t Target, resourceVersion, fence string) error
	// Release takes the hold off, if the workload is still the observed one and the hold not newer than the fence.
	Release(ctx context.Context, c client.Client, t Target, resourceVersion, fence string) error
	// Notice writes a sentence on a held workload that says what to run; an empty one takes it off.
	Notice(ctx context.Context, c client.Client, t Target, sentence string) error
}

// Carrier moves pods between the canary and the workload.
type Carrier interface {
	// Canaries makes, takes over or scales the canary's ReplicaSet to the size.
	Canaries(ctx context.Context, c client.Client, t Target, revision Revision, size int32) error
	// Adopt lets the workload take the canary's ReplicaSet over, if it is still the observed one. It compares the stored
	// objects once more.
	Adopt(ctx context.Context, c client.Client, t Target, revision Revision) error
	// CallOff writes the fence on the observed ReplicaSet, if it is still that one and not the workload's. Whoever observed
	// it before can not let the workload adopt it any more.
	CallOff(ctx context.Context, c client.Client, t Target, revision Revision, fence string) error
	// Return takes an emptied canary out of our hands: back to the workload if it was its own before, else it is deleted.
	Return(ctx context.Context, c client.Client, t Target, revision Revision) error
	// Resize sets the size of one of a held workload's own revisions, which it does not move itself while it is held.
	Resize(ctx context.Context, c client.Client, t Target, revision Revision, size int32) error
}
