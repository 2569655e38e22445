package measure

import (
	"time"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
)

// Job is what is measured for one Rollout: the metrics of the step that runs.
type Job struct {
	Attempt int64
	// Step, 1-based as in MetricStatus.Step.
	Step int32
	// Since is when the step's clock started.
	Since time.Time
	// Plans of the metrics, from analysis.Compile.
	Plans []analysis.Plan
	// Provider that answers the queries.
	Provider analysis.Provider
	// Reader of raw samples, for comparisons.
	Reader analysis.Reader
	// Vars that the queries may name: the canary's. Stable's are for the other arm of a comparison.
	Vars, Stable analysis.Vars
	// Exposures are the weights of the attempt since metrics run, StablePods is how many pods stable has.
	Exposures  []v1alpha1.Exposure
	StablePods int32
	// Restored is status.metrics of this attempt, from which counts continue after a restart.
	// Entries of another step, and those measured before Since, are ignored.
	Restored []v1alpha1.MetricStatus
}

// State is what is known about a job. It is a copy.
type State struct {
	Attempt int64
	Step    int32
	// Metrics, in the order of the plans.
	Metrics []v1alpha1.MetricStatus
	// Verdict of all metrics together (analysis.Combine), and why.
	Verdict v1alpha1.Verdict
	Message string
	// Warnings for people, one per metric at most: windows that reach into another step.
	Warnings []string
	// Misconfigured says what a person has to change before a metric can be measured; empty when
	// nothing. The verdict stays Pending meanwhile.
	Misconfigured string
}
