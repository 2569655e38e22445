package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
)

// pinning makes everything that must stand before a canary pod exists: the attempt's parameters, the canary's Service,
// the pins, and the split at weight zero, so that gateways know the canary's Service before it gets the first percent.
func pinning(o *Observed) *Plan {
	if o.Progress.Stage != v1alpha1.StagePinning {
		return nil
	}
	if o.attemptMissing() && o.LiveDigest != o.Progress.SnapshotDigest {
		// The Rollout was edited between the record and the snapshot. Nothing is exposed yet: take the edit.
		return o.record(v1alpha1.PhaseProgressing, "the Rollout was edited as the attempt began", func(p *v1alpha1.Progress) {
			p.SnapshotDigest, p.SnapshotGeneration = o.LiveDigest, o.Generation
		})
	}
	if problem := o.contestedRoute(); problem != nil {
		// Another Rollout was quicker. This one takes down what it has made, and begins again when that one is over.
		return o.end(v1alpha1.OutcomeSuperseded, problem.Message)
	}
	if problem := o.pinProblem(); problem != nil {
		p := stalled(*problem)
		return p.wakeBy(o.Progress.StageSince.Add(o.Config.Progress))
	}
	if effects := o.preparing(); len(effects) > 0 {
		return o.withTip(act(v1alpha1.PhaseProgressing, "the stable revision is pinned before a canary pod exists", effects...))
	}
	since, until := o.Progress.StageSince.Time, o.Progress.StageSince.Add(o.Config.Progress)
	if pending := o.pinningPending(); pending != "" {
		return o.withTip(wait(v1alpha1.PhaseProgressing, "waits until "+pending, since, until))
	}
	if why, frozen := o.frozen(); frozen {
		return wait(v1alpha1.PhasePaused, "no canary pod is started: "+why, since, until)
	}
	return o.toStep(1, "stable is pinned")
}

// claiming makes the hold the attempt's own.
func (o *Observed) claiming() []Effect {
	if !o.Workload.Held || o.claimed().Attempt >= o.Progress.Attempt {
		return nil
	}
	return []Effect{Claim{ResourceVersion: o.Workload.ResourceVersion}}
}

// claimed is the fence of the hold; the zero value: nobody's.
func (o *Observed) claimed() routers.Fence {
	f, _ := routers.ParseFence(o.Workload.Claim)
	return f
}

// attemptMissing says that the parameter object is not this attempt's.
func (o *Observed) attemptMissing() bool {
	pin, ok := routers.ParsePin(o.Attempt.Pin)
	return !o.Attempt.Found || o.Attempt.Digest != o.Progress.SnapshotDigest || !ok ||
		pin.Attempt != o.Progress.Attempt || pin.Value != o.Progress.Stable.Revision
}

// preparing lists what is still to be made before the first canary pod.
func (o *Observed) preparing() []Effect {
	pin := o.pin()
	zero := o.split(v1alpha1.RouteReference{}, "", 0)
	effects := o.claiming()
	if o.attemptMissing() {
		effects = append(effects, EnsureAttempt{Pin: pin, Split: zero.Split, Labels: o.Workload.PodLabels})
	}
	if o.canaryServiceStale() {
		effects = append(effects, o.ensureCanaryService())
	}
	effects = append(effects, o.pinEffects()...)
	if len(effects) > 0 {
		return effects
	}
	for _, r := range o.Routes {
		if r.Found && r.Other == nil && (r.Intent == nil || r.Intent.Attempt != o.Progress.Attempt) {
			effects = append(effects, o.split(r.Ref, r.ResourceVersion, 0))
		}
	}
	return effects
}

// canaryServiceStale says that the canary's Service is missing or does not say what it has to.
func (o *Observed) canaryServiceStale() bool {
	return !o.Canary.Found || !o.Canary.Current || o.Canary.Revision != o.Progress.Canary.Revision
}

func (o *Observed) ensureCanaryService() Effect {
	return EnsureCanaryService{Name: o.Progress.CanaryService, Service: o.Config.Service, Revision: o.Progress.Canary.Revision}
}

// pinEffects pins every Service that is not pinned to the stable revision.
func (o *Observed) pinEffects() []Effect {
	if o.Progress.Stable == nil {
		return nil
	}
	var effects []Effect
	for _, s := range o.Services {
		if s.Pin == nil || !s.Pinned || s.Pin.Value != o.Progress.Stable.Revision {
			effects = append(effects, Pin{Service: s.Name, ResourceVersion: s.ResourceVersion, Pin: o.pin()})
		}
	}
	return effects
}

// unpinEffects takes every pin off.
func (o *Observed) unpinEffects() []Effect {
	var effects []Effect
	for _, s := range o.Services {
		if s.Pin != nil {
			effects = append(effects, Unpin{Service: s.Name, ResourceVersion: s.ResourceVersion})
		}
	}
	return effects
}

// pinProblem finds a Service whose pin would drop traffic.
func (o *Observed) pinProblem() *Problem {
	for _, s := range o.Services {
		if s.Pin != nil {
			continue
		}
		if s.Foreign > 0 {
			return &Problem{"ServiceSelectsOthers", fmt.Sprintf(
				"Service %s also selects pods that are not %s's: give it a selector that matches this workload only", s.Name, o.WorkloadName)}
		}
		for _, revision := range slices.Sorted(maps.Keys(s.Ready)) {
			if s.Ready[revision] > 0 && revision != o.Progress.Stable.Revision {
				return &Problem{"RollInProgress", fmt.Sprintf(
					"Service %s has endpoints of revision %s beside stable %s: waits until they are gone", s.Name, revision, o.Progress.Stable.Revision)}
			}
		}
	}
	if o.Canary.Found && o.Canary.Foreign {
		return &Problem{"CanaryServiceForeign", fmt.Sprintf(
			"Service %s exists and was not made by this Rollout: rename or delete it", o.Progress.CanaryService)}
	}
	return nil
}

// pinningPending says what the stage still waits for; empty: nothing.
func (o *Observed) pinningPending() string {
	for _, s := range o.Services {
		if !s.Pinned {
			return fmt.Sprintf("Service %s is pinned to revision %s", s.Name, o.Progress.Stable.Revision)
		}
	}
	for _, r := range o.Routes {
		if !r.Found {
			return fmt.Sprintf("%s %s exists", r.Ref.Kind, r.Ref.Name)
		}
		if !r.Divided && r.Names {
			return fmt.Sprintf("%s %s can be split (SplitImpossible): %s", r.Ref.Kind, r.Ref.Name, unsplitText(r))
		}
	}
	return o.unprogrammed()
}

func unsplitText(r routers.State) string {
	if len(r.Unsplit) == 0 {
		return "the admission policy did not divide it"
	}
	return fmt.Sprintf("%s would have more than 16 backends or a weight above 1,000,000", r.Unsplit[0])
}
