package canarybench

import (
	"math"
	"testing"

	"github.com/belay-dev/belay/analysis/evidence"
)

// tick of both arms.
func tick(canary, canaryBad, stable, stableBad int64) evidence.Tick {
	return evidence.Tick{Canary: evidence.Counts{Requests: canary, Bad: canaryBad}, Stable: evidence.Counts{Requests: stable, Bad: stableBad}}
}

// until says after how many of the minutes a judge rolls back, 0 for never. A minute is one tick's counts, six times.
func until(rule Rule, minutes []evidence.Tick) int {
	judge := rule.New(Steady(1, 0.5, 0.5, 1), evidence.AssumedDispersion())
	for i, minute := range minutes {
		for range minuteTicks {
			judge.Add(minute)
		}
		if judge.RollsBack() {
			return i + 1
		}
	}
	return 0
}

func repeated(n int, ticks ...evidence.Tick) []evidence.Tick {
	var out []evidence.Tick
	for range n {
		out = append(out, ticks...)
	}
	return out
}

func TestThresholdRules(t *testing.T) {
	good, bad, none := tick(100, 1, 0, 0), tick(100, 2, 0, 0), tick(0, 0, 100, 0)
	tests := map[string]struct {
		minutes       []evidence.Tick
		argo, flagger int
	}{
		"at the threshold":                     {repeated(60, good), 0, 0},
		"one failure more than the limit of 3": {repeated(9, bad), 4, 5},
		"they need not follow each other":      {repeated(9, good, bad), 8, 10},
		"five errors in a row, more than 4":    {repeated(9, none), 5, 0},
		"a good minute ends the row":           {repeated(9, none, none, none, none, good), 0, 0},
		"a bad minute ends the row, and counts": {append(repeated(1, none, none, none, none, bad),
			repeated(9, good)...), 0, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := until(Argo(0.01), tc.minutes); got != tc.argo {
				t.Errorf("Argo Rollouts ends after %d minutes, want %d", got, tc.argo)
			}
			if got := until(Flagger(0.01), tc.minutes); got != tc.flagger {
				t.Errorf("Flagger ends after %d minutes, want %d", got, tc.flagger)
			}
		})
	}
}

// Shares of the minutes, shifted by a little noise of their own so that no two are equal.
func hours(n int, canary, stable int64) []evidence.Tick {
	var out []evidence.Tick
	for i := range int64(60 * n) {
		out = append(out, tick(100_000, canary+7*i%60, 100_000, stable+11*i%60))
	}
	return out
}

func TestRankTest(t *testing.T) {
	tests := map[string]struct {
		minutes []evidence.Tick
		want    int
	}{
		"alike":                     {hours(3, 100, 100), 0},
		"worse, seen after an hour": {hours(3, 140, 100), 60},
		"better":                    {hours(3, 60, 100), 0},
		"worse in the second hour":  {append(hours(1, 100, 100), hours(1, 140, 100)...), 120},
		"no canary":                 {repeated(120, tick(0, 0, 100, 1)), 0},
		"a few minutes of canary":   {append(repeated(57, tick(0, 0, 100, 1)), repeated(3, tick(100, 50, 100, 1))...), 60},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := until(Kayenta(), tc.minutes); got != tc.want {
				t.Errorf("ends after %d minutes, want %d", got, tc.want)
			}
		})
	}
}

// The tests on counts so far, at the counts where they turn.
func TestCumulatedRules(t *testing.T) {
	const nc, ns = 10_000, 90_000
	d := func(bad int64) (diff, v, pooled float64) {
		pc, ps, p := float64(bad)/nc, 0.01, (float64(bad)+900)/(nc+ns)
		return pc - ps, pc*(1-pc)/nc + ps*(1-ps)/ns, p * (1 - p) * (1.0/nc + 1.0/ns)
	}
	tests := map[string]struct {
		rule    Rule
		rejects func(bad int64) bool
	}{
		"z": {RepeatedZ(0.01), func(bad int64) bool { diff, _, v := d(bad); return diff/math.Sqrt(v) > 2.3263478740408408 }},
		"mixture": {MSPRT(0.01, 0.005), func(bad int64) bool {
			diff, v, _ := d(bad)
			t2 := 0.005 * 0.005
			return diff > 0 && math.Sqrt(v/(v+t2))*math.Exp(t2*diff*diff/(2*v*(v+t2))) >= 100
		}},
		"sequence": {Sequence(0.01, 10_000), func(bad int64) bool {
			diff, v, _ := d(bad)
			n, l := 100_000.0, -2*math.Log(0.02)
			rho2 := (l + math.Log(l+1)) / 10_000
			sigma2 := v * n
			return diff > math.Sqrt(sigma2*2*(n*rho2+1)/(n*n*rho2)*math.Log(1+math.Sqrt(n*rho2+1)/0.02))
		}},
		"Wald, twice as bad": {Rule{New: func(Truth, evidence.Dispersion) Judge {
			return Wald(0.01).New(Steady(1, 0.01, 0.1, 1).worse(2, 0), evidence.Dispersion{})
		}},
			func(bad int64) bool {
				q := 0.1 * 2 / (0.1*2 + 0.9)
				return float64(bad)*math.Log(q/0.1)+900*math.Log((1-q)/0.9) >= math.Log(100)
			}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			turned := 0
			for bad := int64(0); bad <= 300; bad++ {
				judge := tc.rule.New(Steady(1, 0.01, 0.1, 1), evidence.AssumedDispersion())
				judge.Add(tick(nc, bad, ns, 900))
				want := tc.rejects(bad)
				if judge.RollsBack() != want {
					t.Fatalf("with %d bad requests: rolls back is %v, want %v", bad, judge.RollsBack(), want)
				}
				if want {
					turned++
				}
			}
			if turned < 20 || turned > 200 {
				t.Errorf("rejects %d of 301 counts: the cases say nothing", turned)
			}
		})
	}
}

// Nothing is decided from nothing, and without bad requests nobody rolls back.
func TestRulesWithoutData(t *testing.T) {
	rules := append(others(), Wald(Alpha), Belay("", Usual()), BelayEstimated("", Usual()))
	for _, rule := range rules {
		for name, minute := range map[string]evidence.Tick{"no stable": tick(100, 0, 0, 0), "no bad ones": tick(100, 0, 100, 0)} {
			if got := until(rule, repeated(90, minute)); got != 0 {
				t.Errorf("%s, %s: rolled back after %d minutes", rule.Name, name, got)
			}
		}
	}
}
