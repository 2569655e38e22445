package probe

import (
	"context"
	"errors"
	"time"
)

// Check asks once; nil means healthy. It has to return when ctx ends.
type Check func(ctx context.Context) error

// Timing says when to ask and how many answers in a row change the verdict.
type Timing struct {
	Delay, Period, Timeout time.Duration
	Success, Failure       int
	// Eager, when positive, is the period for as long as the verdict is bad. A kubelet too may ask more often than
	// the period while a container is not ready. Only for probes whose failures have no effect of their own.
	Eager time.Duration
}

// Verdict is what Watch knows. Err is the last failed answer's error, nil when Healthy.
type Verdict struct {
	Healthy bool
	Err     error
}

var errTimeout = errors.New("probe timed out")

// Watch asks until ctx ends, starting from the verdict initial. It calls failed for every bad answer and changed for every
// change of the verdict. A verdict that starts out bad is told once when the failure threshold is reached, because a startup
// probe that never succeeds has to be heard too.
func Watch(ctx context.Context, t Timing, check Check, initial bool, failed func(error), changed func(Verdict)) {
	healthy, same, last := initial, 0, initial
	wait := t.Delay
	for {
		if !sleep(ctx, wait) {
			return
		}
		err := ask(ctx, t.Timeout, check)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			failed(err)
		}
		if ok := err == nil; ok == last {
			same++
		} else {
			last, same = ok, 1
		}
		switch {
		case last && !healthy && same >= t.Success:
			healthy = true
			changed(Verdict{Healthy: true})
		case !last && same >= t.Failure && (healthy || same == t.Failure):
			healthy = false
			changed(Verdict{Err: err})
		}
		wait = t.Period
		if !healthy && t.Eager > 0 {
			wait = min(t.Eager, t.Period)
		}
	}
}

func ask(ctx context.Context, timeout time.Duration, check Check) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errTimeout)
	defer cancel()
	return check(ctx)
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
