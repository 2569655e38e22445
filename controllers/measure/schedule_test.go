package measure

import (
	"context"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
)

func TestMeasuresOnAGrid(t *testing.T) {
	b := newBench(t)
	b.run()
	b.runner.Ensure(shop, b.job(1, metric("errors")))
	state, _ := b.runner.Snapshot(shop)
	b.expect(state, v1alpha1.VerdictPending, "errors: not measured in this step yet")

	b.expect(b.measure(0, 0.001), v1alpha1.VerdictPass, "every metric passes")
	for i := 1; i <= 3; i++ {
		b.advance(seconds(10), 1)
		b.measure(seconds(10*i), 0.001)
	}
	b.advance(seconds(10), 1)
	state = b.measure(seconds(40), 0.2)
	b.expect(state, v1alpha1.VerdictFail, "errors: 1 failed measurement, failureLimit is 0; last: 0.2 does not meet successCondition result < 0.01")
	if got, want := describe(state.Metrics[0]), "errors Fail value=0.2 step=1 at=40s s=4 f=1 e=0"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := state.Metrics[0].Query, `errors{service="checkout-canary"}`; got != want {
		t.Errorf("query %s, want %s", got, want)
	}
	// Decided: nothing is asked any more.
	b.advance(time.Hour, 1)
	b.quiet(1)
}

func TestInitialDelayAndOwnInterval(t *testing.T) {
	b := newBench(t)
	b.run()
	b.runner.Ensure(shop, b.job(1, metric("errors", func(m *v1alpha1.Metric) {
		m.InitialDelay = &metav1.Duration{Duration: seconds(30)}
		m.Interval = &metav1.Duration{Duration: seconds(15)}
	})))
	b.advance(seconds(29), 1)
	b.quiet(1)
	b.advance(seconds(1), 1)
	b.measure(seconds(30), 0)
	b.advance(seconds(15), 1)
	b.measure(seconds(45), 0)
}

func TestTicksThatPassedAreOneMeasurement(t *testing.T) {
	b := newBench(t)
	b.run()
	b.runner.Ensure(shop, b.job(1, metric("errors")))
	slow := b.next(0)
	// Five ticks pass while the answer is on its way, within the time-out of a query.
	b.advance(seconds(9), 2)
	slow.number(0)
	b.wake(shop)
	b.advance(seconds(46), 1) // 55 s: the ticks 10 … 50
	b.measure(seconds(55), 0)
	b.quiet(1)
	b.advance(seconds(5), 1)
	b.measure(seconds(60), 0)
}

func TestALateStartMeasuresAtOnce(t *testing.T) {
	b := newBench(t)
	b.clock.Step(seconds(34))
	b.runner.Ensure(shop, b.job(1, metric("errors"))) // before Start
	b.run()
	b.measure(seconds(34), 0)
	b.advance(seconds(6), 1)
	b.measure(seconds(40), 0)
}

func TestEnsureIsIdempotent(t *testing.T) {
	b := newBench(t)
	b.run()
	b.runner.Ensure(shop, b.job(1, metric("errors")))
	b.measure(0, 0)
	b.runner.Ensure(shop, b.job(1, metric("errors")))
	b.quiet(1)
	b.advance(seconds(10), 1)
	state := b.measure(seconds(10), 0)
	if got := state.Metrics[0].Counts.Success; got != 2 {
		t.Errorf("%d successes, want 2", got)
	}
}

func TestANewStepStartsAfresh(t *testing.T) {
	for name, change := range map[string]func(*Job){
		"step":    func(j *Job) { j.Step = 2 },
		"attempt": func(j *Job) { j.Attempt = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.run()
			b.runner.Ensure(shop, b.job(1, metric("errors")))
			b.expect(b.measure(0, 0), v1alpha1.VerdictPass, "")
			b.advance(seconds(10), 1)
			old := b.next(seconds(10)) // under way as the step ends

			job := b.job(1, metric("errors"))
			change(&job)
			job.Since = b.clock.Now()
			b.runner.Ensure(shop, job)
			state, _ := b.runner.Snapshot(shop)
			b.expect(state, v1alpha1.VerdictPending, "not measured")
			receive(t, old.ctx.Done(), "the old query to be cancelled")
			old.number(1) // too late: it must not count

			state = b.measure(seconds(10), 0)
			b.expect(state, v1alpha1.VerdictPass, "")
			if state.Step != job.Step || state.Attempt != job.Attempt || state.Metrics[0].Counts.Success != 1 || state.Metrics[0].Counts.Failure != 0 {
				t.Errorf("state %+v", state)
			}
		})
	}
}

func TestAClockThatStartsAgainMovesTheGrid(t *testing.T) {
	b := newBench(t)
	b.run()
	job := b.job(1, metric("errors"))
	b.runner.Ensure(shop, job)
	b.measure(0, 0)
	b.advance(seconds(4), 1)
	job.Since = start.Add(seconds(4))
	b.runner.Ensure(shop, job)
	state := b.measure(seconds(4), 0)
	if got := state.Metrics[0].Counts.Success; got != 2 {
		t.Errorf("%d successes, want 2: the counts stay", got)
	}
	b.advance(seconds(10), 1)
	b.measure(seconds(14), 0)
}

func TestStop(t *testing.T) {
	b := newBench(t)
	b.run()
	b.runner.Ensure(shop, b.job(1, metric("errors")))
	q := b.next(0)
	b.runner.Stop(shop)
	receive(t, q.ctx.Done(), "the query to be cancelled")
	if _, ok := b.runner.Snapshot(shop); ok {
		t.Error("still known after Stop")
	}
	b.advance(time.Minute, 1)
	b.quiet(1)
	b.runner.Stop(shop) // again: nothing happens
	if len(b.woken) != 0 {
		t.Error("woken although the job ended")
	}
}

func TestQueriesAreBounded(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Concurrency = 2 })
	b.run()
	b.runner.Ensure(shop, b.job(1, metric("a"), metric("b"), metric("c")))
	first, second := b.next(0), b.next(0)
	b.quiet(3) // the schedule, and the two deadlines
	first.number(0)
	third := b.next(0)
	if first.query == third.query || second.query == third.query {
		t.Errorf("asked %s, %s and %s", first.query, second.query, third.query)
	}
	second.number(0)
	third.number(0)
	for range 3 {
		b.wake(shop)
	}
}

func TestTheFirstDueIsTheFirstAsked(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Concurrency = 1 })
	b.run()
	delayed := func(d int) func(*v1alpha1.Metric) {
		return func(m *v1alpha1.Metric) { m.InitialDelay = &metav1.Duration{Duration: seconds(d)} }
	}
	b.runner.Ensure(shop, b.job(1, metric("z", delayed(1)), metric("a", delayed(3)), metric("m", delayed(2))))
	b.advance(seconds(5), 1)
	for _, want := range []string{"z", "m", "a"} {
		q := b.next(seconds(5))
		if q.query != want+`{service="checkout-canary"}` {
			t.Errorf("asked %s, want %s", q.query, want)
		}
		q.number(0)
		b.wake(shop)
	}
}

func TestRolloutsDoNotWaitForEachOther(t *testing.T) {
	b := newBench(t)
	b.run()
	b.runner.Ensure(shop, b.job(1, metric("errors")))
	hanging := b.next(0)
	b.runner.Ensure(cart, b.job(1, metric("errors")))
	b.next(0).number(0.5)
	b.expect(b.wake(cart), v1alpha1.VerdictFail, "")
	state, _ := b.runner.Snapshot(shop)
	b.expect(state, v1alpha1.VerdictPending, "")
	hanging.number(0)
	b.expect(b.wake(shop), v1alpha1.VerdictPass, "")
}

func TestAQueryEndsAtItsDeadline(t *testing.T) {
	var took []time.Duration
	b := newBench(t, func(o *Options) {
		o.QueryTimeout = seconds(5)
		o.Queried = func(d time.Duration) { took = append(took, d) }
	})
	b.run()
	b.runner.Ensure(shop, b.job(1, metric("errors")))
	b.next(0) // never answered
	b.advance(seconds(5), 2)
	state := b.wake(shop)
	b.expect(state, v1alpha1.VerdictPending, "errors: the query took longer than 5s")
	if state.Metrics[0].Counts.Error != 1 || state.Misconfigured != "" {
		t.Errorf("state %+v", state)
	}
	b.advance(seconds(5), 1)
	b.expect(b.measure(seconds(10), 0), v1alpha1.VerdictPass, "")
	if len(took) != 2 || took[0] != seconds(5) || took[1] != 0 {
		t.Errorf("queries took %v, want 5s and 0s", took)
	}
}

func TestEverythingEndsWithTheContext(t *testing.T) {
	b := newBench(t)
	cancel := b.run()
	b.runner.Ensure(shop, b.job(1, metric("a"), metric("b")))
	one, two := b.next(0), b.next(0)
	cancel()
	receive(t, one.ctx.Done(), "the first query to end")
	receive(t, two.ctx.Done(), "the second query to end")
	// That Start returns and no goroutine is left is checked as the test ends.
}

func TestSnapshotDoesNotShareMemory(t *testing.T) {
	b := newBench(t)
	b.run()
	b.runner.Ensure(shop, b.job(1, metric("errors")))
	state := b.measure(0, 0)
	state.Metrics[0].Verdict = v1alpha1.VerdictFail
	state.Metrics[0].MeasuredAt.Time = time.Time{}
	again, _ := b.runner.Snapshot(shop)
	if again.Metrics[0].Verdict != v1alpha1.VerdictPass || again.Metrics[0].MeasuredAt.IsZero() {
		t.Error("a change of a snapshot is seen in the next one")
	}
}

func TestManyAtOnce(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Concurrency = 4 })
	b.run()
	answering, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		for {
			select {
			case q := <-b.source.asked:
				q.number(0)
			case <-answering.Done():
				return
			}
		}
	}()
	const rollouts = 50
	for i := range rollouts {
		key := types.NamespacedName{Namespace: "shop", Name: string(rune('a'+i%26)) + string(rune('a'+i/26))}
		go b.runner.Ensure(key, b.job(1, metric("a"), metric("b")))
	}
	for range 2 * rollouts {
		key := receive(t, b.woken, "a wake-up")
		if state, ok := b.runner.Snapshot(key); !ok || len(state.Metrics) != 2 {
			t.Fatalf("state of %s: %+v", key, state)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range b.outcomes {
		if o != analysis.Success {
			t.Errorf("outcome %s", o)
		}
	}
}
