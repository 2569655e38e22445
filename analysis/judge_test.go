package analysis

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/belay-dev/belay/api/v1alpha1"
)

const (
	pass         = v1alpha1.VerdictPass
	fail         = v1alpha1.VerdictFail
	inconclusive = v1alpha1.VerdictInconclusive
	pending      = v1alpha1.VerdictPending
)

// outcomes of a step in short: s success, f failure, i inconclusive, n no data, u unavailable, m misconfigured.
var outcomes = map[rune]Measurement{
	's': {Outcome: Success, Value: "0.001"},
	'f': {Outcome: Failure, Value: "0.2"},
	'i': {Outcome: Inconclusive, Value: "0.03"},
	'n': {Outcome: NoData, Message: "the query returns no series"},
	'u': {Outcome: Unavailable, Message: "did not answer"},
	'm': {Outcome: Misconfigured, Message: "the query returns 2 series"},
}

// play judges a step's measurements one after another, as the runner does: a finished metric is
// not measured again.
func play(metric *v1alpha1.Metric, story string) (v1alpha1.MeasurementCounts, v1alpha1.Verdict, string) {
	var counts v1alpha1.MeasurementCounts
	verdict, message := pending, ""
	for _, r := range story {
		if Finished(metric, counts, verdict) {
			break
		}
		counts, verdict, message = Judge(metric, counts, outcomes[r])
	}
	return counts, verdict, message
}

func limit(n int32) *int32 { return &n }

func TestJudge(t *testing.T) {
	tests := map[string]struct {
		metric  v1alpha1.Metric
		story   string
		verdict v1alpha1.Verdict
		says    string
	}{
		"nothing measured is pending":                     {story: "", verdict: pending},
		"one success passes a metric without count":       {story: "s", verdict: pass, says: "0.001 satisfies result < 0.01"},
		"one failure fails by default":                    {story: "sssf", verdict: fail, says: "1 failed measurement, failureLimit is 0; last: 0.2 does not meet successCondition result < 0.01"},
		"failures up to failureLimit are tolerated":       {metric: v1alpha1.Metric{FailureLimit: 2}, story: "fsfs", verdict: pass},
		"a tolerated failure as the last word holds":      {metric: v1alpha1.Metric{FailureLimit: 2}, story: "fsf", verdict: pending, says: "0.2 does not meet"},
		"more failures than failureLimit fail":            {metric: v1alpha1.Metric{FailureLimit: 2}, story: "fsfsf", verdict: fail, says: "3 failed measurements, failureLimit is 2"},
		"a fail is not taken back":                        {story: "fsss", verdict: fail},
		"failures in a row below the limit hold":          {metric: v1alpha1.Metric{ConsecutiveFailureLimit: 3}, story: "ff", verdict: pending},
		"failures in a row at the limit fail":             {metric: v1alpha1.Metric{ConsecutiveFailureLimit: 3}, story: "sfff", verdict: fail, says: "3 failed measurements in a row, consecutiveFailureLimit is 3"},
		"a success breaks the row":                        {metric: v1alpha1.Metric{ConsecutiveFailureLimit: 3}, story: "ffsffs", verdict: pass},
		"an inconclusive one breaks the row":              {metric: v1alpha1.Metric{ConsecutiveFailureLimit: 3}, story: "ffiff", verdict: pending},
		"missing data does not break a row of failures":   {metric: v1alpha1.Metric{ConsecutiveFailureLimit: 3}, story: "ffnnf", verdict: fail},
		"failureLimit counts beside the row":              {metric: v1alpha1.Metric{ConsecutiveFailureLimit: 3, FailureLimit: 3}, story: "fsfsfsf", verdict: fail, says: "failureLimit is 3"},
		"inconclusive measurements hold":                  {story: "siii", verdict: pending, says: "0.03 meets neither"},
		"success after inconclusive ones passes":          {story: "iiis", verdict: pass},
		"more than inconclusiveLimit is inconclusive":     {story: "iiii", verdict: inconclusive, says: "4 inconclusive measurements, inconclusiveLimit is 3"},
		"inconclusiveLimit 0":                             {metric: v1alpha1.Metric{InconclusiveLimit: limit(0)}, story: "si", verdict: inconclusive},
		"a failure outweighs inconclusive ones":           {story: "iiiif", verdict: fail},
		"no data holds":                                   {story: "nnnn", verdict: pending, says: "the query returns no series"},
		"no data holds after a success":                   {story: "sn", verdict: pending},
		"data that comes back passes again":               {story: "snnns", verdict: pass},
		"persistent absence is inconclusive":              {story: "snnnnn", verdict: inconclusive, says: "no data 5 times in a row, consecutiveErrorLimit is 4; last: the query returns no series"},
		"absence that ends is forgotten":                  {story: "nnnnns", verdict: pass},
		"absence with gaps is not persistent":             {story: "nnnnsnnnn", verdict: pending},
		"persistent absence of a required metric fails":   {metric: v1alpha1.Metric{Required: true}, story: "nnnnn", verdict: fail, says: "the metric is required"},
		"an outage of the source is inconclusive":         {story: "suuuuu", verdict: inconclusive, says: "no data 5 times in a row, consecutiveErrorLimit is 4; last: did not answer"},
		"an outage fails no required metric":              {metric: v1alpha1.Metric{Required: true}, story: "suuuuuuuuuu", verdict: inconclusive, says: "did not answer"},
		"nor does what is missing right after it":         {metric: v1alpha1.Metric{Required: true}, story: "suuuuunnnn", verdict: inconclusive},
		"nor one in the middle of an absence":             {metric: v1alpha1.Metric{Required: true}, story: "snnnnunnnn", verdict: inconclusive},
		"absence that lasts after an outage fails":        {metric: v1alpha1.Metric{Required: true}, story: "suuuuunnnnn", verdict: fail, says: "no data 5 times in a row, consecutiveErrorLimit is 4 and the metric is required"},
		"an outage breaks no row of failures":             {metric: v1alpha1.Metric{ConsecutiveFailureLimit: 3}, story: "ffuuf", verdict: fail},
		"a failure after an outage fails":                 {story: "suuuuuf", verdict: fail},
		"data after an outage passes again":               {metric: v1alpha1.Metric{Required: true}, story: "suuuuus", verdict: pass},
		"short absence of a required metric holds":        {metric: v1alpha1.Metric{Required: true}, story: "snnnn", verdict: pending},
		"consecutiveErrorLimit 0":                         {metric: v1alpha1.Metric{ConsecutiveErrorLimit: limit(0)}, story: "n", verdict: inconclusive},
		"misconfigured holds":                             {story: "mmmmmmmmmm", verdict: pending, says: "2 series"},
		"misconfigured holds a required metric too":       {metric: v1alpha1.Metric{Required: true}, story: "smmmmmmmmm", verdict: pending},
		"count not reached is pending":                    {metric: v1alpha1.Metric{Count: 3}, story: "ss", verdict: pending},
		"count reached passes":                            {metric: v1alpha1.Metric{Count: 3}, story: "sss", verdict: pass, says: "after 3 measurements"},
		"count reached with a tolerated failure passes":   {metric: v1alpha1.Metric{Count: 3, FailureLimit: 1}, story: "ssf", verdict: pass},
		"a finished pass stays":                           {metric: v1alpha1.Metric{Count: 3}, story: "sssffff", verdict: pass},
		"no data does not count":                          {metric: v1alpha1.Metric{Count: 3}, story: "snsnn", verdict: pending},
		"count reached without a success":                 {metric: v1alpha1.Metric{Count: 3}, story: "iii", verdict: inconclusive, says: "without one success"},
		"successes in a row pass":                         {metric: v1alpha1.Metric{ConsecutiveSuccessLimit: 3}, story: "sss", verdict: pass},
		"too few successes in a row are pending":          {metric: v1alpha1.Metric{ConsecutiveSuccessLimit: 3, FailureLimit: 5}, story: "ssfss", verdict: pending},
		"successes in a row survive missing data":         {metric: v1alpha1.Metric{ConsecutiveSuccessLimit: 3}, story: "ssns", verdict: pass},
		"successes in a row before count":                 {metric: v1alpha1.Metric{ConsecutiveSuccessLimit: 2, Count: 5, FailureLimit: 5}, story: "fss", verdict: pass},
		"count before successes in a row":                 {metric: v1alpha1.Metric{ConsecutiveSuccessLimit: 9, Count: 2}, story: "ss", verdict: pass},
		"failures are looked at before count":             {metric: v1alpha1.Metric{Count: 1}, story: "f", verdict: fail},
		"the last error is what an inconclusive one says": {metric: v1alpha1.Metric{ConsecutiveErrorLimit: limit(1)}, story: "nn", verdict: inconclusive, says: "last: the query returns no series"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tc.metric.SuccessCondition = "result < 0.01"
			if strings.Contains(tc.story, "i") {
				tc.metric.FailureCondition = "result > 0.05"
			}
			counts, verdict, message := play(&tc.metric, tc.story)
			if verdict != tc.verdict {
				t.Errorf("%q gives %s (%s), counts %+v; want %s", tc.story, verdict, message, counts, tc.verdict)
			}
			if !strings.Contains(message, tc.says) {
				t.Errorf("message %q does not say %q", message, tc.says)
			}
		})
	}
}

func TestCounts(t *testing.T) {
	metric := &v1alpha1.Metric{FailureLimit: 9}
	counts, _, _ := play(metric, "ssffnnm")
	want := v1alpha1.MeasurementCounts{Success: 2, Failure: 2, Error: 3, ConsecutiveFailure: 2, ConsecutiveError: 2, ConsecutiveNoData: 2}
	if counts != want {
		t.Errorf("counts %+v, want %+v", counts, want)
	}
	counts, _, _ = play(metric, "ffnis")
	want = v1alpha1.MeasurementCounts{Success: 1, Failure: 2, Error: 1, Inconclusive: 1, ConsecutiveSuccess: 1}
	if counts != want {
		t.Errorf("counts %+v, want %+v", counts, want)
	}
}

// anyMetric draws limits around the lengths of the stories.
func anyMetric(t *rapid.T) *v1alpha1.Metric {
	small := rapid.Int32Range(0, 6)
	return &v1alpha1.Metric{
		Count:                   small.Draw(t, "count"),
		FailureLimit:            small.Draw(t, "failureLimit"),
		ConsecutiveFailureLimit: small.Draw(t, "consecutiveFailureLimit"),
		ConsecutiveSuccessLimit: small.Draw(t, "consecutiveSuccessLimit"),
		InconclusiveLimit:       limit(small.Draw(t, "inconclusiveLimit")),
		ConsecutiveErrorLimit:   limit(small.Draw(t, "consecutiveErrorLimit")),
		Required:                rapid.Bool().Draw(t, "required"),
	}
}

func TestMissingDataNeverPassesAndAloneNeverFails(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		metric := anyMetric(t)
		story := rapid.StringOfN(rapid.SampledFrom([]rune("num")), 0, 30, -1).Draw(t, "story")
		_, verdict, _ := play(metric, story)
		if verdict == pass || verdict == fail && !metric.Required {
			t.Fatalf("%q gives %s", story, verdict)
		}
	})
}

func TestAnOutageNeverFails(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		metric := anyMetric(t)
		story := rapid.StringOfN(rapid.SampledFrom([]rune("sfinum")), 0, 20, -1).Draw(t, "story")
		_, before, _ := play(metric, story)
		outage := rapid.StringOfN(rapid.SampledFrom([]rune("um")), 1, 10, -1).Draw(t, "outage")
		if _, after, _ := play(metric, story+outage); after == fail && before != fail {
			t.Fatalf("%q gives %s, then an outage %q gives %s", story, before, outage, after)
		}
	})
}

func TestMissingDataNeverMakesAVerdictBetter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		metric := anyMetric(t)
		story := rapid.StringOfN(rapid.SampledFrom([]rune("sfi")), 0, 20, -1).Draw(t, "story")
		_, before, _ := play(metric, story)
		missing := rapid.StringOfN(rapid.SampledFrom([]rune("num")), 1, 10, -1).Draw(t, "missing")
		_, after, _ := play(metric, story+missing)
		if after == pass && before != pass {
			t.Fatalf("%q gives %s, then %q gives %s", story, before, missing, after)
		}
		if after == fail && before != fail && !metric.Required {
			t.Fatalf("%q gives %s, then %q alone gives %s", story, before, missing, after)
		}
	})
}

func TestPassNeedsASuccess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		metric := anyMetric(t)
		story := rapid.StringOfN(rapid.SampledFrom([]rune("finum")), 0, 30, -1).Draw(t, "story")
		if _, verdict, _ := play(metric, story); verdict == pass {
			t.Fatalf("%q without a success gives %s", story, verdict)
		}
	})
}

func TestCombine(t *testing.T) {
	status := func(name string, verdict v1alpha1.Verdict, dryRun bool) v1alpha1.MetricStatus {
		return v1alpha1.MetricStatus{Name: name, Verdict: verdict, DryRun: dryRun, Message: "because"}
	}
	tests := map[string]struct {
		metrics []v1alpha1.MetricStatus
		verdict v1alpha1.Verdict
		message string
	}{
		"nothing gates":              {nil, pass, "every metric passes"},
		"all pass":                   {[]v1alpha1.MetricStatus{status("a", pass, false), status("b", pass, false)}, pass, "every metric passes"},
		"one pending":                {[]v1alpha1.MetricStatus{status("a", pass, false), status("b", pending, false)}, pending, "b: because"},
		"inconclusive over pending":  {[]v1alpha1.MetricStatus{status("a", pending, false), status("b", inconclusive, false)}, inconclusive, "b: because"},
		"fail over everything":       {[]v1alpha1.MetricStatus{status("a", inconclusive, false), status("b", pending, false), status("c", fail, false)}, fail, "c: because"},
		"a dry run does not fail":    {[]v1alpha1.MetricStatus{status("a", fail, true), status("b", pass, false)}, pass, "every metric passes"},
		"a dry run does not hold":    {[]v1alpha1.MetricStatus{status("a", pending, true)}, pass, "every metric passes"},
		"a dry run does not pass it": {[]v1alpha1.MetricStatus{status("a", pass, true), status("b", pending, false)}, pending, "b: because"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			verdict, message := Combine(tc.metrics)
			if verdict != tc.verdict || message != tc.message {
				t.Errorf("%s %q, want %s %q", verdict, message, tc.verdict, tc.message)
			}
		})
	}
}
