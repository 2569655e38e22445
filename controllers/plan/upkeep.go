package plan

import (
	"fmt"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// stableLostFor is how long the stable revision may be without a ready pod before the canary takes over. A single pod
// that restarts is back by then.
const stableLostFor = time.Minute

// snapshotLost ends an attempt whose snapshot is gone or was changed: to go on with another ladder or other metrics
// than it began with would be a promotion that nobody asked for.
func snapshotLost(o *Observed) *Plan {
	if !o.Attempt.Lost || o.Progress.Stage != v1alpha1.StageStepping {
		return nil
	}
	return o.end(v1alpha1.OutcomeUndecided, fmt.Sprintf("the attempt's parameters (ConfigMap belay-%s) were deleted or changed", o.Name))
}

// stableLost notes that no stable pod is ready, and lets the canary take over when that lasts.
func stableLost(o *Observed) *Plan {
	s, ok := o.stable()
	if o.Progress.Stage != v1alpha1.StageStepping || !ok || o.Workload.Replicas == 0 || o.Progress.PromoteFull {
		return nil
	}
	since := o.Progress.StableLostSince
	switch {
	case s.Ready > 0 && since != nil:
		return o.record(v1alpha1.PhaseProgressing, "the stable revision has ready pods again", func(p *v1alpha1.Progress) { p.StableLostSince = nil })
	case s.Ready > 0:
		return nil
	case since == nil:
		return o.record(v1alpha1.PhaseProgressing, fmt.Sprintf("no stable pod is ready; the canary takes over when none is back within %s", stableLostFor),
			func(p *v1alpha1.Progress) { p.StableLostSince = o.stampPtr() })
	case !o.canaryMayTakeOver():
		return nil
	}
	return o.record(v1alpha1.PhaseProgressing, "no stable pod is ready: there is nothing to protect, the canary takes over", func(p *v1alpha1.Progress) {
		p.PromoteFull, p.Paused, p.Inconclusive = true, false, ""
	})
}

// canaryMayTakeOver says that stable has been lost for long enough, and that there is somebody to take over.
func (o *Observed) canaryMayTakeOver() bool {
	return !o.Now.Before(o.Progress.StableLostSince.Add(stableLostFor)) && o.canaryReady() > 0
}

// upkeep keeps what was made before the first canary pod: a Service that came under the pods since is pinned, and the
// canary's Service says what the user's says.
func upkeep(o *Observed) *Plan {
	if o.Progress.Stage != v1alpha1.StageStepping {
		return nil
	}
	var effects []Effect
	if !o.Canary.Foreign && o.canaryServiceStale() {
		effects = append(effects, o.ensureCanaryService())
	}
	if o.pinProblem() == nil {
		effects = append(effects, o.pinEffects()...)
	}
	if len(effects) == 0 {
		return nil
	}
	return act(v1alpha1.PhaseProgressing, "what the attempt stands on is put back", effects...)
}
