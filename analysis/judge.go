package analysis

import (
	"fmt"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// Limits that a metric has when it names none.
const (
	DefaultInconclusiveLimit     = 3
	DefaultConsecutiveErrorLimit = 4
)

// Judge counts one measurement of a step and says what the step's measurements now mean.
//
//	Fail          more failures than failureLimit · consecutiveFailureLimit failures in a row ·
//	              no data more often in a row than consecutiveErrorLimit, if the metric is required
//	Inconclusive  more inconclusive measurements than inconclusiveLimit · no data or no answer more
//	              often in a row than consecutiveErrorLimit · count reached without one success
//	Pass          consecutiveSuccessLimit successes in a row · count reached with a success ·
//	              without a count: the last measurement is a success
//	Pending       everything else, notably while data is missing
//
// failureLimit is 0 unless set; where consecutiveFailureLimit is set it takes the place of a
// failureLimit of 0, or a single failure would always come first. A measurement without data
// breaks no row and counts towards no limit but consecutiveErrorLimit; until data is back, it
// takes a Pass of the running kind away and holds the step. A source that does not answer breaks a
// row of absent data: what it would have said is not known, and an outage must not roll back.
func Judge(metric *v1alpha1.Metric, counts v1alpha1.MeasurementCounts, m Measurement) (v1alpha1.MeasurementCounts, v1alpha1.Verdict, string) {
	counts = count(counts, m.Outcome)
	if verdict, why := exceeded(metric, counts, m); verdict != "" {
		return counts, verdict, why
	}
	if reached(metric, counts) {
		if counts.Success == 0 {
			return counts, v1alpha1.VerdictInconclusive, fmt.Sprintf("measured %d times without one success; last: %s", measured(counts), said(metric, m))
		}
		return counts, v1alpha1.VerdictPass, fmt.Sprintf("%s after %s", said(metric, m), times(measured(counts), "measurement"))
	}
	if m.Outcome == Success && metric.Count == 0 && metric.ConsecutiveSuccessLimit == 0 {
		return counts, v1alpha1.VerdictPass, said(metric, m)
	}
	return counts, v1alpha1.VerdictPending, said(metric, m)
}

// Finished says that no further measurement can change the verdict in this step: nothing has to
// be asked any more.
func Finished(metric *v1alpha1.Metric, counts v1alpha1.MeasurementCounts, verdict v1alpha1.Verdict) bool {
	return verdict == v1alpha1.VerdictFail || verdict != v1alpha1.VerdictPending && reached(metric, counts)
}

func count(c v1alpha1.MeasurementCounts, outcome Outcome) v1alpha1.MeasurementCounts {
	switch outcome {
	case Success:
		c.Success++
		c.ConsecutiveSuccess++
		c.ConsecutiveFailure, c.ConsecutiveError, c.ConsecutiveNoData = 0, 0, 0
	case Failure:
		c.Failure++
		c.ConsecutiveFailure++
		c.ConsecutiveSuccess, c.ConsecutiveError, c.ConsecutiveNoData = 0, 0, 0
	case Inconclusive:
		c.Inconclusive++
		c.ConsecutiveSuccess, c.ConsecutiveFailure, c.ConsecutiveError, c.ConsecutiveNoData = 0, 0, 0, 0
	case NoData:
		c.Error++
		c.ConsecutiveError++
		c.ConsecutiveNoData++
	case Unavailable:
		c.Error++
		c.ConsecutiveError++
		c.ConsecutiveNoData = 0
	case Misconfigured:
		c.Error++
	}
	return c
}

// exceeded looks at the limits, the worst first.
func exceeded(metric *v1alpha1.Metric, c v1alpha1.MeasurementCounts, m Measurement) (v1alpha1.Verdict, string) {
	inRow := metric.ConsecutiveFailureLimit
	if inRow > 0 && c.ConsecutiveFailure >= inRow {
		return v1alpha1.VerdictFail, fmt.Sprintf("%s in a row, consecutiveFailureLimit is %d; last: %s",
			times(c.ConsecutiveFailure, "failed measurement"), inRow, said(metric, m))
	}
	if c.Failure > metric.FailureLimit && (inRow == 0 || metric.FailureLimit > 0) {
		return v1alpha1.VerdictFail, fmt.Sprintf("%s, failureLimit is %d; last: %s",
			times(c.Failure, "failed measurement"), metric.FailureLimit, said(metric, m))
	}
	if verdict, why := absent(metric, c, m); verdict != "" {
		return verdict, why
	}
	if limit := limitOr(metric.InconclusiveLimit, DefaultInconclusiveLimit); c.Inconclusive > limit {
		return v1alpha1.VerdictInconclusive, fmt.Sprintf("%s, inconclusiveLimit is %d; last: %s",
			times(c.Inconclusive, "inconclusive measurement"), limit, said(metric, m))
	}
	return "", ""
}

// absent looks at the limit of measurements without data.
func absent(metric *v1alpha1.Metric, c v1alpha1.MeasurementCounts, m Measurement) (v1alpha1.Verdict, string) {
	limit := limitOr(metric.ConsecutiveErrorLimit, DefaultConsecutiveErrorLimit)
	if metric.Required && c.ConsecutiveNoData > limit {
		return v1alpha1.VerdictFail, fmt.Sprintf("no data %s in a row, consecutiveErrorLimit is %d and the metric is required; last: %s",
			times(c.ConsecutiveNoData, "time"), limit, said(metric, m))
	}
	if c.ConsecutiveError > limit {
		return v1alpha1.VerdictInconclusive, fmt.Sprintf("no data %s in a row, consecutiveErrorLimit is %d; last: %s",
			times(c.ConsecutiveError, "time"), limit, said(metric, m))
	}
	return "", ""
}

// reached says that the metric has all the measurements it asks for.
func reached(metric *v1alpha1.Metric, c v1alpha1.MeasurementCounts) bool {
	if limit := metric.ConsecutiveSuccessLimit; limit > 0 && c.ConsecutiveSuccess >= limit {
		return true
	}
	return metric.Count > 0 && measured(c) >= metric.Count
}

// measured counts the measurements that had data.
func measured(c v1alpha1.MeasurementCounts) int32 { return c.Success + c.Failure + c.Inconclusive }

func limitOr(limit *int32, otherwise int32) int32 {
	if limit == nil {
		return otherwise
	}
	return *limit
}

func times(n int32, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
