package evidence

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSentences(t *testing.T) {
	one, few := Defaults(), Counts{5012, 361}
	one.MarginRelative, one.MarginAbsolute = 0, 0.01
	strict := Defaults()
	strict.Alpha = 0.005
	stable := Counts{15110, 48}
	for name, c := range map[string]struct {
		report Report
		params Params
		want   string
	}{
		"worse": {
			Report{Verdict: Fail, Cause: ByEvidence, Canary: few, Stable: stable, Lower: 0.061, Upper: 0.078}, Defaults(),
			"errors: canary 361/5,012 (7.2 %), stable 48/15,110 (0.3 %): 6.1 to 7.8 points worse, at any look, 99 %",
		},
		"rounded outwards": {
			Report{Canary: few, Stable: stable, Lower: 0.05559, Upper: 0.08471}, strict,
			"errors: canary 361/5,012 (7.2 %), stable 48/15,110 (0.3 %): 5.5 to 8.5 points worse, at any look, 99.5 %",
		},
		"not worse": {
			Report{Verdict: Pass, Canary: Counts{40000, 204}, Stable: Counts{1160000, 5911}, Lower: -0.0011, Upper: 0.00283}, Defaults(),
			"errors: canary 204/40,000 (0.51 %), stable 5,911/1,160,000 (0.51 %): at most 0.29 points worse, at any look, 99 %",
		},
		"neither": {
			Report{Canary: Counts{400, 3}, Stable: Counts{11600, 59}, Lower: -0.0121, Upper: 0.0283}, Defaults(),
			"errors: canary 3/400 (0.75 %), stable 59/11,600 (0.51 %): 1.3 points better to 2.9 points worse, at any look, 99 %",
		},
		"better": {
			Report{Verdict: Pass, Canary: Counts{40000, 19}, Stable: Counts{1160000, 59110}, Lower: -0.0552, Upper: -0.0448}, Defaults(),
			"errors: canary 19/40,000 (< 0.1 %), stable 59,110/1,160,000 (5.1 %): 4.4 to 5.6 points better, at any look, 99 %",
		},
		"worse, and within the margin": {
			Report{Verdict: Pass, Canary: Counts{4e8, 3.1e7}, Stable: Counts{4e8, 3e7}, Lower: 0.0011, Upper: 0.004}, Defaults(),
			"errors: canary 31,000,000/400,000,000 (7.8 %), stable 30,000,000/400,000,000 (7.5 %): 0.11 to 0.40 points worse, at any look, 99 %; within the margin",
		},
		"failed by what was before": {
			Report{Verdict: Fail, Cause: ByEvidence, Canary: Counts{90, 1}, Stable: Counts{90, 0}, Lower: -0.1, Upper: 0.2}, Defaults(),
			"errors: canary 1/90 (1.1 %), stable 0/90 (0.0 %): 10.0 points better to 20.0 points worse, at any look, 99 %; beyond the margin over the whole attempt",
		},
		"failed at a weight where nothing was compared": {
			Report{Verdict: Fail, Cause: ByEvidence, Lower: -1, Upper: 1}, Defaults(),
			"errors: nothing to compare yet at this weight; beyond the margin over the whole attempt",
		},
		"all bad": {
			Report{Verdict: Fail, Cause: AllBad, Canary: Counts{20, 20}, Stable: Counts{990, 5}, Lower: 0.3, Upper: 1}, Defaults(),
			"errors: canary 20/20 (100.0 %), stable 5/990 (0.5 %): every request of the canary was bad, for two ticks and 20 requests at least",
		},
		"all bad with all traffic": {
			Report{Verdict: Fail, Cause: AllBad, Canary: Counts{990, 1}, Stable: Counts{990, 5}, Baseline: Gone, Alone: Counts{2000, 2000}, Frozen: true, Level: 0.01}, Defaults(),
			"errors: canary 2,000/2,000 (100.0 %): every request of the canary was bad, for two ticks and 20 requests at least",
		},
		"all bad with all traffic, after good ones": {
			Report{Verdict: Fail, Cause: AllBad, Canary: Counts{990, 1}, Stable: Counts{990, 5}, Baseline: Gone, Alone: Counts{2000, 1000}, Frozen: true, Level: 0.01}, Defaults(),
			"errors: every request of the canary was bad, for two ticks and 20 requests at least",
		},
		"nothing seen": {Report{Lower: -1, Upper: 1}, Defaults(), "errors: nothing to compare yet at this weight"},
		"frozen": {
			Report{Verdict: Pass, Canary: Counts{40000, 2}, Stable: Counts{40000, 3}, Lower: -0.0001, Upper: 0.0003, Frozen: true, Level: 0.005}, Defaults(),
			"errors: canary 2/40,000 (0.0050 %), stable 3/40,000 (0.0075 %): at most 0.030 points worse, at any look, 99 %; frozen, as stable has no traffic left",
		},
		"failed when frozen": {
			Report{Verdict: Fail, Cause: ByEvidence, Canary: Counts{40000, 2}, Stable: Counts{40000, 3}, Lower: -0.0001, Upper: 0.0003, Frozen: true, Level: 0.0042, Alone: Counts{5012, 61}}, Defaults(),
			"errors: canary 61/5,012 (1.2 %), above 0.4 % bad, which is the limit by its last hour (stable has no traffic)",
		},
		"failed, and frozen afterwards": {
			Report{Verdict: Fail, Cause: ByEvidence, Canary: Counts{40000, 2}, Stable: Counts{40000, 3}, Lower: -0.0001, Upper: 0.0003, Frozen: true, Level: 0.0042, Alone: Counts{5012, 6}}, Defaults(),
			"errors: stable has no traffic: the canary has 6/5,012 (0.12 %) and may have 0.42 % bad, by its last hour; beyond the margin over the whole attempt",
		},
		"frozen from the start": {
			Report{Lower: -1, Upper: 1, Frozen: true}, Defaults(),
			"errors: stable has no traffic, and there is no earlier hour of it to judge the canary by",
		},
		"stable missing": {
			Report{Canary: Counts{40, 2}, Stable: Counts{40, 3}, Lower: -0.5, Upper: 0.5, Level: 0.0042, Baseline: Missing}, Defaults(),
			"errors: stable's counts are missing: the canary may have 0.42 % bad, by stable's last hour",
		},
		"failed with stable missing": {
			Report{Verdict: Fail, Cause: ByEvidence, Lower: -0.5, Upper: 0.5, Level: 0.042, Baseline: Missing, Alone: Counts{1200, 361}}, Defaults(),
			"errors: canary 361/1,200 (30.1 %), above 4.2 % bad, which is the limit by stable's last hour (stable's counts are missing)",
		},
		"stable missing, counted": {
			Report{Canary: Counts{40, 2}, Stable: Counts{40, 3}, Lower: -0.5, Upper: 0.5, Level: 0.042, Baseline: Missing, Alone: Counts{1200, 36}}, Defaults(),
			"errors: stable's counts are missing: the canary has 36/1,200 (3.0 %) and may have 4.2 % bad, by stable's last hour",
		},
		"failed before stable was missing": {
			Report{Verdict: Fail, Cause: ByEvidence, Lower: -0.5, Upper: 0.5, Level: 0.042, Baseline: Missing}, Defaults(),
			"errors: stable's counts are missing: the canary may have 4.2 % bad, by stable's last hour; beyond the margin over the whole attempt",
		},
		"one sample": {
			Report{Verdict: Fail, Cause: ByEvidence, Canary: few, Lower: 0.055, Upper: 0.092}, one,
			"errors: canary 361/5,012 (7.2 %): 5.5 to 9.2 % bad, limit 1.0 %, at any look, 99 %",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.report.Sentence("errors", c.params); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

// The sentence of counts that were really judged.
func TestSentenceOfAComparison(t *testing.T) {
	p := plain(1, 0)
	want := "errors: canary 361/5,012 (7.2 %), stable 48/15,110 (0.3 %): 5.5 to 8.5 points worse, at any look, 99 %"
	if got := added(t, p, both(5012, 361, 15110, 48)).Report().Sentence("errors", p); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestValue(t *testing.T) {
	for want, r := range map[string]Report{
		"":                    {},
		"7.2 % against 0.3 %": {Canary: Counts{5012, 361}, Stable: Counts{15110, 48}},
		"7.2 %":               {Canary: Counts{5012, 361}},
	} {
		if got := r.Value(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for got, want := range map[string]string{
		Grouped(0): "0", Grouped(999): "999", Grouped(1000): "1,000", Grouped(-1234567): "-1,234,567",
		Grouped(math.MaxInt64): "9,223,372,036,854,775,807",
		Confidence(0.01):       "99 %", Confidence(0.05): "95 %", Confidence(0.001): "99.9 %", Confidence(1e-9): "99.9999999 %",
		Counts{3, 3}.text(1): "3/3 (100.0 %)", Counts{100000, 99999}.text(1): "99,999/100,000 (> 99.9 %)",
		up(0.003, 1): "0.3", down(0.003, 1): "0.3", up(0.00301, 1): "0.4", down(0.00299, 1): "0.2", up(-0.003, 1): "0.3",
		percent(1e-9, decimals(1e-9)): "0.000000 %",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for share, want := range map[float64]int{0: 1, 1: 1, 0.1: 1, 0.01: 1, 0.0099: 2, 0.001: 2, 0.0003: 3, 1e-9: mostDecimals} {
		if got := decimals(share); got != want {
			t.Errorf("%v has %d decimals, want %d", share, got, want)
		}
	}
}

// Whatever is reported, the sentence is one line that speaks of the metric.
func TestSentenceOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := func(name string) Counts {
			n := rapid.Int64Range(0, math.MaxInt64).Draw(t, name)
			return Counts{Requests: n, Bad: rapid.Int64Range(0, n).Draw(t, name+" bad")}
		}
		r := Report{
			Verdict: Verdict(rapid.IntRange(0, 2).Draw(t, "verdict")), Cause: Cause(rapid.IntRange(0, 2).Draw(t, "cause")),
			Canary: counts("canary"), Stable: counts("stable"), Frozen: rapid.Bool().Draw(t, "frozen"),
			Alone: counts("alone"), Baseline: Baseline(rapid.IntRange(0, 2).Draw(t, "baseline")),
			Lower: rapid.Float64Range(-1, 1).Draw(t, "lower"), Level: rapid.Float64Range(0, 1).Draw(t, "level"),
		}
		r.Upper = rapid.Float64Range(r.Lower, 1).Draw(t, "upper")
		got := r.Sentence("errors", Defaults())
		if !strings.HasPrefix(got, "errors: ") || strings.ContainsAny(got, "\n") || strings.Contains(got, "NaN") || strings.Contains(got, "-") {
			t.Errorf("%+v gives %q", r, got)
		}
	})
}

func TestCost(t *testing.T) {
	for name, c := range map[string]struct {
		ticks []Tick
		want  string
	}{
		"nothing":                       {nil, "0 bad requests of the canary, 0 more than at stable's share"},
		"worse":                         {[]Tick{both(1000, 70, 10000, 30), both(1000, 1001, 5000, 20)}, "1,071 bad requests of the canary, 1,064 more than at stable's share"},
		"better than stable":            {[]Tick{both(1000, 1, 1000, 30)}, "1 bad request of the canary, 0 more than at stable's share"},
		"by the share so far":           {[]Tick{both(0, 0, 1000, 100), both(100, 50, 0, 0)}, "50 bad requests of the canary, 40 more than at stable's share"},
		"what is not measured is not":   {[]Tick{both(0, 0, 1000, 100), with(Missing, both(100, 50, 1000, 1000))}, "50 bad requests of the canary, 40 more than at stable's share"},
		"through all weights":           {[]Tick{both(100, 5, 100, 1), atNewWeight(both(100, 5, 100, 1))}, "10 bad requests of the canary, 8 more than at stable's share"},
		"a stable that is bad in a way": {[]Tick{both(100, 50, 100, 50), both(100, 50, 100, 50)}, "100 bad requests of the canary, 0 more than at stable's share"},
		"never seen a stable":           {[]Tick{both(100, 5, 0, 0)}, "5 bad requests of the canary, 5 more than at stable's share"},
		"more than can be counted":      {[]Tick{both(math.MaxInt64, math.MaxInt64, 1, 0), both(math.MaxInt64, math.MaxInt64, 1, 0)}, "9,223,372,036,854,775,807 bad requests of the canary, 9,223,372,036,854,775,807 more than at stable's share"},
	} {
		t.Run(name, func(t *testing.T) {
			var cost Cost
			for _, tick := range c.ticks {
				cost.Add(tick)
			}
			if got := cost.Sentence(); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}
