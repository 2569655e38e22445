package analysis

import "github.com/belay-dev/belay/api/v1alpha1"

// Outcome of one measurement.
type Outcome string

// Outcomes of a measurement.
const (
	// Success: successCondition holds (or failureCondition, being alone, does not).
	Success Outcome = "Success"
	// Failure: failureCondition holds (or successCondition, being alone, does not).
	Failure Outcome = "Failure"
	// Inconclusive: both conditions are given and neither holds.
	Inconclusive Outcome = "Inconclusive"
	// NoData: the source answered, and there is nothing to judge. An empty answer, NaN, an infinity.
	NoData Outcome = "NoData"
	// Unavailable: the source did not answer. It says nothing about what is measured, so it is never a failure, not even
	// of a required metric.
	Unavailable Outcome = "Unavailable"
	// Misconfigured: the metric cannot be judged until a person changes it. It holds the step and
	// counts towards no limit.
	Misconfigured Outcome = "Misconfigured"
)

// Measurement is one answer, judged by the conditions.
type Measurement struct {
	Outcome Outcome
	// Value as people read it; empty without one.
	Value string
	// Message says why there is no value; empty with one.
	Message string
}

// Combine says what the metrics of a step say together, and in one sentence why: Fail if any
// fails, else Inconclusive if any is, else Pending if any is, else Pass. Metrics in dry run do not
// count. Without a metric that counts nothing gates the step: Pass.
func Combine(metrics []v1alpha1.MetricStatus) (v1alpha1.Verdict, string) {
	for _, verdict := range []v1alpha1.Verdict{
		v1alpha1.VerdictFail, v1alpha1.VerdictInconclusive, v1alpha1.VerdictPending,
	} {
		for i := range metrics {
			m := &metrics[i]
			if !m.DryRun && m.Verdict == verdict {
				return verdict, m.Name + ": " + m.Message
			}
		}
	}
	return v1alpha1.VerdictPass, "every metric passes"
}
