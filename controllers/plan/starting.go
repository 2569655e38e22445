package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/workloads"
)

// mayStart checks everything that must be so before an attempt, and records it.
func (o *Observed) mayStart() *Plan {
	c := o.Workload.Candidate
	if o.quarantined(c) {
		return o.knownBad(c)
	}
	if p := o.undoRoll(); p != nil {
		return p
	}
	if problem := o.contestedRoute(); problem != nil {
		return stalled(*problem)
	}
	return o.start(c)
}

// undoRoll brings a held workload that was caught in the middle of its own roll-out back to the stable revision, pod by
// pod; nil: it is not in one. A held Deployment keeps both revisions and only sees to their sum, so a pod less of the
// one and a pod more of the other is all that it takes.
func (o *Observed) undoRoll() *Plan {
	s, ok := o.stable()
	others := o.Workload.Others(o.Progress.Stable.ReplicaSet)
	if !ok || len(others) == 0 {
		return nil
	}
	other := others[0]
	reason := fmt.Sprintf("a new template came in the middle of a roll-out: the pods of revision %s go back to stable %s first", other.Hash, s.Hash)
	if other.Replicas == 0 || s.Ready < s.Replicas {
		return wait(v1alpha1.PhasePending, reason, time.Time{}, time.Time{})
	}
	if s.Replicas >= o.Workload.Replicas {
		return act(v1alpha1.PhasePending, reason, Resize{Revision: other, Size: 0})
	}
	return act(v1alpha1.PhasePending, reason, Resize{Revision: other, Size: other.Replicas - 1}, Resize{Revision: s, Size: s.Replicas + 1})
}

// quarantined says that a revision failed before, give or take annotations whose change is no release.
func (o *Observed) quarantined(c workloads.Revision) bool {
	return slices.ContainsFunc(o.Progress.Quarantine, func(q v1alpha1.QuarantinedRevision) bool {
		r, ok := o.Workload.Find(q.ReplicaSet)
		return q.ReplicaSet == c.Name || (ok && r.Alike)
	})
}

// knownBad holds a revision that failed before, without canary pods and without a second commit.
func (o *Observed) knownBad(c workloads.Revision) *Plan {
	reason := fmt.Sprintf("revision %s failed before and is not tried again by itself (KnownBadRevision)", c.Hash)
	return o.record(v1alpha1.PhaseHeld, reason, func(p *v1alpha1.Progress) {
		p.Canary = &v1alpha1.RevisionRecord{Revision: c.Hash, ReplicaSet: c.Name, Image: c.Image, Source: o.Workload.Source}
		p.Ending = &v1alpha1.Ending{Outcome: v1alpha1.OutcomeFailed, Reason: reason, At: o.stamp()}
		p.Revert = &v1alpha1.RevertRecord{State: v1alpha1.RevertSkipped, Reason: "KnownBadRevision", Message: reason}
		o.enter(p, v1alpha1.StageHeld)
	})
}

// contestedRoute finds a route that another Rollout splits at this moment.
func (o *Observed) contestedRoute() *Problem {
	for _, r := range o.Routes {
		if r.Other != nil {
			return &Problem{"RouteContested", fmt.Sprintf("%s %s is split for Service %s by another Rollout: the attempt starts when that one is over", r.Ref.Kind, r.Ref.Name, r.Other.Service)}
		}
	}
	return nil
}

// start records a new attempt. Nothing of it exists before this record does.
func (o *Observed) start(c workloads.Revision) *Plan {
	reason := fmt.Sprintf("a new template is held: attempt %d begins with revision %s", o.Progress.Attempt+1, c.Hash)
	return o.record(v1alpha1.PhaseProgressing, reason, func(p *v1alpha1.Progress) {
		*p = v1alpha1.Progress{
			Sequence: p.Sequence, Attempt: p.Attempt + 1, Stable: p.Stable, Quarantine: p.Quarantine, Request: p.Request,
			StartedAt: o.stampPtr(), Replicas: o.Workload.Replicas, WorkloadUID: o.Workload.UID,
			SnapshotDigest: o.LiveDigest, SnapshotGeneration: o.Generation,
			CanaryService: o.Config.Service + "-canary",
			Canary: &v1alpha1.RevisionRecord{
				Revision: c.Hash, ReplicaSet: c.Name, Image: c.Image, Source: o.Workload.Source, TakenOver: c.Exists && c.Owned,
			},
		}
		o.enter(p, v1alpha1.StagePinning)
	})
}
