package probe

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// answers plays a list of answers, G for good and B for bad, and ends the watch after the last.
func watch(t *testing.T, timing Timing, initial bool, answers string) (verdicts []bool, failures int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	asked := 0
	check := func(context.Context) error {
		if asked == len(answers) {
			cancel()
			return nil
		}
		asked++
		if answers[asked-1] == 'G' {
			return nil
		}
		return errors.New("bad")
	}
	timing.Period, timing.Timeout = time.Millisecond, time.Second
	Watch(ctx, timing, check, initial,
		func(error) { failures++ },
		func(v Verdict) { verdicts = append(verdicts, v.Healthy) })
	if asked != len(answers) {
		t.Fatalf("asked %d times, want %d", asked, len(answers))
	}
	return verdicts, failures
}

func TestThresholds(t *testing.T) {
	cases := map[string]struct {
		initial          bool
		success, failure int
		answers          string
		want             []bool
		failures         int
	}{
		"readiness: first good answer counts":        {success: 1, failure: 3, answers: "BG", want: []bool{true}, failures: 1},
		"readiness: bad answers below the threshold": {success: 1, failure: 3, answers: "GBBGBB", want: []bool{true}, failures: 4},
		"readiness: threshold reached, then good":    {success: 1, failure: 2, answers: "GBBG", want: []bool{true, false, true}, failures: 2},
		"readiness: success threshold":               {success: 3, failure: 1, answers: "GGBGGG", want: []bool{false, true}, failures: 1},
		"liveness: healthy start stays silent":       {initial: true, success: 1, failure: 2, answers: "GBG", failures: 1},
		"liveness: bad from the start":               {initial: true, success: 1, failure: 2, answers: "BB", want: []bool{false}, failures: 2},
		"startup: bad from the start is heard":       {success: 1, failure: 2, answers: "BB", want: []bool{false}, failures: 2},
		"startup: bad is told once":                  {success: 1, failure: 2, answers: "BBBB", want: []bool{false}, failures: 4},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, failures := watch(t, Timing{Success: tc.success, Failure: tc.failure}, tc.initial, tc.answers)
			if !slices.Equal(got, tc.want) {
				t.Errorf("verdicts = %v, want %v", got, tc.want)
			}
			if failures != tc.failures {
				t.Errorf("failures = %d, want %d", failures, tc.failures)
			}
		})
	}
}

func TestDelayPeriodAndTimeout(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	start := time.Now()
	var first, second time.Duration
	var got error
	timing := Timing{Delay: 50 * time.Millisecond, Period: 80 * time.Millisecond, Timeout: 20 * time.Millisecond, Success: 1, Failure: 1}
	Watch(ctx, timing, func(ctx context.Context) error {
		if first == 0 {
			first = time.Since(start)
			<-ctx.Done()
			return context.Cause(ctx)
		}
		second = time.Since(start)
		cancel()
		return nil
	}, true, func(err error) { got = err }, func(Verdict) {})
	if first < timing.Delay {
		t.Errorf("first question after %s, want at least %s", first, timing.Delay)
	}
	if second-first < timing.Timeout+timing.Period {
		t.Errorf("second question %s after the first, want the time-out and a period", second-first)
	}
	if !errors.Is(got, errTimeout) {
		t.Errorf("error = %v, want the time-out", got)
	}
}

func TestEagerWhileBad(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	asked := 0
	Watch(ctx, Timing{Period: time.Hour, Eager: time.Millisecond, Timeout: time.Second, Success: 1, Failure: 1},
		func(context.Context) error {
			if asked++; asked < 4 {
				return errors.New("bad")
			}
			return nil
		}, false, func(error) {}, func(v Verdict) {
			if v.Healthy {
				cancel()
			}
		})
	if asked != 4 {
		t.Errorf("asked %d times, want 4 long before the first full period", asked)
	}
}
