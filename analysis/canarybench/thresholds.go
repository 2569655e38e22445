package canarybench

import "github.com/belay-dev/belay/analysis/evidence"

// argo is a metric of Argo Rollouts, measured once a minute: `interval: 1m`, `successCondition: result >= 0.99`
// over the canary's requests of that minute, `failureLimit: 3`. More measurements than failureLimit that are
// not a success fail the analysis, wherever they are in it. A minute without requests gives no number, which is
// an error; more than consecutiveErrorLimit (4 if not said) of these in a row end the analysis as well.
//
// https://argo-rollouts.readthedocs.io/en/stable/features/analysis/
type argo struct {
	minutes
	threshold                     float64
	failures, errors              int
	failureLimit, consecutiveSame int
	aborted                       bool
}

// Argo with a largest bad share.
func Argo(threshold float64) Rule {
	return Rule{"Argo Rollouts", func(Truth, evidence.Dispersion) Judge {
		return &argo{threshold: threshold, failureLimit: 3, consecutiveSame: 4}
	}}
}

func (a *argo) Add(t evidence.Tick) {
	minute, over := a.add(t)
	switch {
	case !over:
		return
	case minute.canary.Requests == 0:
		a.errors++
	case minute.canary.BadShare() > a.threshold:
		a.failures, a.errors = a.failures+1, 0
	default:
		a.errors = 0
	}
	a.aborted = a.aborted || a.failures > a.failureLimit || a.errors > a.consecutiveSame
}

func (a *argo) RollsBack() bool { return a.aborted }

// flagger is the analysis of Flagger: `interval: 1m`, metric request-success-rate with `thresholdRange:
// {min: 99}` over one minute, `threshold: 5`. Each check below the range counts, and halts the advancement; at
// the threshold the canary is rolled back. A minute without requests is a check that waits.
//
// https://docs.flagger.app/usage/how-it-works, https://docs.flagger.app/usage/metrics,
// https://docs.flagger.app/tutorials/istio-progressive-delivery
type flagger struct {
	minutes
	share             float64
	failed, threshold int
	halted            bool // the last check failed
}

// Flagger with a largest bad share.
func Flagger(share float64) Rule {
	return Rule{"Flagger", func(Truth, evidence.Dispersion) Judge { return &flagger{share: share, threshold: 5} }}
}

func (f *flagger) Add(t evidence.Tick) {
	minute, over := f.add(t)
	if !over {
		return
	}
	if f.halted = minute.canary.BadShare() > f.share; f.halted {
		f.failed++
	}
}

func (f *flagger) RollsBack() bool { return f.failed >= f.threshold }
