package stories

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/prometheus"
	"github.com/belay-dev/belay/analysis/trial"
	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/world"
)

var metricsBlock = regexp.MustCompile(`(?s)\n    metrics:\n.*\n    stepDeadline: [^\n]*\n`)

// compares puts a comparison in the place of the shop's metric. Its margin is wide, since a shop has 50 requests a second and
// a story has no hour.
func compares(strategy, compare string) func(map[string]string) {
	return func(files map[string]string) {
		text := metricsBlock.ReplaceAllLiteralString(files[rolloutFile], "\n    metrics:\n    - name: errors\n      compare: "+compare+"\n    stepDeadline: 2m\n")
		if strategy != "" {
			text = regexp.MustCompile(`(?m)^      steps: .*$`).ReplaceAllLiteralString(text, "      "+strategy)
		}
		files[rolloutFile] = text
	}
}

// The judge of comparisons reads what the real gateway counts. A good release passes, and says by how much it may differ.
func TestCompareGood(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "compare-good", Edit: compares("", `{preset: Traefik, marginAbsolute: "0.2", marginPercent: 200, allowNeverSeen: true}`)})
	sha := s.Ship("shop:v2")
	s.Promoted("shop:v2")
	s.AtRest()
	s.NoCommit(sha)
	s.NoRequestLost()
	for _, m := range s.Rollout().Status.Metrics {
		c := m.Comparison
		if c == nil || c.CanaryRequests < 20 || c.StableRequests < 20 || c.Ticks == 0 {
			t.Fatalf("metric %s has compared %+v", m.Name, c)
		}
		t.Logf("%s: %s", m.Name, m.Message)
	}
}

// A bad one fails by evidence: the sentence has the counts of both arms, the interval and what it cost, in the status, in the
// history and in the commit.
func TestCompareBad(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "compare-bad", Edit: compares("", `{preset: Traefik, alpha: "0.01"}`)})
	sha := s.Ship("shop:v3")
	h := s.Ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHealthy)
	sentence := regexp.MustCompile(`canary [0-9,]+/[0-9,]+ \([0-9.]+ %\), stable [0-9,]+/[0-9,]+ \([0-9.]+ %\): .*points worse, at any look, 99 %`)
	if !sentence.MatchString(h.Reason) {
		t.Errorf("the history says %q", h.Reason)
	}
	if !strings.Contains(h.Cost, "bad requests of the canary") {
		t.Errorf("it cost %q", h.Cost)
	}
	c := s.OneRevert(sha, "errors", "points worse, at any look, 99 %", "bad requests of the canary", "Revert compare-bad/shop to v1: ")
	t.Logf("%s", c.Message)
	s.GitAgrees()
	s.AtRest()
	s.OnlyFailed("v3")
}

// served is what Traefik counts for an arm, without the end of the selector. A ramp also waits for the latencies of a preset,
// which a shop on a busy machine has no hour for.
const served = `traefik_service_requests_total{service=~"{{ .Namespace }}-{{ .Service }}-http-[0-9]+@kubernetesgateway`

// The ramp finds its weights, from one percent to all, and says why it waits.
func TestRamp(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "ramp", Edit: compares(
		"ramp: {from: 20, budgetPermille: 200, maxDuration: 10m}", `{requests: '`+served+`"}', errors: '`+served+`",code=~"5.."}', marginAbsolute: "0.2", allowNeverSeen: true}`)})
	sha := s.Ship("shop:v2")
	seen := map[string]bool{}
	s.Eventually(5*time.Minute, func(context.Context) error {
		st := s.Rollout().Status
		seen[st.Weight] = true
		if len(st.History) == 1 && st.History[0].Outcome == v1alpha1.OutcomePromoted {
			return nil
		}
		return fmt.Errorf("it is %s at %s: %s", st.Phase, st.Weight, st.Message)
	})
	if len(seen) < 3 {
		t.Errorf("weights were %v", seen)
	}
	s.NoCommit(sha)
	s.NoRequestLost()
}

// A controller that is killed in the middle of a judgement reads the samples again. What it says in the end is, to the last
// bit, what one says that read them all at once.
func TestCompareKilled(t *testing.T) {
	s := open(t, shared, world.ShopOptions{Name: "compare-killed", Steps: "[{weight: 50, bake: 10s}, {weight: 100, bake: 2s}]",
		Edit: compares("", `{preset: Traefik, marginAbsolute: "0.1", alpha: "0.00001"}`)})
	sha := s.Ship("shop:v3")
	s.Eventually(time.Minute, func(context.Context) error {
		st := s.Rollout().Status
		if p := st.Progress; p == nil || len(p.Exposures) == 0 || time.Since(p.Exposures[0].Since.Time) < 6*time.Second {
			return fmt.Errorf("it is %s: %s", st.Phase, st.Message)
		}
		return nil
	})
	shared.Belay.Kill()
	s.Must(shared.Belay.Start(t.Context()))
	s.Ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHealthy)
	s.OneRevert(sha, "points worse")

	r := s.Rollout()
	for _, m := range r.Status.Metrics {
		c := m.Comparison
		if c == nil {
			t.Fatalf("metric %s compared nothing: %s", m.Name, m.Message)
		}
		if again := s.compared(r, m.Name, c.Ticks); !equality.Semantic.DeepEqual(again, c) {
			t.Errorf("metric %s: the controller says\n%+v\nand who reads everything at once\n%+v", m.Name, *c, *again)
		}
		t.Logf("%s: %d ticks, ln E %s: %s", m.Name, c.Ticks, c.LogE, m.Message)
	}
}

// compared follows the metric of an attempt over so many ticks, in one reading of the real Prometheus.
func (s *story) compared(r *v1alpha1.Rollout, metric string, ticks int64) *v1alpha1.ComparisonStatus {
	s.T.Helper()
	plans, err := analysis.Compile(r.Spec.Analysis.Metrics, analysis.Options{Interval: r.Spec.Analysis.Interval.Duration})
	s.Must(err)
	i := slices.IndexFunc(plans, func(p analysis.Plan) bool { return p.Metric.Name == metric })
	p := r.Status.Progress
	vars := func(service string) analysis.Vars {
		return analysis.Vars{Namespace: r.Namespace, Name: r.Name, Service: service}
	}
	canary, err := plans[i].Comparison.Selectors.Select(vars("shop-canary"))
	s.Must(err)
	stable, err := plans[i].Comparison.Selectors.Select(vars("shop"))
	s.Must(err)
	tr := trial.New(trial.Options{Plan: &plans[i], Canary: canary, Stable: stable, StablePods: p.Replicas})
	tr.Follow(p.Exposures)
	sources, err := prometheus.NewProviders(prometheus.File{Default: "main", Providers: []prometheus.Config{{Name: "main", Address: s.World.Cluster.Prometheus()}}})
	s.Must(err)
	reader, err := sources.Reader("main", r.Namespace)
	s.Must(err)
	read := func(now time.Time) {
		reads := tr.Reads(now)
		for i := range reads {
			reads[i].Series, err = reader.Raw(s.T.Context(), reads[i].Selector, reads[i].From, reads[i].To)
			s.Must(err)
		}
		tr.Take(now, reads)
	}
	read(tr.Due())
	read(tr.Due().Add(time.Duration(ticks-1) * tr.Tick()))
	return tr.Finding(p.Step).Status
}
