package analysis

import (
	"maps"
	"strings"
	"testing"

	"github.com/belay-dev/belay/api/v1alpha1"
)

func arg(name string, value ...string) v1alpha1.Argument {
	a := v1alpha1.Argument{Name: name}
	if len(value) > 0 {
		a.Value = &value[0]
	}
	return a
}

// measures has one metric with a query over the given arguments.
func measures(name string, args ...string) v1alpha1.Metric {
	m := metricOf("result < 1", "")
	m.Name = name
	for _, a := range args {
		m.Prometheus.Query += ` + x{a="{{ .Args.` + a + ` }}"}`
	}
	return m
}

func template(metrics []v1alpha1.Metric, args ...v1alpha1.Argument) v1alpha1.AnalysisTemplateSpec {
	return v1alpha1.AnalysisTemplateSpec{Metrics: metrics, Args: args}
}

func refs(names ...string) []v1alpha1.TemplateReference {
	var out []v1alpha1.TemplateReference
	for _, name := range names {
		out = append(out, v1alpha1.TemplateReference{Name: name})
	}
	return out
}

func TestResolve(t *testing.T) {
	type metrics = []v1alpha1.Metric
	tests := map[string]struct {
		spec      v1alpha1.Analysis
		templates []v1alpha1.AnalysisTemplateSpec
		metrics   string
		args      map[string]string
		errs      []string
	}{
		"nothing": {},
		"templates in order, then inline": {
			spec:      v1alpha1.Analysis{Templates: refs("t", "u"), Metrics: metrics{measures("c")}},
			templates: []v1alpha1.AnalysisTemplateSpec{template(metrics{measures("b")}), template(metrics{measures("a")})},
			metrics:   "b a c",
		},
		"a given value": {
			spec:      v1alpha1.Analysis{Templates: refs("t"), Args: []v1alpha1.Argument{arg("host", "x")}},
			templates: []v1alpha1.AnalysisTemplateSpec{template(metrics{measures("a", "host")}, arg("host"))},
			metrics:   "a", args: map[string]string{"host": "x"},
		},
		"a default": {
			spec:      v1alpha1.Analysis{Templates: refs("t")},
			templates: []v1alpha1.AnalysisTemplateSpec{template(metrics{measures("a", "host")}, arg("host", "d"))},
			metrics:   "a", args: map[string]string{"host": "d"},
		},
		"given beats default": {
			spec:      v1alpha1.Analysis{Templates: refs("t"), Args: []v1alpha1.Argument{arg("host", "x")}},
			templates: []v1alpha1.AnalysisTemplateSpec{template(metrics{measures("a", "host")}, arg("host", "d"))},
			metrics:   "a", args: map[string]string{"host": "x"},
		},
		"an empty value is a value": {
			spec:      v1alpha1.Analysis{Templates: refs("t"), Args: []v1alpha1.Argument{arg("host", "")}},
			templates: []v1alpha1.AnalysisTemplateSpec{template(metrics{measures("a", "host")}, arg("host"))},
			metrics:   "a", args: map[string]string{"host": ""},
		},
		"the same default twice": {
			spec: v1alpha1.Analysis{Templates: refs("t", "u")},
			templates: []v1alpha1.AnalysisTemplateSpec{
				template(metrics{measures("a", "host")}, arg("host", "d")), template(metrics{measures("b", "host")}, arg("host", "d")),
			},
			metrics: "a b", args: map[string]string{"host": "d"},
		},
		"an inline metric reads a given value": {
			spec:    v1alpha1.Analysis{Metrics: metrics{measures("a", "host")}, Args: []v1alpha1.Argument{arg("host", "x")}},
			metrics: "a", args: map[string]string{"host": "x"},
		},
		"selectors read values": {
			spec: v1alpha1.Analysis{Metrics: metrics{
				{Name: "a", Compare: &v1alpha1.Compare{Requests: `r{a="{{ .Args.one }}"}`, Errors: `e{a="{{ .Args.two }}"}`}},
				{Name: "b", Compare: &v1alpha1.Compare{Histogram: `h{a="{{ .Args.two }}"}`}}, {Name: "c", Gauge: &v1alpha1.Gauge{Selector: `g{a="{{ .Args.three }}"}`}},
			}, Args: []v1alpha1.Argument{arg("one", "1"), arg("two", "2"), arg("three", "3")}},
			metrics: "a b c", args: map[string]string{"one": "1", "two": "2", "three": "3"},
		},
		"a missing value": {
			spec:      v1alpha1.Analysis{Templates: refs("t")},
			templates: []v1alpha1.AnalysisTemplateSpec{template(metrics{measures("a", "host")}, arg("host"))},
			errs:      []string{`argument "host" of template "t" has no value: add it to spec.analysis.args`},
		},
		"a given argument without a value": {
			spec:      v1alpha1.Analysis{Templates: refs("t"), Args: []v1alpha1.Argument{arg("host")}},
			templates: []v1alpha1.AnalysisTemplateSpec{template(metrics{measures("a", "host")}, arg("host", "d"))},
			errs:      []string{`spec.analysis.args: argument "host" has no value: give it one`},
		},
		"an unknown argument": {
			spec:      v1alpha1.Analysis{Templates: refs("t"), Args: []v1alpha1.Argument{arg("hots", "x")}},
			templates: []v1alpha1.AnalysisTemplateSpec{template(metrics{measures("a", "host")}, arg("host", "d"))},
			errs:      []string{`argument "hots" is unknown: no template and no inline metric reads it; known are host`},
		},
		"different defaults": {
			spec: v1alpha1.Analysis{Templates: refs("t", "u")},
			templates: []v1alpha1.AnalysisTemplateSpec{
				template(metrics{measures("a", "host")}, arg("host", "d")), template(metrics{measures("b", "host")}, arg("host", "e")),
			},
			errs: []string{`argument "host" has the default "d" in template "t" and "e" in template "u": add it to spec.analysis.args`},
		},
		"a default does not leak into another template": {
			spec: v1alpha1.Analysis{Templates: refs("t", "u")},
			templates: []v1alpha1.AnalysisTemplateSpec{
				template(metrics{measures("a", "host")}, arg("host", "d")), template(metrics{measures("b", "host")}, arg("host")),
			},
			errs: []string{`argument "host" of template "u" has no value`},
		},
		"an argument that the template does not list": {
			spec:      v1alpha1.Analysis{Templates: refs("t"), Args: []v1alpha1.Argument{arg("host", "x")}},
			templates: []v1alpha1.AnalysisTemplateSpec{template(metrics{measures("a", "host")})},
			errs:      []string{`template "t": metric "a" uses {{ .Args.host }}, which spec.args of the template does not list`},
		},
		"a metric twice": {
			spec:      v1alpha1.Analysis{Templates: refs("t"), Metrics: metrics{measures("a")}},
			templates: []v1alpha1.AnalysisTemplateSpec{template(metrics{measures("a")})},
			errs:      []string{`metric "a" stands in template "t" and in spec.analysis.metrics: rename one`},
		},
		"everything that is wrong at once": {
			spec:      v1alpha1.Analysis{Templates: refs("t"), Metrics: metrics{measures("a")}, Args: []v1alpha1.Argument{arg("x", "1")}},
			templates: []v1alpha1.AnalysisTemplateSpec{template(metrics{measures("a", "host")}, arg("host"))},
			errs:      []string{`metric "a" stands in`, `argument "host" of template "t"`, `argument "x" is unknown`},
		},
		"a template that was not found": {
			spec: v1alpha1.Analysis{Templates: refs("t", "u")},
			errs: []string{`spec.analysis.templates names 2 templates, 0 were found`},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, args, err := Resolve(&tc.spec, tc.templates)
			if (err != nil) != (len(tc.errs) > 0) {
				t.Fatalf("error %v, want %v", err, tc.errs)
			}
			for _, want := range tc.errs {
				if !strings.Contains(err.Error(), want) || !IsConfiguration(err) {
					t.Errorf("error %q, want one with %q", err, want)
				}
			}
			var names []string
			for _, m := range got {
				names = append(names, m.Name)
			}
			if strings.Join(names, " ") != tc.metrics {
				t.Errorf("metrics %v, want %s", names, tc.metrics)
			}
			if len(tc.errs) == 0 && !maps.Equal(args, tc.args) {
				t.Errorf("args %v, want %v", args, tc.args)
			}
		})
	}
}

func TestResolveWithoutAnalysis(t *testing.T) {
	metrics, args, err := Resolve(nil, nil)
	if len(metrics) != 0 || len(args) != 0 || err != nil {
		t.Errorf("%v %v %v, want nothing", metrics, args, err)
	}
}
