package backtest

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/api/v1alpha1"
)

const errorsMetric = `
  - name: errors
    compare:
      requests: 'requests_total{service="{{ .Service }}",hash="{{ .Revision }}"}'
      errors: 'requests_total{service="{{ .Service }}",hash="{{ .Revision }}",code="500"}'
      podLabel: pod
      marginAbsolute: "0.02"
`

func planOf(t *testing.T, metrics string) *Plan {
	t.Helper()
	var r v1alpha1.Rollout
	text := `
metadata: {name: checkout, namespace: shop}
spec:
  services: [{name: checkout}]
  strategy: {canary: {steps: [{weight: 20, bake: 2m}, {approve: {}}, {weight: 50, bake: 3m}, {weight: 100, bake: 1m}]}}
  analysis:
    interval: 10s
    metrics:` + strings.ReplaceAll(metrics, "\n", "\n  ")
	if err := yaml.UnmarshalStrict([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	p, err := PlanOf(&r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func ran(t *testing.T, s *fake, p *Plan, change func(*Options)) *Report {
	t.Helper()
	source, err := Prometheus(s.open(), "")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Source: source, Until: noon.Add(8 * time.Hour), Last: 8 * time.Hour, Seed: 1}
	if change != nil {
		change(&o)
	}
	r, err := Run(t.Context(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var busy = shop{pods: 6, requests: 100, bad: steady(0.004), hours: 8}

func TestHealthyAndInjected(t *testing.T) {
	s := &fake{t: t, series: busy.series(1)}
	inject, err := ParseInjection("0.4% -> 8%")
	if err != nil {
		t.Fatal(err)
	}
	r := ran(t, s, planOf(t, errorsMetric), func(o *Options) { o.Inject, o.Picture = inject, true })
	healthy, injected := &r.Healthy, r.Injected
	if n := len(healthy.Attempts); n < 30 || healthy.Count(Failed) > 0 || healthy.Count(Promoted) < n*9/10 {
		t.Errorf("%d healthy attempts: %d promoted, %d failed, %d undecided", n, healthy.Count(Promoted), healthy.Count(Failed), healthy.Count(Undecided))
	}
	if n := len(injected.Attempts); n < 100 || injected.Count(Failed) < n*98/100 {
		t.Errorf("%d attempts with a fault: %d failed", n, injected.Count(Failed))
	}
	if d := injected.Delay(0.5); d < time.Minute || d > 4*time.Minute || injected.Spent(0.5) < 1 {
		t.Errorf("seen after %s, %d requests were made bad", d, injected.Spent(0.5))
	}
	m := r.Metrics[0]
	if m.Pods != 6 || math.Abs(float64(m.Bad)/float64(m.Requests)-0.004) > 0.0005 || m.Requests < 6*100*2880*95/100 || len(m.Remarks) > 0 {
		t.Errorf("%+v", m)
	}
	if r.Tick != 20*time.Second {
		t.Errorf("a tick is %s, and pods are scraped every %s", r.Tick, scrape)
	}
	wellFormed(t, r.SVG())
}

// wellFormed XML, with both traces in it.
func wellFormed(t *testing.T, svg string) {
	t.Helper()
	d, paths := xml.NewDecoder(strings.NewReader(svg)), 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "path" {
			paths++
			for _, a := range e.Attr {
				if a.Name.Local == "d" && (strings.Count(a.Value, "L") < 500 || strings.Contains(a.Value, "NaN")) {
					t.Errorf("a path of %d points", strings.Count(a.Value, "L"))
				}
			}
		}
	}
	if paths != 2 {
		t.Errorf("%d paths, want 2", paths)
	}
}

// What keeps a release waiting is named, with the weight.
func TestUndecided(t *testing.T) {
	few := shop{pods: 6, requests: 3, bad: steady(0.01), hours: 8}
	r := ran(t, &fake{t: t, series: few.series(1)}, planOf(t, errorsMetric), nil)
	if r.Healthy.Count(Undecided) == 0 || r.Healthy.Count(Failed) > 0 || !strings.Contains(r.Text(), "\n  no Pass of errors at 20 %: ") {
		t.Error(r.Text())
	}
}

// The same history and seed give the same report, whatever the seed of others.
func TestSameSeedSameReport(t *testing.T) {
	s := &fake{t: t, series: busy.series(1)}
	text := func(seed uint64) string {
		r := ran(t, s, planOf(t, errorsMetric), func(o *Options) { o.Seed, o.Last = seed, 4*time.Hour })
		raw, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw) + r.Text()
	}
	one, again, two := text(1), text(1), text(2)
	if one != again || one == two {
		t.Errorf("twice the same: %t; with another seed: %t", one == again, one == two)
	}
}

// Pods that differ make false alarms where nobody allows for it; what is measured of them is told.
func TestPodsThatDiffer(t *testing.T) {
	s := &fake{t: t, series: shop{pods: 6, requests: 40, hours: 8, bad: func(pod int, _ time.Time) float64 {
		return 0.004 * float64(1+pod)
	}}.series(1)}
	r := ran(t, s, planOf(t, errorsMetric), nil)
	if !strings.Contains(strings.Join(r.Metrics[0].Remarks, "; "), "noisy: the errors of equal pods differ by a factor of") {
		t.Errorf("%+v", r.Metrics[0])
	}
}

func TestWithoutPods(t *testing.T) {
	s := &fake{t: t, series: busy.series(1)}
	r := ran(t, s, planOf(t, strings.Replace(errorsMetric, "podLabel: pod", "podLabel: ''", 1)), nil)
	if len(r.Healthy.Attempts) < 10 || r.Healthy.Count(Failed) > 0 {
		t.Errorf("%d attempts, %d failed", len(r.Healthy.Attempts), r.Healthy.Count(Failed))
	}
	if m := r.Metrics[0]; m.Pods != 0 || !m.Assumed || !strings.Contains(strings.Join(m.Remarks, ""), "pods are not told apart") {
		t.Errorf("%+v", m)
	}
}

func TestLatencyAndNoData(t *testing.T) {
	s := &fake{t: t, series: busy.series(1)}
	r := ran(t, s, planOf(t, errorsMetric+`
  - name: slow
    compare: {histogram: 'seconds{service="{{ .Service }}"}', podLabel: pod}
  - name: typo
    compare: {requests: 'request_total{service="{{ .Service }}"}', errors: 'request_total{service="{{ .Service }}",code="500"}'}
  - name: wrong
    compare: {histogram: 'minutes{service="{{ .Service }}"}'}
`), func(o *Options) { o.Last = 4 * time.Hour })
	text := r.Text()
	for _, want := range []string{
		"\nslow\n  ", "\ntypo\n  no data: request_total{service=\"checkout\"} matched nothing of stable\n",
		"\nwrong\n  not judged: its histogram has no samples in the last hour\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if len(r.Healthy.Attempts) == 0 || r.Healthy.Count(Failed) > 0 {
		t.Errorf("%s", text)
	}
	if r.Err() != nil {
		t.Error(r.Err())
	}
}

// Attempts that really were are judged by the metrics of now.
func TestEarlierAttempts(t *testing.T) {
	good, bad := noon.Add(2*time.Hour), noon.Add(5*time.Hour)
	series := busy.series(1)
	for _, c := range []struct {
		from     time.Time
		revision string
		share    float64
	}{{good, "def", 0.004}, {bad, "ghi", 0.1}} {
		canary := shop{pods: 1, requests: 100, bad: steady(c.share), hours: 8}.series(3)
		for _, one := range canary {
			one.labels["service"], one.labels["hash"], one.labels["pod"] = "checkout-canary", c.revision, "checkout-"+c.revision+"-0"
			for i := range one.values {
				if at := noon.Add(time.Duration(i) * scrape); at.Before(c.from) || at.After(c.from.Add(20*time.Minute)) {
					one.values[i] = math.NaN()
				}
			}
			series = append(series, one)
		}
	}
	record := func(n int64, outcome v1alpha1.Outcome, revision string, at time.Time, minutes int) v1alpha1.AttemptRecord {
		start, end := metav1.NewTime(at), metav1.NewTime(at.Add(time.Duration(minutes)*time.Minute))
		return v1alpha1.AttemptRecord{Attempt: n, Outcome: outcome, Revision: revision, StartedAt: &start, EndedAt: &end}
	}
	p := planOf(t, errorsMetric)
	p.history = []v1alpha1.AttemptRecord{
		record(4, v1alpha1.OutcomePromoted, "ghi", bad, 20), record(3, v1alpha1.OutcomeFailed, "def", good, 20),
		record(2, v1alpha1.OutcomePromoted, "abc", noon.Add(-time.Hour), 20), {Attempt: 1, Outcome: v1alpha1.OutcomeFailed},
	}
	r := ran(t, &fake{t: t, series: series}, p, nil)
	if len(r.Earlier) != 2 {
		t.Fatalf("%+v", r.Earlier)
	}
	if e := r.Earlier[0]; e.Attempt != 4 || !e.Failed || e.After > 5*time.Minute || !strings.Contains(e.Said[0], "points worse, at any look, 99 %") {
		t.Errorf("the bad one: %+v", e)
	}
	if e := r.Earlier[1]; e.Attempt != 3 || e.Failed || !strings.Contains(e.Said[0], "at any look, 99 %") {
		t.Errorf("the good one: %+v", e)
	}
	for _, want := range []string{"attempt 4 (Promoted) of 2026-11-01T17:00:00Z: it would have been aborted within", "attempt 3 (Failed) of 2026-11-01T14:00:00Z: it would not have been aborted"} {
		if !strings.Contains(r.Text(), want) {
			t.Errorf("%q is not in\n%s", want, r.Text())
		}
	}
}

func TestNothingToJudge(t *testing.T) {
	r := ran(t, &fake{t: t}, planOf(t, errorsMetric), nil)
	if r.Err() == nil || len(r.Healthy.Attempts) > 0 {
		t.Errorf("%v: %s", r.Err(), r.Text())
	}
}

const condition = `
  - name: error-rate
    prometheus: {query: 'sum(rate(requests_total{service="{{ .Service }}",hash="{{ .Revision }}"}[1m]))'}
    successCondition: result < 0.01
    interval: 30s
    initialDelay: 1m
`

func TestThresholds(t *testing.T) {
	bad := noon.Add(5 * time.Hour)
	s := &fake{t: t, ranged: func(at time.Time) float64 {
		switch {
		case at.After(bad) && at.Before(bad.Add(30*time.Minute)):
			return 0.02
		case at.Before(noon.Add(time.Hour)):
			return math.NaN()
		}
		return 0.001
	}}
	r := ran(t, s, planOf(t, condition), nil)
	got := r.Thresholds[0]
	// 8 hours at 30 s; 59 of them lie in the bad half hour, the first two minutes of each attempt do not count.
	if got.Measurements != 961 || got.Failure != 59 || got.NoData != 120 || got.Success != 782 || got.Failed < 5 || got.Failed > 20 || got.Attempts < 70 {
		t.Errorf("%+v", got)
	}
	if text := r.Text(); !strings.Contains(text, "error-rate (conditions)\n  measured 961 times: 6.1 % failed, 0 % inconclusive, 12 % without data\n") {
		t.Error(text)
	}
	if r.Err() != nil {
		t.Error(r.Err())
	}
}

func TestQueryForAnyRevision(t *testing.T) {
	for query, want := range map[string]string{
		`a{b="c"}`:                      `a{b="c"}`,
		`a{hash="` + anyRevision + `"}`: `a{hash=~"[a-z0-9]+"}`,
		`sum(rate(a{pod=~"x-` + anyRevision + `-.+"}[1m]))`: `sum(rate(a{pod=~"x-[a-z0-9]+-.+"}[1m]))`,
		`a{pod="x.y-` + anyRevision + `"}`:                  `a{pod=~"x\\.y-[a-z0-9]+"}`,
		`a{pod!="` + anyRevision + `"}`:                     `a{pod!~"[a-z0-9]+"}`,
	} {
		if got, err := forAnyRevision(query); err != nil || got != want {
			t.Errorf("%s becomes %s (%v), want %s", query, got, err, want)
		}
	}
}

func TestParseInjection(t *testing.T) {
	for text, want := range map[string]Injection{
		"0.1%->1%": {0.001, 0.01}, "0.001 -> 0.01": {0.001, 0.01}, "0→5 %": {0, 0.05}, "0.5%->100%": {0.005, 1},
	} {
		if got, err := ParseInjection(text); err != nil || math.Abs(got.From-want.From) > 1e-12 || math.Abs(got.To-want.To) > 1e-12 {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1%", "1%->0.1%", "1%->1%", "a->b", "0.1%->101%", "-1%->1%", "NaN->1%", "1%->2%x"} {
		if got, err := ParseInjection(text); err == nil || !strings.Contains(err.Error(), "say FROM->TO") {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestStatistics(t *testing.T) {
	if got := atMost(0, 100); math.Abs(got-(1-math.Pow(0.05, 0.01))) > 1e-9 {
		t.Errorf("0 of 100: %v", got)
	}
	if atMost(3, 3) != 1 || atMost(0, 0) != 1 {
		t.Error("all of them is everything")
	}
	of := []float64{3, 1, 2, 10}
	for q, want := range map[float64]float64{0.5: 2, 0.9: 10, 0.25: 1, 1: 10, 0.75: 3} {
		if got := quantile(of, q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	if quantile(nil, 0.5) != 0 {
		t.Error("nothing has no quantile")
	}
}

func TestWrongOptions(t *testing.T) {
	if _, err := Run(t.Context(), planOf(t, errorsMetric), Options{Last: 10 * time.Minute}); err == nil || !strings.Contains(err.Error(), "--last is 10m: an attempt takes 6m") {
		t.Error(err)
	}
	if _, err := Prometheus("localhost", ""); err == nil || !strings.Contains(err.Error(), "write it as http://host:port") {
		t.Error(err)
	}
	if _, err := Prometheus("http://localhost", "/does/not/exist"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
}
