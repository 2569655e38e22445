package measure

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	shop  = types.NamespacedName{Namespace: "shop", Name: "checkout"}
	cart  = types.NamespacedName{Namespace: "shop", Name: "cart"}
)

// patience is how long anything may take that is about to happen.
const patience = 20 * time.Second

// bench is a Runner on a clock that the test moves, and a source that the test plays.
type bench struct {
	*testing.T
	runner *Runner
	clock  *clocktesting.FakeClock
	woken  chan types.NamespacedName
	source *source

	mu       sync.Mutex
	outcomes []analysis.Outcome
}

func newBench(t *testing.T, change ...func(*Options)) *bench {
	t.Helper()
	b := &bench{
		T:      t,
		clock:  clocktesting.NewFakeClock(start),
		woken:  make(chan types.NamespacedName, 1000),
		source: &source{asked: make(chan *question, 1000)},
	}
	opts := Options{
		Clock: b.clock,
		Wake:  func(key types.NamespacedName) { b.woken <- key },
		Measured: func(o analysis.Outcome) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.outcomes = append(b.outcomes, o)
		},
		Log: testr.New(t),
	}
	for _, c := range change {
		c(&opts)
	}
	b.runner = New(opts)
	return b
}

// run starts the runner and ends it with the test, which fails if it does not end.
func (b *bench) run() context.CancelFunc {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- b.runner.Start(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := receive(b.T, done, "Start to return"); err != nil {
			b.Errorf("Start: %v", err)
		}
	})
	return cancel
}

func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case v := <-from:
		return v
	case <-timer.C:
		t.Fatalf("waited %s for %s", patience, what)
		panic("unreachable")
	}
}

// source hands each query to the test, which answers it.
type source struct{ asked chan *question }

type question struct {
	query string
	at    time.Time
	ctx   context.Context
	reply chan reply
}

type reply struct {
	result analysis.Result
	err    error
}

func (s *source) Query(ctx context.Context, query string, at time.Time) (analysis.Result, error) {
	q := &question{query: query, at: at, ctx: ctx, reply: make(chan reply, 1)}
	s.asked <- q
	select {
	case r := <-q.reply:
		return r.result, r.err
	case <-ctx.Done():
		return analysis.Result{}, &analysis.Error{Kind: analysis.Transient, Text: "ended"}
	}
}

func (q *question) number(v float64) {
	q.reply <- reply{result: analysis.Result{Series: []analysis.Series{{Value: v}}}}
}

// next is the next query, which must have been asked at the given time after the start.
func (b *bench) next(after time.Duration) *question {
	b.Helper()
	q := receive(b.T, b.source.asked, "a query")
	if got := q.at.Sub(start); got != after {
		b.Fatalf("asked %s after the start, want %s", got, after)
	}
	return q
}

// measure answers the next query and waits until the measurement is known.
func (b *bench) measure(after time.Duration, v float64) State {
	b.Helper()
	b.next(after).number(v)
	return b.wake(shop)
}

func (b *bench) wake(key types.NamespacedName) State {
	b.Helper()
	if got := receive(b.T, b.woken, "a wake-up"); got != key {
		b.Fatalf("woken for %s, want %s", got, key)
	}
	state, ok := b.runner.Snapshot(key)
	if !ok {
		b.Fatalf("nothing is known of %s", key)
	}
	return state
}

// advance moves the clock once the schedule waits for it: the timer of the schedule, and those of
// queries under way.
func (b *bench) advance(d time.Duration, waiters int) {
	b.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for b.clock.Waiters() != waiters {
		select {
		case <-ticker.C:
		case <-deadline.C:
			b.Fatalf("%d timers wait, want %d", b.clock.Waiters(), waiters)
		}
	}
	b.clock.Step(d)
}

// quiet fails if a query is asked although the schedule has settled.
func (b *bench) quiet(waiters int) {
	b.Helper()
	b.advance(0, waiters)
	select {
	case q := <-b.source.asked:
		b.Fatalf("unexpected query %q at %s", q.query, q.at.Sub(start))
	default:
	}
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// metric asks `x{service="…"}` every ten seconds and is satisfied below 0.01.
func metric(name string, change ...func(*v1alpha1.Metric)) v1alpha1.Metric {
	m := v1alpha1.Metric{
		Name:             name,
		Prometheus:       &v1alpha1.PrometheusQuery{Query: name + `{service="{{ .Service }}"}`},
		SuccessCondition: "result < 0.01",
	}
	for _, c := range change {
		c(&m)
	}
	return m
}

func (b *bench) job(step int32, metrics ...v1alpha1.Metric) Job {
	b.Helper()
	plans, err := analysis.Compile(metrics, analysis.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return Job{
		Attempt: 1, Step: step, Since: start, Plans: plans, Provider: b.source,
		Vars: analysis.Vars{Namespace: "shop", Name: "checkout", Service: "checkout-canary", Arm: "canary"},
	}
}

func (b *bench) expect(s State, verdict v1alpha1.Verdict, message string) {
	b.Helper()
	if s.Verdict != verdict || !strings.Contains(s.Message, message) {
		b.Fatalf("verdict %s (%s), want %s (%s)", s.Verdict, s.Message, verdict, message)
	}
}

// describe is one metric as a line, for comparison.
func describe(m v1alpha1.MetricStatus) string {
	return fmt.Sprintf("%s %s value=%s step=%d at=%s s=%d f=%d e=%d", m.Name, m.Verdict, m.Value, m.Step,
		m.MeasuredAt.Sub(start), m.Counts.Success, m.Counts.Failure, m.Counts.Error)
}
