package plan

import (
	"fmt"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/workloads"
)

// handOver finishes what was judged good. Once the workload has taken the canary over there is no way back, so neither a
// suspension nor an invalid spec stops it.
func handOver(o *Observed) *Plan {
	if o.Progress.CalledOff != nil {
		return o.callingOff()
	}
	switch o.Progress.Stage {
	case v1alpha1.StageUnpinning, v1alpha1.StageHandingOver, v1alpha1.StageCompleting, v1alpha1.StageClearing:
		// Also one that was recreated meanwhile.
		if effects := o.unpinEffects(); len(effects) > 0 {
			return act(v1alpha1.PhaseProgressing, "the Services take the canary's pods in", effects...)
		}
	}
	if o.Request != nil {
		switch o.Progress.Stage {
		case v1alpha1.StageHandingOver, v1alpha1.StageCompleting, v1alpha1.StageClearing:
			return requested(o) // too late, and said so at once
		}
	}
	switch o.Progress.Stage {
	case v1alpha1.StageUnpinning:
		return o.unpinning()
	case v1alpha1.StageHandingOver:
		return o.handingOver()
	case v1alpha1.StageCompleting:
		return o.completing()
	case v1alpha1.StageClearing:
		return o.clearing()
	}
	return nil
}

// unpinning lets the Services select the canary pods too, and waits until they carry every one of them.
func (o *Observed) unpinning() *Plan {
	since, until := o.Progress.StageSince.Time, o.Progress.StageSince.Add(o.Config.Progress)
	if p := o.canaryFull(since, until); p != nil {
		return p
	}
	if pending := o.unpinningPending(); pending != "" {
		return wait(v1alpha1.PhaseProgressing, "waits until "+pending, since, until)
	}
	return o.record(v1alpha1.PhaseProgressing, "every Service carries the canary's pods: the workload takes them over", func(p *v1alpha1.Progress) {
		o.enter(p, v1alpha1.StageHandingOver)
	})
}

// canaryFull brings the canary to the workload's full size and waits until all of it is available; nil: it is. The
// workload may have been scaled since the last step.
func (o *Observed) canaryFull(since, until time.Time) *Plan {
	c, _ := o.canary()
	want := o.size()
	if c.Ours && c.Replicas < want {
		return act(v1alpha1.PhaseProgressing, fmt.Sprintf("the canary is scaled to %d", want), Canaries{Revision: c, Size: want})
	}
	if c.Available < want {
		return wait(v1alpha1.PhaseProgressing, fmt.Sprintf("waits until %d canary pods are available, %d are%s", want, c.Available, o.podTrouble()), since, until)
	}
	return nil
}

// unpinningPending says which Service does not carry the canary's pods yet; empty: all do.
func (o *Observed) unpinningPending() string {
	want := o.size()
	for _, s := range o.Services {
		if ready := s.Ready[o.Progress.Canary.Revision]; ready < want {
			return fmt.Sprintf("Service %s has %d endpoints of the canary, it has %d", s.Name, want, ready)
		}
	}
	return ""
}

// handingOver gives the ReplicaSet to the workload and takes the hold off.
func (o *Observed) handingOver() *Plan {
	c, ok := o.canary()
	switch {
	case !ok || o.recreated():
		return o.end(v1alpha1.OutcomeSuperseded, o.WorkloadName+" or the canary's ReplicaSet was deleted at the hand-over")
	case !c.Owned && !c.Current:
		return o.end(v1alpha1.OutcomeSuperseded, "a newer template came before the workload took the canary over")
	case !c.Owned:
		// Pods may have gone away since: the workload would have to start new ones.
		if p := o.canaryFull(o.Progress.StageSince.Time, o.Progress.StageSince.Add(o.Config.Progress)); p != nil {
			return p
		}
		return act(v1alpha1.PhaseProgressing, "the workload takes the canary's ReplicaSet over", Adopt{Revision: c})
	case o.Workload.Held && c.Current:
		return act(v1alpha1.PhaseProgressing, "the hold goes: the canary's pods are the workload's own", Release{ResourceVersion: o.Workload.ResourceVersion})
	}
	return o.record(v1alpha1.PhaseProgressing, fmt.Sprintf("revision %s is stable now; the workload lets the old one go", c.Hash), func(p *v1alpha1.Progress) {
		p.Stable = &v1alpha1.RevisionRecord{Revision: c.Hash, ReplicaSet: c.Name, Image: c.Image, Source: p.Canary.Source}
		o.enter(p, v1alpha1.StageCompleting)
	})
}

// completing waits until the workload has let the old revision go.
func (o *Observed) completing() *Plan {
	if o.recreated() {
		return o.toClearing()
	}
	others := o.Workload.Others(o.Progress.Stable.ReplicaSet)
	s, _ := o.stable()
	whole := s.Available >= o.Workload.Replicas
	if p := o.endOld(others); whole && p != nil {
		return p
	}
	alone := len(others) == 0
	if alone && whole && (o.Workload.Held || o.Workload.Settled) && o.oldEndpoints() == "" {
		return o.toClearing()
	}
	return o.awaitCompletion(alone, s.Ready)
}

// oldEndpoints names a Service that still sends to another revision than the promoted one; empty: none does. Its
// share of the routes is zero until the split goes, so nobody has got lost there yet.
func (o *Observed) oldEndpoints() string {
	for _, s := range o.Services {
		for revision, ready := range s.Ready {
			if ready > 0 && revision != o.Progress.Stable.Revision {
				return s.Name
			}
		}
	}
	return ""
}

// awaitCompletion waits for the workload's own controller. That the promoted pods have got into trouble since is no
// reason to keep back what mends it.
func (o *Observed) awaitCompletion(alone bool, ready int32) *Plan {
	since, until := o.Progress.StageSince.Time, o.Progress.StageSince.Add(o.Config.Progress)
	switch {
	case ready == 0 && o.Workload.Held:
		return o.toClearing()
	case o.Now.Before(until):
		return wait(v1alpha1.PhaseProgressing, "waits until "+o.notLetGo(alone)+" has let the old revision go", since, until)
	case alone, ready == 0:
		return o.toClearing()
	}
	return stalled(Problem{"HandOverIncomplete", fmt.Sprintf(
		"%s has not let the old revision go within %s: its conditions say why; all traffic is on the promoted revision", o.WorkloadName, o.Config.Progress)})
}

// notLetGo is who still has the old revision: the workload, or a Service that lags behind it.
func (o *Observed) notLetGo(alone bool) string {
	if name := o.oldEndpoints(); alone && name != "" {
		return "Service " + name
	}
	return o.WorkloadName
}

// endOld ends the old revision where a newer template came at the moment of the hand-over: the workload is paused with
// both. The old one is not needed any more, all traffic is on the promoted one. nil: it has no pods, or nothing is held.
func (o *Observed) endOld(others []workloads.Revision) *Plan {
	if !o.Workload.Held {
		return nil
	}
	for _, r := range others {
		if r.Replicas > 0 {
			return act(v1alpha1.PhaseProgressing, "the old revision ends", Resize{Revision: r, Size: 0})
		}
	}
	return nil
}

func (o *Observed) toClearing() *Plan {
	return o.record(v1alpha1.PhaseProgressing, "the routes are to go back to Git's form", func(p *v1alpha1.Progress) {
		p.WeightPermille = 0
		o.enter(p, v1alpha1.StageClearing)
	})
}

// clearing takes the split off; the Services select the promoted pods alone by now. A gateway hears of endpoints and of
// routes in no order: it is granted the settle time before, to learn that the old revision's pods are gone, and once more
// after, before anything else may begin.
func (o *Observed) clearing() *Plan {
	since := o.Progress.StageSince.Time
	known := since.Add(o.Config.Settle)
	if o.Now.Before(known) {
		return wait(v1alpha1.PhaseProgressing, "the gateways learn which pods stand behind the Services now", since, known)
	}
	var effects []Effect
	for _, r := range o.Routes {
		if !r.Clear() {
			effects = append(effects, ClearSplit{Route: r.Ref, ResourceVersion: r.ResourceVersion})
		}
	}
	if len(effects) > 0 {
		return act(v1alpha1.PhaseProgressing, "the routes go back to Git's form", effects...)
	}
	if lag, until := o.unprogrammed(), known.Add(o.Config.Progress); lag != "" && o.Now.Before(until) {
		return wait(v1alpha1.PhaseProgressing, "waits until "+lag, known, until)
	}
	if p := o.settlingCleared(); p != nil {
		return p
	}
	if o.Attempt.Found {
		// Before anything else may begin: they would pin a Service that is made anew to the revision that has just gone.
		return act(v1alpha1.PhaseProgressing, "the attempt's parameters go", DeleteAttempt{})
	}
	return o.promoted()
}

// settlingCleared remembers when the routes were seen in Git's form and lets the gateways settle; nil: they have.
func (o *Observed) settlingCleared() *Plan {
	const settles = "the gateways settle"
	if o.Progress.ClearedAt == nil {
		p := o.record(v1alpha1.PhaseProgressing, settles, func(p *v1alpha1.Progress) { p.ClearedAt = o.stampPtr() })
		p.Quiet, p.Waiting = true, waiting(settles, o.Now, o.Now.Add(o.Config.Settle))
		return p
	}
	since := o.Progress.ClearedAt.Time
	if settled := since.Add(o.Config.Settle); o.Now.Before(settled) {
		return wait(v1alpha1.PhaseProgressing, settles, since, settled)
	}
	return nil
}

// promoted closes a good attempt in the books.
func (o *Observed) promoted() *Plan {
	e := v1alpha1.Ending{Outcome: v1alpha1.OutcomePromoted, Reason: fmt.Sprintf("revision %s %s", o.Progress.Stable.Revision, o.merit()), At: o.stamp(), Step: o.stepText(), Cost: o.cost()}
	p := o.record(v1alpha1.PhaseHealthy, fmt.Sprintf("revision %s is promoted", o.Progress.Stable.Revision), func(p *v1alpha1.Progress) {
		p.Ending = &e
		p.WeightPermille, p.Step = 0, 0
		p.Retiring = o.retiring(o.Now)
		o.enter(p, v1alpha1.StageResting)
	})
	p.Ended = o.attempt(e)
	return p
}
