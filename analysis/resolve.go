package analysis

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/belay-dev/belay/analysis/presets"
	"github.com/belay-dev/belay/api/v1alpha1"
)

// Resolve merges the metrics of the templates, in the order of spec.Templates, with the inline
// ones, and the arguments of the Rollout with the templates' defaults. templates[i] is the spec of
// spec.Templates[i]. It returns the metrics and the value of each argument, or a Configuration
// error that names every missing value, unknown argument and repeated metric name.
func Resolve(spec *v1alpha1.Analysis, templates []v1alpha1.AnalysisTemplateSpec) ([]v1alpha1.Metric, map[string]string, error) {
	if spec == nil {
		return nil, nil, nil
	}
	if len(templates) != len(spec.Templates) {
		return nil, nil, configurationf("spec.analysis.templates names %d templates, %d were found", len(spec.Templates), len(templates))
	}
	r := &resolver{spec: spec, args: map[string]string{}, known: map[string]bool{}, origin: map[string]string{}, metrics: map[string]string{}}
	r.given()
	for i := range templates {
		r.template(spec.Templates[i].Name, &templates[i])
	}
	r.inline()
	r.unknown()
	if len(r.errs) > 0 {
		err := errors.Join(r.errs...)
		return nil, nil, &Error{Kind: Configuration, Text: err.Error(), Err: err}
	}
	return r.out, r.args, nil
}

type resolver struct {
	spec    *v1alpha1.Analysis
	out     []v1alpha1.Metric
	args    map[string]string
	known   map[string]bool   // arguments that something reads
	origin  map[string]string // argument → template whose default it has
	metrics map[string]string // metric name → where it stands
	errs    []error
}

func (r *resolver) failf(format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf(format, args...))
}

func (r *resolver) given() {
	for _, arg := range r.spec.Args {
		if arg.Value == nil {
			r.failf("spec.analysis.args: argument %q has no value: give it one", arg.Name)
			r.known[arg.Name] = true
			continue
		}
		r.args[arg.Name] = *arg.Value
	}
}

func (r *resolver) template(name string, template *v1alpha1.AnalysisTemplateSpec) {
	declared := make([]string, 0, len(template.Args))
	for _, arg := range template.Args {
		declared = append(declared, arg.Name)
		r.known[arg.Name] = true
		r.fallback(name, arg)
	}
	for i := range template.Metrics {
		metric := &template.Metrics[i]
		for _, arg := range metricArgs(metric) {
			if !slices.Contains(declared, arg) {
				r.failf("template %q: metric %q uses {{ .Args.%s }}, which spec.args of the template does not list: add it there", name, metric.Name, arg)
				r.known[arg] = true
			}
		}
		r.metric(metric, fmt.Sprintf("template %q", name))
	}
}

// fallback takes a template's default for an argument that the Rollout does not give.
func (r *resolver) fallback(template string, arg v1alpha1.Argument) {
	earlier, fromTemplate := r.origin[arg.Name]
	value, has := r.args[arg.Name]
	switch {
	case has && !fromTemplate:
	case arg.Value == nil && has:
		r.failf("argument %q of template %q has no value: add it to spec.analysis.args (the default of template %q is not used for another template)", arg.Name, template, earlier)
	case arg.Value == nil:
		r.failf("argument %q of template %q has no value: add it to spec.analysis.args", arg.Name, template)
	case !has:
		r.args[arg.Name], r.origin[arg.Name] = *arg.Value, template
	case value != *arg.Value:
		r.failf("argument %q has the default %q in template %q and %q in template %q: add it to spec.analysis.args", arg.Name, value, earlier, *arg.Value, template)
	}
}

func (r *resolver) metric(metric *v1alpha1.Metric, where string) {
	if earlier, ok := r.metrics[metric.Name]; ok {
		r.failf("metric %q stands in %s and in %s: rename one, names are unique in an attempt", metric.Name, earlier, where)
		return
	}
	r.metrics[metric.Name] = where
	r.out = append(r.out, *metric.DeepCopy())
}

func (r *resolver) inline() {
	for i := range r.spec.Metrics {
		metric := &r.spec.Metrics[i]
		for _, arg := range metricArgs(metric) {
			r.known[arg] = true
		}
		r.metric(metric, "spec.analysis.metrics")
	}
}

// unknown reports arguments that nothing reads: most often a misspelt name.
func (r *resolver) unknown() {
	names := slices.Sorted(maps.Keys(r.known))
	for _, arg := range r.spec.Args {
		if !r.known[arg.Name] {
			r.failf("spec.analysis.args: argument %q is unknown: no template and no inline metric reads it; known are %s", arg.Name, strings.Join(names, ", "))
		}
	}
}

// metricArgs are the arguments of a metric's query or selectors. What cannot be read uses none: Compile
// reports it.
func metricArgs(metric *v1alpha1.Metric) []string {
	var out []string
	for _, source := range sources(metric) {
		if !strings.Contains(source, "Args") {
			continue // most have none, and this is asked at every round of the controller
		}
		segments, err := parseTemplate(source)
		if err != nil {
			continue
		}
		for _, arg := range argsOf(segments) {
			if !slices.Contains(out, arg) {
				out = append(out, arg)
			}
		}
	}
	return out
}

// sources are the texts of a metric that may name arguments.
func sources(metric *v1alpha1.Metric) []string {
	switch {
	case metric.Prometheus != nil:
		return []string{metric.Prometheus.Query}
	case metric.Gauge != nil:
		return []string{metric.Gauge.Selector}
	case metric.Compare == nil:
		return nil
	}
	c := metric.Compare
	out := []string{c.Requests, c.Errors, c.Histogram}
	if preset, err := presets.Get(c.Preset); err == nil && c.Preset != "" {
		out = append(out, preset.Requests, preset.Errors, preset.Latency)
	}
	return out
}
