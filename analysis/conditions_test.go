package analysis

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// metricOf has a query that is not what is tested.
func metricOf(success, failure string) v1alpha1.Metric {
	return v1alpha1.Metric{
		Name:             "m",
		Prometheus:       &v1alpha1.PrometheusQuery{Query: "up"},
		SuccessCondition: success,
		FailureCondition: failure,
	}
}

func planOf(t *testing.T, success, failure string) *Plan {
	t.Helper()
	plans, err := Compile([]v1alpha1.Metric{metricOf(success, failure)}, Options{})
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	return &plans[0]
}

func numbers(values ...float64) Result {
	var r Result
	for _, v := range values {
		r.Series = append(r.Series, Series{Value: v})
	}
	return r
}

func TestEvaluate(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	tests := map[string]struct {
		success, failure string
		result           Result
		err              error
		want             Outcome
		value, message   string
	}{
		"success alone holds":                     {success: "result < 0.01", result: numbers(0.001), want: Success, value: "0.001"},
		"success alone, opposite":                 {success: "result < 0.01", result: numbers(0.02), want: Failure, value: "0.02"},
		"failure alone holds":                     {failure: "result > 0.05", result: numbers(0.06), want: Failure},
		"failure alone, opposite":                 {failure: "result > 0.05", result: numbers(0.05), want: Success},
		"both, success":                           {success: "result < 0.01", failure: "result > 0.05", result: numbers(0), want: Success, value: "0"},
		"both, failure":                           {success: "result < 0.01", failure: "result > 0.05", result: numbers(1), want: Failure},
		"both, neither":                           {success: "result < 0.01", failure: "result > 0.05", result: numbers(0.03), want: Inconclusive, value: "0.03"},
		"both hold: failure counts":               {success: "result < 0.5", failure: "result > 0.1", result: numbers(0.3), want: Failure},
		"scalar":                                  {success: "result < 1", result: Result{Scalar: true, Series: []Series{{Value: 0.5}}}, want: Success},
		"whole numbers are doubles":               {success: "result * 100 < 1 && result != 2", result: numbers(0.005), want: Success},
		"equal to a whole number":                 {success: "result == 0", result: numbers(0), want: Success},
		"range":                                   {success: "result >= 0.5 && result <= 1", result: numbers(0.7), want: Success},
		"list, all":                               {success: "result.all(x, x < 0.01)", result: numbers(0.001, 0.002), want: Success, value: "[0.001 0.002]"},
		"list, one too high":                      {success: "result.all(x, x < 0.01)", result: numbers(0.001, 0.2), want: Failure},
		"list, index":                             {success: "result[0] < 0.01", result: numbers(0.001), want: Success},
		"list, index out of range":                {success: "result[1] < 0.01", result: numbers(0.001), want: Misconfigured, message: "the condition cannot be evaluated"},
		"list, size":                              {success: "size(result) == 2 && result[1] < 1", result: numbers(0, 0), want: Success},
		"list, long":                              {success: "result.exists(x, x > 6)", result: numbers(1, 2, 3, 4, 5, 6, 7), want: Success, value: "[1 2 3 4 5] and 2 more"},
		"list in both":                            {success: "result.all(x, x < 1)", failure: "result.exists(x, x > 2)", result: numbers(0, 1.5), want: Inconclusive},
		"no series":                               {success: "result < 0.01", result: numbers(), want: NoData, message: "no series"},
		"no series, list":                         {success: "result.all(x, x < 0.01)", result: numbers(), want: NoData, message: "no series"},
		"NaN":                                     {success: "result < 0.01", result: numbers(nan), want: NoData, message: "NaN"},
		"NaN, failure alone":                      {failure: "result > 0.01", result: numbers(nan), want: NoData, message: "NaN"},
		"NaN in a list":                           {success: "result.all(x, x < 0.01)", result: numbers(0, nan), want: NoData, message: "NaN"},
		"infinity":                                {success: "result < 0.01", result: numbers(inf), want: NoData, message: "infinity"},
		"negative infinity":                       {success: "result < 0.01", result: numbers(-inf), want: NoData, message: "infinity"},
		"isNaN asked, NaN":                        {success: "isNaN(result) || result < 0.01", result: numbers(nan), want: Success, value: "NaN"},
		"isNaN asked after the comparison":        {success: "result < 0.01 || isNaN(result)", result: numbers(nan), want: Success},
		"isNaN asked in failure only":             {success: "result < 0.01", failure: "isNaN(result)", result: numbers(nan), want: Failure},
		"isNaN asked in success only, not NaN":    {success: "isNaN(result)", failure: "result > 0.05", result: numbers(0), want: Inconclusive},
		"isNaN asked, NaN decides neither":        {success: "!isNaN(result) && result < 1", failure: "result > 2", result: numbers(nan), want: Inconclusive, value: "NaN"},
		"isNaN asked, infinity is still no data":  {success: "isNaN(result) || result < 1", result: numbers(inf), want: NoData},
		"isNaN asked, no series is still no data": {success: "isNaN(result) || result < 1", result: numbers(), want: NoData},
		"isNaN asked, and compared all the same":  {success: "isNaN(result) ? result < 1 : result < 2", result: numbers(nan), want: NoData, message: "NaN"},
		"isInf asked, infinity":                   {failure: "isInf(result)", result: numbers(inf), want: Failure, value: "+Inf"},
		"isInf asked, NaN is still no data":       {failure: "isInf(result)", result: numbers(nan), want: NoData},
		"isNaN in a list":                         {success: "result.all(x, isNaN(x) || x < 1)", result: numbers(0, nan), want: Success},
		"default, no series":                      {success: "default(result, 0) < 0.01", result: numbers(), want: Success, value: "none"},
		"default, no series, failing":             {success: "default(result, 1.0) < 0.01", result: numbers(), want: Failure},
		"default, NaN":                            {success: "default(result, 0) < 0.01", result: numbers(nan), want: Success},
		"default, a value":                        {success: "default(result, 0) < 0.01", result: numbers(0.5), want: Failure},
		"default, infinity is still no data":      {success: "default(result, 0) < 0.01", result: numbers(inf), want: NoData},
		"default of a list":                       {success: "default(result, [0.0]).all(x, x < 1)", result: numbers(), want: Success},
		"default of a list, NaN in it":            {success: "default(result, [0.0]).all(x, x < 1)", result: numbers(nan), want: NoData},
		"several series where one is expected":    {success: "result < 0.01", result: numbers(0, 0), want: Misconfigured, value: "[0 0]", message: "returns 2 series where the condition expects one"},
		"error of the source":                     {success: "result < 0.01", err: &Error{Kind: Transient, Text: "did not answer"}, want: Unavailable, message: "did not answer"},
		"error of an unknown sort is transient":   {success: "result < 0.01", err: errors.New("boom"), want: Unavailable, message: "boom"},
		"error of the query":                      {success: "result < 0.01", err: &Error{Kind: Configuration, Text: "refuses"}, want: Misconfigured, message: "refuses"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			m := planOf(t, tc.success, tc.failure).Evaluate(tc.result, tc.err)
			if m.Outcome != tc.want {
				t.Errorf("outcome %s (%s), want %s", m.Outcome, m.Message, tc.want)
			}
			if tc.value != "" && m.Value != tc.value {
				t.Errorf("value %q, want %q", m.Value, tc.value)
			}
			if !strings.Contains(m.Message, tc.message) || (m.Message != "") != (m.Outcome == NoData || m.Outcome == Unavailable || m.Outcome == Misconfigured) {
				t.Errorf("message %q, want one with %q", m.Message, tc.message)
			}
		})
	}
}

func TestConditionsThatDoNotCompile(t *testing.T) {
	tests := map[string]struct{ success, failure, want string }{
		"none": {"", "", `metric "m": successCondition and failureCondition are both empty: give one`},
		"syntax": {"result < ", "",
			`metric "m": successCondition "result < ": line 1, column 10: Syntax error: mismatched input '<EOF>'`},
		"unknown name":      {"", "rezult > 1", `metric "m": failureCondition "rezult > 1": line 1, column 1: undeclared reference to 'rezult'`},
		"unknown function":  {"avg(result) < 1", "", `undeclared reference to 'avg'`},
		"not a condition":   {"result", "", `successCondition "result" gives double and must give true or false`},
		"text":              {"result < '5'", "", `line 1, column 8: found no matching overload`},
		"list meant, wrong": {"result.al(x, x < 1)", "", `undeclared reference to 'al'`},
		"number and list":   {"result < 1", "result.exists(x, x > 1)", `metric "m": successCondition "result < 1": line 1, column 8: found no matching overload`},
		"second line":       {"result < 1 &&\n  nope", "", `line 2, column 3: undeclared reference to 'nope'`},
		"way out is told":   {"result <", "", `write a CEL expression over result, as in result < 0.01`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Compile([]v1alpha1.Metric{metricOf(tc.success, tc.failure)}, Options{})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("error %v, want one with %q", err, tc.want)
			}
			if !IsConfiguration(err) {
				t.Errorf("not a Configuration error: %#v", err)
			}
		})
	}
}

func TestCompileReportsEveryMetric(t *testing.T) {
	one, two := metricOf("result <", ""), metricOf("result < 1", "")
	one.Name = "one"
	two.Name, two.Prometheus = "two", nil
	_, err := Compile([]v1alpha1.Metric{one, two}, Options{})
	if err == nil || !strings.Contains(err.Error(), `metric "one"`) || !strings.Contains(err.Error(), `metric "two": it has no source`) {
		t.Fatalf("error %v does not name both metrics", err)
	}
}

func TestHugeListsAreBounded(t *testing.T) {
	values := make([]float64, 5000)
	m := planOf(t, "result.all(x, result.all(y, x <= y))", "").Evaluate(numbers(values...), nil)
	if m.Outcome != Misconfigured || !strings.Contains(m.Message, "cost limit") {
		t.Errorf("outcome %s, message %q: evaluation is not bounded", m.Outcome, m.Message)
	}
}
