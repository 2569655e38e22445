package command

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/cmd/kubectl-belay/backtest"
)

// shopServer answers every range selector with two pods that have 2,000 requests every ten seconds, of which 4 are bad.
func shopServer(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.FormValue("query")
		length, err := model.ParseDuration(strings.TrimSuffix(query[strings.LastIndex(query, "[")+1:], "]"))
		if err != nil {
			t.Error(err)
		}
		now, err := strconv.ParseFloat(r.FormValue("time"), 64)
		if err != nil {
			t.Error(err)
		}
		step := 2000.0
		if strings.Contains(query, "code=") {
			step = 4
		}
		var result []map[string]any
		for pod := range 2 {
			var values [][2]any
			for at := int64(now-time.Duration(length).Seconds())/10*10 + 10; at <= int64(now); at += 10 {
				values = append(values, [2]any{at, fmt.Sprint(step * float64(at-noon.Add(-100*time.Hour).Unix()) / 10)})
			}
			result = append(result, map[string]any{"metric": map[string]string{"pod": fmt.Sprint("a-", pod)}, "values": values})
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": map[string]any{"resultType": "matrix", "result": result}}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

const testedRollout = `
apiVersion: v1
kind: Service
metadata: {name: checkout}
---
apiVersion: belay.dev/v1alpha1
kind: Rollout
metadata: {name: checkout, namespace: shop}
spec:
  services: [{name: checkout}]
  strategy: {canary: {steps: [{weight: 50, bake: 2m}, {weight: 100, bake: 1m}]}}
  analysis: {templates: [{name: signals}]}
`

const testedTemplate = `
---
apiVersion: belay.dev/v1alpha1
kind: AnalysisTemplate
metadata: {name: signals}
spec:
  metrics:
  - name: errors
    compare:
      requests: 'requests_total{service="{{ .Service }}"}'
      errors: 'requests_total{service="{{ .Service }}",code="500"}'
      podLabel: pod
      marginAbsolute: "0.01"
`

func manifest(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rollout.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestBacktest(t *testing.T) {
	address, whole := shopServer(t), manifest(t, testedRollout+testedTemplate)
	got := run(t, &cluster{}, "backtest", "-f", whole, "--last", "4h", "--prometheus", address, "--inject", "0.2%->20%")
	got.check(t, 0, "Back test of shop/checkout over 4h, until 2026", "history: 50 %\nhistory: 100 %\n")
	for _, want := range []string{"\nerrors\n", "0.2 % bad, 2 pods", "\nStable against itself: ", "0 aborted", "\nWith a fault from the first tick, 0.2 % → 20 %: "} {
		if !strings.Contains(got.out, want) {
			t.Errorf("%q is not in\n%s", want, got.out)
		}
	}
	until := noon.Add(-2 * time.Hour)
	svg := filepath.Join(t.TempDir(), "evidence.svg")
	got = run(t, &cluster{}, "backtest", "-f", whole, "--last", "1h", "--prometheus", address, "--svg", svg, "-o", "json", "--until", until.Format(time.RFC3339))
	var report backtest.Report
	if err := json.Unmarshal([]byte(got.out), &report); err != nil || got.code != 0 || len(report.Healthy.Attempts) == 0 || !report.Until.Equal(until) {
		t.Errorf("%v, exit code %d: %+v", err, got.code, report)
	}
	if picture, err := os.ReadFile(svg); err != nil || !strings.HasPrefix(string(picture), "<svg ") {
		t.Errorf("%v: %.40s", err, picture)
	}
}

// Templates and history that are not in the file are the cluster's.
func TestBacktestAsksTheCluster(t *testing.T) {
	template := &v1alpha1.AnalysisTemplate{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "signals"}}
	template.Spec.Metrics = []v1alpha1.Metric{{Name: "errors", Compare: &v1alpha1.Compare{
		Requests: `requests_total{service="{{ .Service }}"}`, Errors: `requests_total{service="{{ .Service }}",code="500"}`, PodLabel: "pod",
	}}}
	stored := rollout("checkout", func(r *v1alpha1.Rollout) {
		start, end := metav1.NewTime(noon.Add(-2*time.Hour)), metav1.NewTime(noon.Add(-time.Hour))
		r.Status.History = []v1alpha1.AttemptRecord{{Attempt: 9, Outcome: v1alpha1.OutcomePromoted, Revision: "abc", StartedAt: &start, EndedAt: &end}}
	})
	got := run(t, &cluster{objects: []client.Object{template, stored}}, "backtest", "-f", manifest(t, testedRollout), "--last", "4h", "--prometheus", shopServer(t))
	got.check(t, 0, "attempt 9 (Promoted) of ", "earlier attempts: ")
}

func TestBacktestRefuses(t *testing.T) {
	whole := manifest(t, testedRollout+testedTemplate)
	config := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "belay-system", Name: "belay-providers"},
		Data:       map[string]string{"providers.yaml": `providers: [{name: main, address: "http://prometheus.monitoring.svc.invalid:9090"}]`},
	}
	for name, c := range map[string]struct {
		args    []string
		objects []client.Object
		err     string
	}{
		"no file":        {nil, nil, "which Rollout? Say -f FILE"},
		"no such file":   {[]string{"-f", "/does/not/exist"}, nil, "/does/not/exist"},
		"no Rollout":     {[]string{"-f", manifest(t, testedTemplate)}, nil, "there is no Rollout in the files"},
		"two":            {[]string{"-f", whole, "-f", whole}, nil, "Rollout checkout is the second one, after checkout: one at a time"},
		"no template":    {[]string{"-f", manifest(t, testedRollout)}, nil, "AnalysisTemplate signals is neither in the files nor in the cluster: give it with -f"},
		"unknown field":  {[]string{"-f", manifest(t, testedRollout+"  colour: red\n")}, nil, `unknown field "colour"`},
		"no Prometheus":  {[]string{"-f", whole}, nil, "which Prometheus? Say --prometheus URL, as it is reached from here; for one in the cluster forward a port first"},
		"out of reach":   {[]string{"-f", whole}, []client.Object{config}, "the controller asks http://prometheus.monitoring.svc.invalid:9090, which cannot be reached from here: run `kubectl -n monitoring port-forward svc/prometheus 9090:9090`, and say --prometheus http://localhost:9090"},
		"bad address":    {[]string{"-f", whole, "--prometheus", "localhost:9090"}, nil, "write it as http://host:port"},
		"nobody answers": {[]string{"-f", whole, "--prometheus", "http://127.0.0.1:1"}, nil, `metric "errors": `},
		"last":           {[]string{"-f", whole, "--last", "soon"}, nil, `"soon" is no length of time: say 14d, 12h or 90m`},
		"too short":      {[]string{"-f", whole, "--last", "3m", "--prometheus", "http://127.0.0.1:1"}, nil, "--last is 3m: an attempt takes 3m, and history must be twice as long and half an hour at least"},
		"until":          {[]string{"-f", whole, "--until", "noon"}, nil, `--until is "noon": it must be a date`},
		"inject":         {[]string{"-f", whole, "--inject", "1%"}, nil, `--inject is "1%": say FROM->TO`},
		"output":         {[]string{"-f", whole, "-o", "xml"}, nil, `--output is "xml": it must be text or json`},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, &cluster{objects: c.objects}, append([]string{"backtest"}, c.args...)...).check(t, 2, "", c.err)
		})
	}
}

// On a terminal the bar is drawn in place and taken away; it is as wide as there is room.
func TestBar(t *testing.T) {
	var out strings.Builder
	env := Environment{ErrWidth: func() int { return 50 }}
	env.Streams.ErrOut = &out
	b := newBar(env)
	b.show(0.5, "history")
	b.show(1, "history")
	b.end()
	want := "\r\x1b[Khistory            [==========          ]  50 %\r\x1b[Khistory            [====================] 100 %\r\x1b[K"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
