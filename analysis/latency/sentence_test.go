package latency

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/belay-dev/belay/analysis/evidence"
)

func TestFindings(t *testing.T) {
	strict := evidence.Defaults()
	strict.Alpha = 0.005
	arm := func(p99 float64) Arm { return Arm{Requests: 1000, P99: p99} }
	beyond := Arm{Requests: 1000, Beyond: 11, P99: 10}
	strongest := func(lower, upper float64) [3]Excess {
		return [3]Excess{{Lower: -1, Upper: 1}, {Quantile: 0.9, Bound: 0.25, Lower: lower, Upper: upper}, {Lower: -1, Upper: 1}}
	}
	for name, c := range map[string]struct {
		report Report
		params evidence.Params
		unit   string
		want   string
	}{
		"slower": {
			Report{Canary: arm(1.23), Stable: arm(0.312), Strongest: 1, Excess: strongest(0.041, 0.068)}, evidence.Defaults(), "s",
			"p99 1.2 s against 0.31 s: 4.1 to 6.8 points more of the canary's requests take longer than 0.25 s, at any look, 99 %",
		},
		"rounded outwards": {
			Report{Canary: arm(1230), Stable: arm(99), Strongest: 1, Excess: strongest(0.04159, 0.06711)}, strict, "ms",
			"p99 1230 ms against 99 ms: 4.1 to 6.8 points more of the canary's requests take longer than 0.25 ms, at any look, 99.5 %",
		},
		"faster": {
			Report{Canary: arm(0.2), Stable: arm(0.3), Strongest: 1, Excess: strongest(-0.0688, -0.0411)}, evidence.Defaults(), "s",
			"p99 0.2 s against 0.3 s: 4.1 to 6.9 points fewer of the canary's requests take longer than 0.25 s, at any look, 99 %",
		},
		"neither": {
			Report{Canary: arm(0.2), Stable: arm(0.3), Strongest: 1, Excess: strongest(-0.0121, 0.0283)}, evidence.Defaults(), "",
			"p99 0.2 against 0.3: 1.3 points fewer to 2.9 points more of the canary's requests take longer than 0.25, at any look, 99 %",
		},
		"frozen": {
			Report{Canary: arm(0.2), Stable: arm(0.3), Strongest: 1, Excess: strongest(0.041, 0.068), Frozen: true}, evidence.Defaults(), "s",
			"p99 0.2 s against 0.3 s: 4.1 to 6.8 points more of the canary's requests take longer than 0.25 s, at any look, 99 %; frozen, as stable has no traffic left",
		},
		"beyond the last bound": {
			Report{Canary: beyond, Stable: arm(0.3), Strongest: 1, Excess: strongest(0.041, 0.068)}, evidence.Defaults(), "s",
			"p99 > 10 s against 0.3 s: 4.1 to 6.8 points more of the canary's requests take longer than 0.25 s, at any look, 99 %",
		},
		"nothing proved":   {Report{Canary: beyond, Stable: beyond, Strongest: -1}, evidence.Defaults(), "s", "p99 > 10 s against > 10 s"},
		"no bounds there":  {Report{Canary: arm(0.2), Stable: arm(0.3), Strongest: 0}, evidence.Defaults(), "s", "p99 0.2 s against 0.3 s"},
		"learning":         {Report{Strongest: -1, Learning: true}, evidence.Defaults(), "s", "stable's first requests are read, to know where its latencies lie"},
		"nothing compared": {Report{Stable: arm(0.3), Strongest: -1}, evidence.Defaults(), "s", "nothing to compare yet at this weight"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.report.Finding(c.params, c.unit); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

// One request in a hundred may lie beyond the last bound before the p99 does, and its estimate is the bound then.
func TestBeyondTheLastBound(t *testing.T) {
	for beyond, want := range map[int64]string{0: "p99 3.9 s against 3.9 s", 10: "p99 4 s against 4 s", 11: "p99 > 4 s against > 4 s", 1000: "p99 > 4 s against > 4 s"} {
		arm := []int64{0, 1000 - beyond, beyond}
		c := comparison(t, evidence.Defaults(), []float64{1, 4}, []int64{100, 800, 100})
		c.Add(Tick{Canary: arm, Stable: arm})
		if r := c.Report(); r.Value("s") != want || r.Canary.Beyond != beyond || r.Canary.P99 > 4 {
			t.Errorf("%d of 1,000: %q, want %q", beyond, r.Value("s"), want)
		}
	}
}

// Whatever was counted, the sentence is one line without a number that is none.
func TestFindingOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		c := comparison(t, drawParams(t), h.bounds, h.counts)
		for range rapid.IntRange(0, 5).Draw(t, "ticks") {
			c.Add(Tick{
				Canary: drawArm(t, len(h.bounds)+1, "canary"), Stable: drawArm(t, len(h.bounds)+1, "stable"),
				Baseline: rapid.SampledFrom([]evidence.Baseline{evidence.Measured, evidence.Missing, evidence.Gone}).Draw(t, "baseline"),
			})
		}
		got := c.Report().Finding(c.Params(), "s")
		if got == "" || strings.ContainsAny(got, "\n") || strings.Contains(got, "NaN") || strings.Contains(got, "Inf") || strings.Contains(got, "-") {
			t.Errorf("%q", got)
		}
	})
}
