package analysis

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/analysis/gauge"
	"github.com/belay-dev/belay/analysis/presets"
	"github.com/belay-dev/belay/api/v1alpha1"
)

// Defaults of a compare metric, as the schema has them.
const (
	defaultMarginPercent     = 10
	defaultMarginAbsolute    = "0.0005"
	defaultAlpha             = "0.01"
	defaultPodLabel          = "pod"
	DefaultNoTrafficDeadline = 10 * time.Minute
)

// Comparison is a compare metric made ready. It is immutable and may be shared.
type Comparison struct {
	// Selectors of the series of one arm.
	Selectors *Compare
	// Latency: the selectors are those of a histogram.
	Latency bool
	// Unit of the latencies: "s", "ms", or empty where the histogram's name does not tell.
	Unit string
	// Gauge is set where the selectors are those of a gauge, which has a judge of its own; Rate takes it for a counter.
	Gauge *gauge.Params
	Rate  bool
	// Params of the judge, but for the tick and the dispersion, which are known when samples are.
	Params evidence.Params
	// NoTraffic is how long a canary may be without a request.
	NoTraffic time.Duration
	// PodLabel names the pod in the series; empty: it is found out.
	PodLabel string
	// NeverSeen: an errors selector that never matched anything may give a Pass.
	NeverSeen bool
}

// LatencySuffix is what a preset's latency metric is called after the metric's name.
const LatencySuffix = " latency"

// expand gives every metric whose source is a preset the selectors of it: one metric for errors and one for latency.
func expand(metrics []v1alpha1.Metric) ([]v1alpha1.Metric, error) {
	out := make([]v1alpha1.Metric, 0, len(metrics))
	names := map[string]bool{}
	for i := range metrics {
		names[metrics[i].Name] = true
	}
	for i := range metrics {
		m := &metrics[i]
		if m.Compare == nil || m.Compare.Preset == "" {
			out = append(out, *m)
			continue
		}
		preset, err := presets.Get(m.Compare.Preset)
		if err != nil {
			return nil, configurationf("metric %q: compare.preset: %v", m.Name, err)
		}
		if preset.Requests != "" {
			out = append(out, presetMetric(m, m.Name, preset, v1alpha1.Compare{Requests: preset.Requests, Errors: preset.Errors}))
		}
		if preset.Latency == "" {
			continue
		}
		name := m.Name + LatencySuffix
		if names[name] {
			return nil, configurationf("metric %q: preset %s makes a metric %q, and another one is called so: rename it", m.Name, preset.Name, name)
		}
		out = append(out, presetMetric(m, name, preset, v1alpha1.Compare{Histogram: preset.Latency}))
	}
	return out, nil
}

func presetMetric(of *v1alpha1.Metric, name string, preset presets.Preset, source v1alpha1.Compare) v1alpha1.Metric {
	out := *of.DeepCopy()
	out.Name = name
	c := out.Compare
	c.Preset, c.Requests, c.Errors, c.Histogram = "", source.Requests, source.Errors, source.Histogram
	if c.PodLabel == "" {
		c.PodLabel = preset.PodLabel
	}
	return out
}

// compileComparison makes a compare metric ready. Its numbers have passed the schema where a Rollout came through the API
// server, and are checked all the same: files do not.
func compileComparison(metric *v1alpha1.Metric, opts Options) (*Comparison, error) {
	c := metric.Compare
	if n := given(c.Requests, c.Histogram, c.Preset); n != 1 || (c.Requests == "") != (c.Errors == "") {
		return nil, configurationf("metric %q: compare has to name requests and errors, or a histogram, or a preset, and only one of the three", metric.Name)
	}
	selectors, err := CompileCompare(metric.Name, CompareSource{Requests: c.Requests, Errors: c.Errors, Histogram: c.Histogram}, opts.Args)
	if err != nil {
		return nil, err
	}
	out := &Comparison{
		Selectors: selectors, Latency: c.Histogram != "", Unit: unit(c.Histogram), Params: evidence.Defaults(),
		NoTraffic: positive(c.NoTrafficDeadline, DefaultNoTrafficDeadline), PodLabel: c.PodLabel, NeverSeen: c.AllowNeverSeen,
	}
	if out.Params, err = margins(c, out.Params); err != nil {
		return nil, configurationf("metric %q: compare.%v", metric.Name, err)
	}
	out.Params.IntervalSpansWeights = opts.Ramp
	return out, nil
}

// unit of a histogram: what its preset says, else by its name, as the naming conventions of Prometheus have it.
func unit(histogram string) string {
	for _, preset := range presets.All() {
		if histogram != "" && preset.Latency == histogram {
			return preset.Unit
		}
	}
	name, _, _ := strings.Cut(histogram, "{")
	switch {
	case strings.Contains(name, "_milliseconds"), strings.HasSuffix(name, "_ms"):
		return "ms"
	case strings.Contains(name, "_seconds"):
		return "s"
	}
	return ""
}

// defaultGaugePercent is what the schema has.
const defaultGaugePercent = 20

// compileGauge makes a gauge metric ready.
func compileGauge(metric *v1alpha1.Metric, opts Options) (*Comparison, error) {
	g, params := metric.Gauge, gauge.Defaults()
	selectors, err := CompileGauge(metric.Name, g.Selector, opts.Args)
	if err != nil {
		return nil, err
	}
	if params.MarginRelative, err = relative(g.MarginPercent, defaultGaugePercent); err == nil {
		params.MarginAbsolute, err = decimal("marginAbsolute", g.MarginAbsolute, "0", 0, 1e16)
	}
	if err == nil {
		params.Alpha, err = decimal("alpha", g.Alpha, defaultAlpha, 1e-6, 0.2)
	}
	if err != nil {
		return nil, configurationf("metric %q: gauge.%v", metric.Name, err)
	}
	out := &Comparison{
		Selectors: selectors, Params: evidence.Defaults(), NoTraffic: DefaultNoTrafficDeadline,
		PodLabel: g.PodLabel, NeverSeen: true, Gauge: &params, Rate: g.Rate,
	}
	if out.PodLabel == "" {
		out.PodLabel = defaultPodLabel
	}
	out.Params.Alpha = params.Alpha
	return out, nil
}

// gaugeLimit is the margin of a gauge as people read it.
func gaugeLimit(g *v1alpha1.Gauge) string {
	text := timesStable(g.MarginPercent, defaultGaugePercent)
	if g.MarginAbsolute != "" && g.MarginAbsolute != "0" {
		text += " + " + g.MarginAbsolute
	}
	return text
}

func given(texts ...string) int {
	n := 0
	for _, t := range texts {
		if t != "" {
			n++
		}
	}
	return n
}

func margins(c *v1alpha1.Compare, p evidence.Params) (evidence.Params, error) {
	var err error
	if p.MarginRelative, err = relative(c.MarginPercent, defaultMarginPercent); err != nil {
		return p, err
	}
	if p.MarginAbsolute, err = decimal("marginAbsolute", c.MarginAbsolute, defaultMarginAbsolute, 0, 0.5); err != nil {
		return p, err
	}
	p.Alpha, err = decimal("alpha", c.Alpha, defaultAlpha, 1e-6, 0.2)
	return p, err
}

// relative is a margin in percent as a factor: 10 is 1.1.
func relative(percent *int32, otherwise int32) (float64, error) {
	value := limitOr(percent, otherwise)
	if value < 0 || value > 1000 {
		return 0, fmt.Errorf("marginPercent is %d: it must be from 0 to 1000", value)
	}
	return 1 + float64(value)/100, nil
}

// timesStable is that factor as people read it: "1.1 × stable".
func timesStable(percent *int32, otherwise int32) string {
	return strconv.FormatFloat(1+float64(limitOr(percent, otherwise))/100, 'f', -1, 64) + " × stable"
}

// decimal reads a decimal text of the API; empty is the default.
func decimal(field, text, otherwise string, low, high float64) (float64, error) {
	if text == "" {
		text = otherwise
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || !(value >= low && value <= high) {
		return 0, fmt.Errorf("%s is %q: it must be a number from %v to %v", field, text, low, high)
	}
	return value, nil
}

// comparisonLimit is the margin as people read it beside a value: "1.1 × stable + 0.05 points".
func comparisonLimit(c *v1alpha1.Compare) string {
	times := timesStable(c.MarginPercent, defaultMarginPercent)
	if c.Histogram != "" {
		return times
	}
	text := c.MarginAbsolute
	if text == "" {
		text = defaultMarginAbsolute
	}
	absolute, err := strconv.ParseFloat(text, 64)
	if err != nil || absolute == 0 {
		return times
	}
	return times + " + " + strconv.FormatFloat(100*absolute, 'f', -1, 64) + " points"
}
