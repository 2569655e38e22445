package analysis

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// FuzzQuery compiles arbitrary templates: there is a mistake that names metric and field, or a query that a source can
// read, that asks for numbers, and that a value of the attempt cannot change.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		`sum(rate(e{h="{{ .Args.v }}",s="{{ .Service }}"}[{{ .Interval }}])) / sum(rate(r[{{ .Since }}]))`,
		"label_replace(up, \"{{ .Arm }}\", `{{ .Revision }}`, '{{ .Name }}', \"(.*)\")",
		`{{- .Args.v -}}`, `{{/* c */}}up`, `{{ .Args.v }}{{ .Args.v }} or up # {{ .Arm }}`, `{"{{ .Service }}", x=~'{{ .Namespace }}.*'}`,
		`max_over_time(rate(x[1m])[5m:1m] offset {{ .Interval }}) > bool 1`, `{{ if .Name }}x{{ end }}`, `sum by ({{ .Args.v }}) (up @ end())`, "\xff{{",
	} {
		f.Add(seed, "shop", int64(time.Minute))
	}
	f.Add(`up{s="{{ .Service }}"}`, `a"} or vector(0) #`, int64(0))
	f.Add(`{{ .Service }}`, "1h", int64(-1))
	f.Fuzz(func(t *testing.T, text, value string, elapsed int64) {
		plans, err := Compile(asking(text), Options{Args: map[string]string{"v": "plain"}})
		if err != nil {
			if !IsConfiguration(err) || !strings.HasPrefix(err.Error(), `metric "m": prometheus.query: `) {
				t.Fatalf("%q does not name metric and field", err)
			}
			return
		}
		rendered, err := plans[0].Render(Vars{Namespace: value, Name: value, Service: value, Revision: value, Arm: "canary"}, time.Duration(elapsed))
		if err != nil {
			if !IsConfiguration(err) || !strings.HasPrefix(err.Error(), `metric "m": prometheus.query: `) {
				t.Fatalf("%q does not name metric and field", err)
			}
			return
		}
		expr, err := newParser().ParseExpr(rendered.Text)
		if err != nil {
			t.Fatalf("%q becomes %q, which is no query: %v", text, rendered.Text, err)
		}
		if numeric(expr) != nil {
			t.Fatalf("%q becomes %q, which asks for %s", text, rendered.Text, expr.Type())
		}
		if rendered.Window < 0 {
			t.Errorf("%q looks back %s", rendered.Text, rendered.Window)
		}
		plain, err := plans[0].Render(Vars{Namespace: "a", Name: "a", Service: "a", Revision: "a", Arm: "canary"}, time.Duration(elapsed))
		if err != nil || isQuantity(value) {
			return // nothing to compare with; a number is another leaf than a name
		}
		if other, err := newParser().ParseExpr(plain.Text); err != nil || skeleton(other, false) != skeleton(expr, false) {
			t.Fatalf("the value %q turns %q into %q", value, plain.Text, rendered.Text)
		}
	})
}

// FuzzCondition compiles arbitrary conditions. Whatever they are, an answer has an outcome; what holds as a success is
// what fails as the opposite; and nothing passes or fails for want of data unless a condition says how.
func FuzzCondition(f *testing.F) {
	for _, seed := range []string{
		"result < 0.01", "result * 100 < 1 && result != 2", "!isNaN(result) && result > 0", "default(result, 0) < 1", "result.all(x, x < 1)",
		"size(result) == 0 || result[0] < 1", "isInf(result)", "result in [1.0, 2.0]", "result.exists(x, x > 1) // why", "1 / int(result) == 1", "true", "result == result",
		"[1,2].all(a, [1,2].all(b, [1,2].all(c, result > a)))", "default(result, [0.0]).all(x, isNaN(x))", "string(result) == 'x'", "result.map(x, x / 0.0)[0] > 1.0",
	} {
		f.Add(seed, "", 0.005, 0.5, uint8(1))
		f.Add(seed, "result > 0.05", math.NaN(), math.Inf(1), uint8(2))
	}
	f.Add("", "result > 1", 2.0, 0.0, uint8(0))
	f.Fuzz(func(t *testing.T, success, failure string, a, b float64, n uint8) {
		plans, err := Compile([]v1alpha1.Metric{metricOf(success, failure)}, Options{})
		if err != nil {
			if !IsConfiguration(err) || !strings.HasPrefix(err.Error(), `metric "m": `) || !strings.Contains(err.Error(), "Condition") {
				t.Fatalf("%q does not name metric and field", err)
			}
			return
		}
		values := []float64{a, b}[:n%3]
		got := plans[0].Evaluate(numbers(values...), nil)
		answered(t, got)
		copes := func(word string) bool { return strings.Contains(success+failure, word) }
		if decided(got) && len(values) == 0 && !copes("default") {
			t.Errorf("no series are a %s", got.Outcome)
		}
		for _, v := range values {
			if decided(got) && math.IsNaN(v) && !copes("isNaN") && !copes("default") {
				t.Errorf("NaN is a %s", got.Outcome)
			}
			if decided(got) && math.IsInf(v, 0) && !copes("isInf") {
				t.Errorf("an infinity is a %s", got.Outcome)
			}
		}
		if success == "" || failure != "" {
			return
		}
		opposite, err := Compile([]v1alpha1.Metric{metricOf("", "!("+success+"\n)")}, Options{})
		if err != nil {
			return // one more bracket may be one too many
		}
		if other := opposite[0].Evaluate(numbers(values...), nil); other.Outcome != got.Outcome {
			t.Errorf("successCondition %q gives %s, failureCondition !(%s) gives %s", success, got.Outcome, success, other.Outcome)
		}
	})
}

func decided(m Measurement) bool {
	return m.Outcome == Success || m.Outcome == Failure || m.Outcome == Inconclusive
}

// answered says that a measurement is complete: a value where it was judged, and a reason where it was not.
func answered(t *testing.T, m Measurement) {
	t.Helper()
	switch m.Outcome {
	case Success, Failure, Inconclusive:
		if m.Value == "" || m.Message != "" {
			t.Errorf("judged as %+v", m)
		}
	case NoData, Misconfigured:
		if m.Message == "" {
			t.Errorf("not judged, and no word why: %+v", m)
		}
	default:
		t.Errorf("there is no outcome %q", m.Outcome)
	}
}

// FuzzResolve merges templates and arguments of any names and values: every mistake is told at its place, and what comes
// out has distinct metrics whose arguments all have a value.
func FuzzResolve(f *testing.F) {
	f.Add("host", "a", `up{h="{{ .Args.host }}"}`, "b", "errors", "latency", uint8(0))
	f.Add("", "\"", `{{ .Args.x }}`, "", "m", "m", uint8(0xff))
	f.Add("a", "a", `{{ .Args.a }}{{ .Args.b }}`, "a", "", "\n", uint8(0x2a))
	f.Fuzz(func(t *testing.T, name, value, query, fallback, first, second string, given uint8) {
		of := func(bit uint8, v string) *string {
			if given&(1<<bit) == 0 {
				return nil
			}
			return &v
		}
		metric := func(name string) v1alpha1.Metric {
			m := metricOf("result < 1", "")
			m.Name, m.Prometheus.Query = name, query
			return m
		}
		spec := &v1alpha1.Analysis{Templates: []v1alpha1.TemplateReference{{Name: "t"}}}
		if given&1 != 0 {
			spec.Args = []v1alpha1.Argument{{Name: name, Value: of(1, value)}}
		}
		if given&4 != 0 {
			spec.Metrics = []v1alpha1.Metric{metric(second)}
		}
		template := v1alpha1.AnalysisTemplateSpec{Metrics: []v1alpha1.Metric{metric(first)}}
		if given&8 != 0 {
			template.Args = []v1alpha1.Argument{{Name: "host", Value: of(4, fallback)}}
		}
		metrics, args, err := Resolve(spec, []v1alpha1.AnalysisTemplateSpec{template})
		if err != nil {
			if !IsConfiguration(err) || len(metrics)+len(args) > 0 {
				t.Errorf("%v with %d metrics", err, len(metrics))
			}
			return
		}
		seen := map[string]bool{}
		for _, m := range metrics {
			if seen[m.Name] {
				t.Errorf("metric %q stands there twice", m.Name)
			}
			seen[m.Name] = true
			// Inline metrics read arguments that only Compile can miss.
			if m.Name != first {
				continue
			}
			for _, arg := range metricArgs(&m) {
				if _, ok := args[arg]; !ok {
					t.Errorf("argument %q has no value", arg)
				}
			}
		}
		if got, said := args["host"], spec.Args != nil && name == "host"; said && got != value {
			t.Errorf("host is %q, the Rollout says %q", got, value)
		}
	})
}
