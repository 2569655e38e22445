package analysis

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/analysis/presets"
	"github.com/belay-dev/belay/api/v1alpha1"
)

// comparing is a compare metric over plain counters.
func comparing(change ...func(*v1alpha1.Compare)) v1alpha1.Metric {
	m := v1alpha1.Metric{Name: "m", Compare: &v1alpha1.Compare{
		Requests: `requests{service="{{ .Service }}"}`, Errors: `requests{service="{{ .Service }}",code="500"}`,
	}}
	for _, c := range change {
		c(m.Compare)
	}
	return m
}

func whole(n int32) *int32 { return &n }

func TestComparisonDefaults(t *testing.T) {
	plans, err := Compile([]v1alpha1.Metric{comparing()}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := plans[0].Comparison
	if p := c.Params; p.MarginRelative != 1.1 || p.MarginAbsolute != 0.0005 || p.Alpha != 0.01 || p.Beta != 0.05 || p.IntervalSpansWeights {
		t.Errorf("params %+v", p)
	}
	if c.Latency || c.Gauge != nil || c.NoTraffic != 10*time.Minute || c.PodLabel != "" || c.NeverSeen || plans[0].Interval != 10*time.Second {
		t.Errorf("comparison %+v of %+v", c, plans[0])
	}
}

func TestComparisonAsWritten(t *testing.T) {
	plans, err := Compile([]v1alpha1.Metric{comparing(func(c *v1alpha1.Compare) {
		c.MarginPercent, c.MarginAbsolute, c.Alpha = whole(0), "0", "0.2"
		c.NoTrafficDeadline = &metav1.Duration{Duration: time.Minute}
		c.PodLabel, c.AllowNeverSeen = "pod", true
	})}, Options{Ramp: true, Interval: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	c := plans[0].Comparison
	if p := c.Params; p.MarginRelative != 1 || p.MarginAbsolute != 0 || p.Alpha != 0.2 || !p.IntervalSpansWeights {
		t.Errorf("params %+v", p)
	}
	if c.NoTraffic != time.Minute || c.PodLabel != "pod" || !c.NeverSeen || plans[0].Interval != time.Minute {
		t.Errorf("comparison %+v of %+v", c, plans[0])
	}
	arm, err := c.Selectors.Select(Vars{Service: "shop-canary"})
	if err != nil || arm.Requests != `requests{service="shop-canary"}` || arm.Errors != `requests{service="shop-canary",code="500"}` || len(arm.Histograms) > 0 {
		t.Errorf("selectors %+v, %v", arm, err)
	}
}

// Each mistake names the metric, the field, the value and what is allowed.
func TestComparisonsThatDoNotCompile(t *testing.T) {
	const oneOf = `metric "m": compare has to name requests and errors, or a histogram, or a preset, and only one of the three`
	for name, tc := range map[string]struct {
		change func(*v1alpha1.Compare)
		want   string
	}{
		"nothing":                    {func(c *v1alpha1.Compare) { *c = v1alpha1.Compare{} }, oneOf},
		"no errors":                  {func(c *v1alpha1.Compare) { c.Errors = "" }, oneOf},
		"no requests":                {func(c *v1alpha1.Compare) { c.Requests = "" }, oneOf},
		"errors beside a histogram":  {func(c *v1alpha1.Compare) { c.Requests, c.Histogram = "", "x_seconds{}" }, oneOf},
		"counters and a histogram":   {func(c *v1alpha1.Compare) { c.Histogram = "x_seconds" }, oneOf},
		"a function":                 {func(c *v1alpha1.Compare) { c.Requests = `rate(requests{service="{{ .Service }}"}[1m])` }, `metric "m": compare.requests: `},
		"the same in both arms":      {func(c *v1alpha1.Compare) { c.Errors = `requests{code="500"}` }, `metric "m": compare.errors: the selector is the same for canary and stable`},
		"a part of a histogram":      {func(c *v1alpha1.Compare) { *c = v1alpha1.Compare{Histogram: `x_sum{service="{{ .Service }}"}`} }, `metric "m": compare.histogram: x_sum is a part of a histogram: name the histogram itself, x`},
		"a margin below 0":           {func(c *v1alpha1.Compare) { c.MarginPercent = whole(-1) }, `metric "m": compare.marginPercent is -1: it must be from 0 to 1000`},
		"a margin of eleven times":   {func(c *v1alpha1.Compare) { c.MarginPercent = whole(1001) }, `metric "m": compare.marginPercent is 1001: it must be from 0 to 1000`},
		"an absolute margin of most": {func(c *v1alpha1.Compare) { c.MarginAbsolute = "0.6" }, `metric "m": compare.marginAbsolute is "0.6": it must be a number from 0 to 0.5`},
		"an absolute margin of less": {func(c *v1alpha1.Compare) { c.MarginAbsolute = "-0.1" }, `metric "m": compare.marginAbsolute is "-0.1": it must be a number from 0 to 0.5`},
		"no number":                  {func(c *v1alpha1.Compare) { c.MarginAbsolute = "1%" }, `metric "m": compare.marginAbsolute is "1%": it must be a number`},
		"NaN":                        {func(c *v1alpha1.Compare) { c.Alpha = "NaN" }, `metric "m": compare.alpha is "NaN": it must be a number from 1e-06 to 0.2`},
		"alpha that fails nothing":   {func(c *v1alpha1.Compare) { c.Alpha = "0" }, `metric "m": compare.alpha is "0": it must be a number from 1e-06 to 0.2`},
		"alpha that fails anything":  {func(c *v1alpha1.Compare) { c.Alpha = "0.5" }, `metric "m": compare.alpha is "0.5": it must be a number from 1e-06 to 0.2`},
		"an unknown preset":          {func(c *v1alpha1.Compare) { *c = v1alpha1.Compare{Preset: "HAProxy"} }, `metric "m": compare.preset: "HAProxy" is unknown: use one of EnvoyGateway, `},
		"a preset that cannot":       {func(c *v1alpha1.Compare) { *c = v1alpha1.Compare{Preset: "Kong"} }, `metric "m": compare.preset: Kong cannot be used: `},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Compile([]v1alpha1.Metric{comparing(tc.change)}, Options{})
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) || !IsConfiguration(err) {
				t.Errorf("error %v, want a Configuration error with %q", err, tc.want)
			}
		})
	}
}

// A preset becomes a metric of errors and one of latencies, as far as its source has them, with all else as it was written.
func TestPresetsAreExpanded(t *testing.T) {
	plain := metricOf("result < 1", "")
	plain.Name = "plain"
	edge := comparing(func(c *v1alpha1.Compare) {
		*c = v1alpha1.Compare{Preset: "Traefik", Alpha: "0.05", MarginPercent: whole(30)}
	})
	edge.Name, edge.DryRun = "edge", true
	last := comparing()
	last.Name = "last"
	metrics := []v1alpha1.Metric{plain, edge, last}
	plans, err := Compile(metrics, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range plans {
		names = append(names, plans[i].Metric.Name)
	}
	if got := strings.Join(names, ", "); got != "plain, edge, edge latency, last" {
		t.Fatalf("the metrics are %s", got)
	}
	traefik, err := presets.Get("Traefik")
	if err != nil {
		t.Fatal(err)
	}
	for i, latency := range map[int]bool{1: false, 2: true} {
		m, c := plans[i].Metric, plans[i].Comparison
		if !m.DryRun || m.Compare.Preset != "" || c.Params.Alpha != 0.05 || c.Params.MarginRelative != 1.3 || c.Latency != latency {
			t.Errorf("%s is %+v, %+v", m.Name, m.Compare, c)
		}
		if latency && (m.Compare.Histogram != traefik.Latency || m.Compare.Requests != "") || !latency && (m.Compare.Requests != traefik.Requests || m.Compare.Histogram != "") {
			t.Errorf("%s reads %+v", m.Name, m.Compare)
		}
	}
	if metrics[1].Compare.Preset != "Traefik" || metrics[1].Compare.Requests != "" {
		t.Error("what was declared is changed")
	}
}

// Every preset that can be used compiles, and tells the unit of its latencies and the label of its pods.
func TestEveryPreset(t *testing.T) {
	for _, name := range presets.Names() {
		preset, err := presets.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		plans, err := Compile([]v1alpha1.Metric{comparing(func(c *v1alpha1.Compare) { *c = v1alpha1.Compare{Preset: name} })}, Options{})
		if err != nil || len(plans) == 0 {
			t.Errorf("%s: %d metrics, %v", name, len(plans), err)
		}
		for i := range plans {
			c := plans[i].Comparison
			if c.PodLabel != preset.PodLabel || c.Latency && c.Unit != preset.Unit {
				t.Errorf("%s, metric %q: unit %q and pods by %q, want %q and %q", name, plans[i].Metric.Name, c.Unit, c.PodLabel, preset.Unit, preset.PodLabel)
			}
		}
		own, err := Compile([]v1alpha1.Metric{comparing(func(c *v1alpha1.Compare) { *c = v1alpha1.Compare{Preset: name, PodLabel: "mine"} })}, Options{})
		if err != nil || own[0].Comparison.PodLabel != "mine" {
			t.Errorf("%s: the label that was written does not count: %v", name, err)
		}
	}
}

// A name that a preset would make twice is refused, whichever of the two comes first.
func TestPresetsDoNotClash(t *testing.T) {
	edge := comparing(func(c *v1alpha1.Compare) { *c = v1alpha1.Compare{Preset: "Traefik"} })
	edge.Name = "edge"
	other := comparing()
	other.Name = "edge latency"
	for _, metrics := range [][]v1alpha1.Metric{{edge, other}, {other, edge}} {
		_, err := Compile(metrics, Options{})
		want := `metric "edge": preset Traefik makes a metric "edge latency", and another one is called so: rename it`
		if err == nil || err.Error() != want || !IsConfiguration(err) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestComparisonLimit(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*v1alpha1.Compare)
		want   string
	}{
		"by default":         {func(*v1alpha1.Compare) {}, "1.1 × stable + 0.05 points"},
		"no absolute margin": {func(c *v1alpha1.Compare) { c.MarginAbsolute = "0" }, "1.1 × stable"},
		"no margin":          {func(c *v1alpha1.Compare) { c.MarginPercent, c.MarginAbsolute = whole(0), "0" }, "1 × stable"},
		"wide":               {func(c *v1alpha1.Compare) { c.MarginPercent, c.MarginAbsolute = whole(150), "0.02" }, "2.5 × stable + 2 points"},
		"latencies":          {func(c *v1alpha1.Compare) { *c = v1alpha1.Compare{Histogram: "x"} }, "1.1 × stable"},
		"no number":          {func(c *v1alpha1.Compare) { c.MarginAbsolute = "a" }, "1.1 × stable"},
	} {
		m := comparing(tc.change)
		if got := Limit(&m); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}

func TestUnit(t *testing.T) {
	for histogram, want := range map[string]string{
		"": "", "request_duration_seconds": "s", `request_duration_seconds{a="_milliseconds"}`: "s", "request_duration_seconds_bucket": "s",
		"request_duration_milliseconds": "ms", `latency_ms{a="b"}`: "ms", "latency": "", "items_msg": "",
	} {
		if got := unit(histogram); got != want {
			t.Errorf("%s is in %q, want %q", histogram, got, want)
		}
	}
}
