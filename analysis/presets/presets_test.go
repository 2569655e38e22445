package presets_test

import (
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/presets"
	"github.com/belay-dev/belay/analysis/samples"
)

// found is what the selectors of a preset find for one arm, added up.
type found struct{ requests, bad, latencies float64 }

var (
	stable = analysis.Vars{Namespace: "shop", Name: "checkout", Service: "checkout", Revision: "7d9f8c6b5d", Arm: samples.Stable}
	canary = analysis.Vars{Namespace: "shop", Name: "checkout", Service: "checkout-canary", Revision: "6d4cf56db6", Arm: samples.Canary}
)

// Each preset finds canary and stable in what its project writes, and nothing of other Services, revisions and namespaces.
func TestPresetsFindTheArms(t *testing.T) {
	tests := map[string]struct {
		canary, stable found
		pods           string // of stable
	}{
		"EnvoyGateway":       {canary: found{992, 12, 992}, stable: found{9067, 27, 9067}},
		"Istio":              {canary: found{409, 9, 409}, stable: found{4017, 6, 4000}}, // its scrape has durations of the code 200 only
		"Traefik":            {canary: found{25, 6, 25}, stable: found{75, 3, 75}},
		"NGINXGatewayFabric": {canary: found{398, 8, 0}, stable: found{4019, 6, 0}},
		"Cilium":             {canary: found{307, 7, 307}, stable: found{2993, 3, 2993}, pods: "checkout-7d9f8c6b5d-abcde checkout-7d9f8c6b5d-fghij"},
		"Linkerd":            {canary: found{267, 5, 267}, stable: found{2504, 4, 2504}},
		"PodLabel":           {canary: found{20, 2, 20}, stable: found{190, 6, 190}, pods: "checkout-7d9f8c6b5d-abcde checkout-7d9f8c6b5d-fghij"},
	}
	for _, name := range presets.Names() {
		t.Run(name, func(t *testing.T) {
			want, ok := tests[name]
			if !ok {
				t.Fatal("there is no scrape of it")
			}
			preset, err := presets.Get(name)
			if err != nil {
				t.Fatal(err)
			}
			all := scraped(t, name)
			if got, _ := look(t, preset, all, canary); got != want.canary {
				t.Errorf("canary %+v, want %+v", got, want.canary)
			}
			got, pods := look(t, preset, all, stable)
			if got != want.stable {
				t.Errorf("stable %+v, want %+v", got, want.stable)
			}
			if pods != want.pods {
				t.Errorf("the stable's pods are %q, want %q", pods, want.pods)
			}
		})
	}
}

// Kong is refused since its series do not know the arms. Should that change, this test shows it.
func TestKongCannotTellTheArmsApart(t *testing.T) {
	if _, err := presets.Get("Kong"); err == nil || !strings.HasPrefix(err.Error(), "Kong cannot be used: Kong counts by Kong service") {
		t.Errorf("error %v", err)
	}
	for _, s := range scraped(t, "Kong") {
		for name, value := range s.Labels {
			if strings.Contains(value, canary.Service) || strings.Contains(value, canary.Revision) {
				t.Errorf("%s=%q names an arm", name, value)
			}
		}
	}
}

func TestEveryPresetIsWhole(t *testing.T) {
	for _, p := range presets.All() {
		switch {
		case p.Page == "":
			t.Errorf("%s cites no page", p.Name)
		case p.Refused != "":
		case p.Requests == "" || p.Errors == "":
			t.Errorf("%s counts nothing", p.Name)
		case (p.Latency == "") != (p.Unit == ""):
			t.Errorf("%s has a latency %q in %q", p.Name, p.Latency, p.Unit)
		}
	}
	_, err := presets.Get("Nginx")
	if want := `"Nginx" is unknown: use one of EnvoyGateway, Istio, Traefik, NGINXGatewayFabric, Cilium, Linkerd, PodLabel`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// The page for users says what the code does.
func TestThePageIsTrue(t *testing.T) {
	raw, err := os.ReadFile("../../docs/concepts/presets.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	for _, p := range presets.All() {
		said := []string{"`" + p.Name + "`", "(" + p.Page + ")"}
		for _, selector := range []string{p.Requests, p.Latency} {
			if metric, matchers, ok := strings.Cut(strings.TrimSuffix(selector, "}"), "{"); ok {
				said = append(said, "`"+metric+"`", "`"+matchers+"`")
			}
		}
		if p.Refused == "" {
			said = append(said, "`"+strings.TrimPrefix(strings.TrimSuffix(p.Errors, "}"), strings.TrimSuffix(p.Requests, "}")+",")+"`")
		}
		if p.PodLabel != "" {
			said = append(said, "by `"+p.PodLabel+"`")
		}
		for _, words := range said {
			if !strings.Contains(page, words) {
				t.Errorf("%s: docs/concepts/presets.md does not say %s", p.Name, words)
			}
		}
	}
}

// look adds up what the selectors of an arm match, and names the pods.
func look(t *testing.T, preset presets.Preset, all []samples.Series, vars analysis.Vars) (found, string) {
	t.Helper()
	compare, err := analysis.CompileCompare("m", analysis.CompareSource{Requests: preset.Requests, Errors: preset.Errors, Histogram: preset.Latency}, nil)
	if err != nil {
		t.Fatal(err)
	}
	selectors, err := compare.Select(vars)
	if err != nil {
		t.Fatal(err)
	}
	var out found
	pods := map[string]bool{}
	for _, s := range matching(t, all, selectors.Requests) {
		out.requests += s.Points[0].V
		if preset.PodLabel != "" {
			pods[s.Labels[preset.PodLabel]] = true
		}
	}
	for _, s := range matching(t, all, selectors.Errors) {
		out.bad += s.Points[0].V
	}
	for _, selector := range selectors.Histograms {
		for _, s := range matching(t, all, selector) {
			if s.Labels[model.BucketLabel] == "+Inf" {
				out.latencies += s.Points[0].V
			}
		}
	}
	names := make([]string, 0, len(pods))
	for name := range pods {
		names = append(names, name)
	}
	sort.Strings(names)
	return out, strings.Join(names, " ")
}

func matching(t *testing.T, all []samples.Series, selector string) []samples.Series {
	t.Helper()
	matchers, err := parser.NewParser(parser.Options{}).ParseMetricSelector(selector)
	if err != nil {
		t.Fatalf("%s: %v", selector, err)
	}
	var out []samples.Series
next:
	for _, s := range all {
		for _, m := range matchers {
			if !m.Matches(s.Labels[m.Name]) {
				continue next
			}
		}
		out = append(out, s)
	}
	return out
}

// scraped reads a scrape as Prometheus does, with a sample each.
func scraped(t *testing.T, name string) []samples.Series {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", strings.ToLower(name)+".prom"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	textParser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := textParser.TextToMetricFamilies(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []samples.Series
	add := func(m *dto.Metric, name string, value float64, more ...string) {
		s := samples.Series{Labels: map[string]string{model.MetricNameLabel: name}, Points: []samples.Point{{T: 1, V: value}}}
		for _, l := range m.GetLabel() {
			s.Labels[l.GetName()] = l.GetValue()
		}
		if len(more) > 0 {
			s.Labels[model.BucketLabel] = more[0]
		}
		out = append(out, s)
	}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			if h := m.GetHistogram(); h != nil {
				add(m, name+"_count", float64(h.GetSampleCount()))
				for _, b := range h.GetBucket() {
					add(m, name+"_bucket", float64(b.GetCumulativeCount()), model.SampleValue(b.GetUpperBound()).String())
				}
				continue
			}
			add(m, name, m.GetCounter().GetValue()+m.GetUntyped().GetValue()+m.GetGauge().GetValue())
		}
	}
	return out
}
