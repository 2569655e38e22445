package canarybench

import (
	"testing"

	"github.com/belay-dev/belay/analysis/evidence"
)

func climberNamed(t *testing.T, name string) climber {
	t.Helper()
	for _, c := range climbers() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("there is no climber %q", name)
	return climber{}
}

func TestClimb(t *testing.T) {
	good := Steady(100_000, 0.001, 0.05, 1)
	outage := Steady(1000, 0, 0.05, 1).worse(1, 1)
	quiet := Steady(1, 0.001, 0.05, 1)
	tests := map[string]struct {
		climber  string
		truth    Truth
		promoted int // minutes, 0 for never
		rolled   bool
		waits    bool
	}{
		"three times five minutes":        {"Argo Rollouts", good, 15, false, false},
		"three times an hour":             {"Kayenta", good, 180, false, false},
		"a Pass within each bake":         {"Belay, φ = 1, s = 0", good, 15, false, false},
		"no Pass, so it waits":            {"Belay, φ = 1, s = 0", quiet, 0, false, true},
		"all bad":                         {"Belay, estimated", outage, 0, true, false},
		"the ramp needs no step":          {"Belay, estimated, ramp", good, 1, false, false},
		"the ramp stays where all is bad": {"Belay, estimated, ramp", outage, 0, true, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := climberNamed(t, tc.climber)
			got := c.climb(tc.truth.Stream(1, 0), evidence.AssumedDispersion(), 4*hourTicks)
			if at := (got.promotedAt + minuteTicks - 1) / minuteTicks; got.promoted != (tc.promoted > 0) || at > tc.promoted || at < tc.promoted-1 {
				t.Errorf("promoted is %v after %d minutes, want %d", got.promoted, at, tc.promoted)
			}
			if got.RolledBack != tc.rolled || got.inconclusive != tc.waits {
				t.Errorf("rolled back is %v, waits is %v", got.RolledBack, got.inconclusive)
			}
		})
	}
}

// A check that failed halts the advancement until one that did not.
func TestFlaggerHalts(t *testing.T) {
	c := climberNamed(t, "Flagger")
	judge := c.New(Truth{}, evidence.Dispersion{})
	minute := func(bad int64) {
		for range minuteTicks {
			judge.Add(tick(100, bad, 1000, 0))
		}
	}
	minute(2)
	if got := c.next(c, judge, 0.05, stepBake); got != 0.05 {
		t.Errorf("after a check that failed it goes on to %v", got)
	}
	minute(1)
	if got := c.next(c, judge, 0.05, stepBake); got != 0.25 {
		t.Errorf("after a good check it goes on to %v, want 0.25", got)
	}
	if got := c.next(c, judge, 0.05, stepBake-1); got != 0.05 {
		t.Errorf("before the end of the step it goes on to %v", got)
	}
}

// What an outcome has counted is what was in the ticks until the rollback.
func TestRaceCountsUntilTheRollback(t *testing.T) {
	truth := Steady(1000, 0, 0.1, 50).worse(1, 1)
	outcomes := make([]Outcome, 2)
	race(truth.Stream(1, 0), []Judge{newBelay(Usual()), Argo(1).New(truth, evidence.Dispersion{})}, outcomes)
	first, never := outcomes[0], outcomes[1]
	if !first.RolledBack || first.Ticks != 2 || first.Excess != first.CanaryRequests || first.Requests < 1700 || first.Requests > 2300 {
		t.Errorf("all bad from the first tick: %+v", first)
	}
	if never.RolledBack || never.Ticks != 50 || never.Requests < 48_000 || never.Requests > 52_000 {
		t.Errorf("a rule that never rolls back: %+v", never)
	}
}
