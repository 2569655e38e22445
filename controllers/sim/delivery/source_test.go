package delivery

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/measure"
	"github.com/belay-dev/belay/controllers/sim/schedule"
)

// measured has the product's runner measure for a minute, and tells what it said when.
func measured(t *testing.T, seed uint64, o SourceOptions, f SourceFaults) (told string, last v1alpha1.MetricStatus) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := schedule.New(seed, noon, synctest.Wait)
		o.Schedule = s
		source := NewSource(o)
		source.Faults = f
		key := types.NamespacedName{Namespace: "shop", Name: "web"}
		var lines []string
		var runner *measure.Runner
		runner = measure.New(measure.Options{
			Clock: s.Clock("belay-1", nil), Concurrency: 1, Log: logr.Discard(),
			Wake: func(types.NamespacedName) {
				s.Hand("wakes", func() {
					state, _ := runner.Snapshot(key)
					last = state.Metrics[0]
					lines = append(lines, fmt.Sprint(s.Now().Sub(noon), " ", last.Verdict, " ", last.Value, " ", last.Message, " ", state.Misconfigured))
				})
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = runner.Start(ctx) }()
		s.Settle()
		plans, err := analysis.Compile(Measured(2*time.Second).Metrics, analysis.Options{Interval: 2 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		runner.Ensure(key, measure.Job{
			Attempt: 1, Step: 1, Since: s.Now(), Plans: plans, Provider: source.Provider("belay-1"),
			Vars: analysis.Vars{Namespace: "shop", Name: "web", Service: "web-canary", Revision: "abc", Arm: "canary"},
		})
		s.Settle()
		s.Run(noon.Add(time.Minute))
		cancel()
		s.Settle()
		if source.Asked() == 0 {
			t.Error("nothing was asked")
		}
		told = strings.Join(lines, "\n")
	})
	return told, last
}

func truth(is Quality) SourceOptions {
	return SourceOptions{Truth: func(Question) Quality { return is }}
}

func TestSource(t *testing.T) {
	for name, c := range map[string]struct {
		is      Quality
		faults  SourceFaults
		verdict v1alpha1.Verdict
		says    string
	}{
		"good":          {Good, SourceFaults{}, v1alpha1.VerdictPass, "0.001"},
		"bad":           {Bad, SourceFaults{}, v1alpha1.VerdictFail, "0.2"},
		"unclear":       {Unclear, SourceFaults{}, v1alpha1.VerdictInconclusive, "0.03"},
		"unknown":       {Unknown, SourceFaults{}, v1alpha1.VerdictInconclusive, "no series"},
		"NaN":           {Good, SourceFaults{NaN: 1}, v1alpha1.VerdictInconclusive, "NaN"},
		"empty":         {Good, SourceFaults{Empty: 1}, v1alpha1.VerdictInconclusive, "no series"},
		"broken":        {Good, SourceFaults{Broken: 1}, v1alpha1.VerdictInconclusive, "answers with an error"},
		"misconfigured": {Good, SourceFaults{Misconfigured: 1}, v1alpha1.VerdictPending, "refuses the query"},
		"several":       {Good, SourceFaults{Several: 1}, v1alpha1.VerdictPending, "2 series"},
		"silent":        {Good, SourceFaults{Silent: 1}, v1alpha1.VerdictInconclusive, "longer than 10s"},
		"slow":          {Good, SourceFaults{Slow: 1}, v1alpha1.VerdictInconclusive, "longer than 10s"},
		"late":          {Bad, SourceFaults{Late: 1}, v1alpha1.VerdictFail, "0.2"},
		"lying good":    {Good, SourceFaults{Lying: 1}, v1alpha1.VerdictFail, "0.2"},
		"lying bad":     {Bad, SourceFaults{Lying: 1}, v1alpha1.VerdictPass, "0"},
	} {
		t.Run(name, func(t *testing.T) {
			told, last := measured(t, 1, truth(c.is), c.faults)
			if last.Verdict != c.verdict || !strings.Contains(told, c.says) {
				t.Errorf("%s, want %s with %q\n%s", last.Verdict, c.verdict, c.says, told)
			}
		})
	}
}

func TestSourceIsTheSameForASeed(t *testing.T) {
	faults := SourceFaults{Silent: 0.1, Slow: 0.1, Late: 0.2, Broken: 0.1, NaN: 0.1, Empty: 0.1, Lying: 0.02}
	differ := map[string]bool{}
	for seed := range uint64(10) {
		told, _ := measured(t, seed, truth(Good), faults)
		differ[told] = true
		for range 5 {
			if again, _ := measured(t, seed, truth(Good), faults); again != told {
				t.Fatalf("seed %d went\n%s\nand then\n%s", seed, told, again)
			}
		}
	}
	if len(differ) < 8 {
		t.Error("the faults made no difference")
	}
}

// Counts of the data plane are asked for with what the query names, over its window.
func TestSourceCounts(t *testing.T) {
	var asked []Question
	o := SourceOptions{Counted: func(q Question) (int, int) {
		asked = append(asked, q)
		if len(asked) == 1 {
			return 0, 0
		}
		return 200, 40
	}}
	told, last := measured(t, 1, o, SourceFaults{Behind: time.Second})
	if !strings.Contains(told, "NaN") || last.Verdict != v1alpha1.VerdictFail || last.Value != "0.2" {
		t.Errorf("it went\n%s", told)
	}
	q := asked[len(asked)-1]
	since := q.To.Sub(q.From)
	if q.Namespace != "shop" || q.Rollout != "web" || q.Service != "web-canary" || q.Revision != "abc" || q.Arm != "canary" || !q.To.Equal(noon.Add(since-time.Second)) {
		t.Errorf("asked was %+v", q)
	}
}

func TestForeignQuery(t *testing.T) {
	for _, query := range []string{"up", `sum(rate(x{a="b"}[1m]))`, `x{namespace="a"}`} {
		if _, err := read(query, noon); !analysis.IsConfiguration(err) {
			t.Errorf("%s: %v", query, err)
		}
	}
}
