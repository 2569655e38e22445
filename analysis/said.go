package analysis

import (
	"fmt"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// Limit is the condition of a metric as people read it beside a value.
func Limit(metric *v1alpha1.Metric) string {
	switch {
	case metric.Compare != nil:
		return comparisonLimit(metric.Compare)
	case metric.Gauge != nil:
		return gaugeLimit(metric.Gauge)
	case metric.FailureCondition == "":
		return metric.SuccessCondition
	case metric.SuccessCondition == "":
		return "not (" + metric.FailureCondition + ")"
	}
	return metric.SuccessCondition + "; fails at " + metric.FailureCondition
}

// said is one measurement as a clause.
func said(metric *v1alpha1.Metric, m Measurement) string {
	switch m.Outcome {
	case Success:
		return fmt.Sprintf("%s satisfies %s", m.Value, Limit(metric))
	case Failure:
		if metric.FailureCondition != "" {
			return fmt.Sprintf("%s meets failureCondition %s", m.Value, metric.FailureCondition)
		}
		return fmt.Sprintf("%s does not meet successCondition %s", m.Value, metric.SuccessCondition)
	case Inconclusive:
		return fmt.Sprintf("%s meets neither successCondition %s nor failureCondition %s",
			m.Value, metric.SuccessCondition, metric.FailureCondition)
	}
	return m.Message
}
