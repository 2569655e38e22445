package gitwork

import (
	"context"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/belay-dev/belay/gitops"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	shop = types.NamespacedName{Namespace: "shop", Name: "checkout"}
	cart = types.NamespacedName{Namespace: "shop", Name: "cart"}
)

// patience is how long anything may take that is about to happen; silence how long nothing is to happen.
const (
	patience = 20 * time.Second
	silence  = 30 * time.Millisecond
)

// call is one call that reached the engine and waits for the test to answer it.
type call struct {
	kind   Kind
	ctx    context.Context
	record string
	head   string
	revert gitops.Revert
	answer chan reply
}

type reply struct {
	tip      gitops.Tip
	interval gitops.Interval
	outcome  gitops.Outcome
	err      error
}

// engine lets the test play Git: a call lasts until it is answered or its context ends.
type engine struct{ calls chan *call }

func (e *engine) do(c *call) reply {
	c.answer = make(chan reply, 1)
	e.calls <- c
	select {
	case r := <-c.answer:
		return r
	case <-c.ctx.Done():
		return reply{err: &gitops.Error{Class: gitops.ClassCanceled, Text: "it was called off", Err: c.ctx.Err()}}
	}
}

func (e *engine) Tip(ctx context.Context, _ gitops.Repository, _ gitops.Source) (gitops.Tip, error) {
	r := e.do(&call{kind: Tip, ctx: ctx})
	return r.tip, r.err
}

func (e *engine) Locate(ctx context.Context, _ gitops.Repository, _ gitops.Source, record, head string) (gitops.Interval, error) {
	r := e.do(&call{kind: Locate, ctx: ctx, record: record, head: head})
	return r.interval, r.err
}

func (e *engine) Revert(ctx context.Context, _ gitops.Repository, order gitops.Revert) (gitops.Outcome, error) {
	r := e.do(&call{kind: Revert, ctx: ctx, revert: order})
	return r.outcome, r.err
}

// bench is a desk on a clock that the test moves.
type bench struct {
	*testing.T
	desk   *Desk
	engine *engine
	clock  *clocktesting.FakeClock
	woken  chan types.NamespacedName
	ended  chan struct{}
	stop   context.CancelFunc
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{
		T: t, engine: &engine{calls: make(chan *call, 100)}, clock: clocktesting.NewFakeClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)),
		woken: make(chan types.NamespacedName, 100), ended: make(chan struct{}),
	}
	b.desk = New(Options{Engine: b.engine, Clock: b.clock, Wake: func(key types.NamespacedName) { b.woken <- key }, Log: testr.New(t)})
	return b
}

// open starts the desk; the test fails if it does not end with it.
func (b *bench) open() {
	b.Helper()
	var ctx context.Context
	ctx, b.stop = context.WithCancel(b.Context())
	go func() {
		defer close(b.ended)
		if err := b.desk.Start(ctx); err != nil {
			b.Errorf("Start: %v", err)
		}
	}()
	b.until("the desk to open", func() bool {
		b.desk.mu.Lock()
		defer b.desk.mu.Unlock()
		return b.desk.ctx != nil
	})
	b.Cleanup(func() { b.stop(); receive(b.T, b.ended, "Start to return") })
}

func opened(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.open()
	return b
}

// until polls for what has no channel.
func (b *bench) until(what string, done func() bool) {
	b.Helper()
	deadline, tick := time.NewTimer(patience), time.NewTicker(time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline.C:
			b.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

func receive[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// nothing is to come.
func nothing[T any](t *testing.T, c <-chan T, what string) {
	t.Helper()
	select {
	case v := <-c:
		t.Fatalf("%s: %+v", what, v)
	case <-time.After(silence):
	}
}

func (b *bench) call(kind Kind) *call {
	b.Helper()
	c := receive(b.T, b.engine.calls, string(kind)+" to be called")
	if c.kind != kind {
		b.Fatalf("%s was called, not %s", c.kind, kind)
	}
	return c
}

func (b *bench) wake() {
	b.Helper()
	if key := receive(b.T, b.woken, "the reconciler to be woken"); key != shop {
		b.Fatalf("woken for %s", key)
	}
}

// planned is a revert that has told which commit it is about to push, and waits until that is recorded.
func (b *bench) planned(o Order) (c *call, recorded chan error) {
	b.Helper()
	b.desk.Do(shop, o)
	c, recorded = b.call(Revert), make(chan error, 1)
	go func() { recorded <- c.revert.Planned("key", "r1") }()
	b.wake()
	return c, recorded
}

// away has an order fail because the server is away.
func (b *bench) away(o Order) {
	b.Helper()
	b.desk.Do(shop, o)
	b.call(o.Kind).answer <- reply{err: transient("the server is away")}
	b.wake()
}

// order is a question that can reach its repository.
func order(kind Kind, name string) Order {
	return Order{Kind: kind, Name: name, Repository: func(context.Context) (gitops.Repository, error) {
		return gitops.Repository{URL: "https://git.example.com/apps.git"}, nil
	}}
}

func transient(text string) error {
	return &gitops.Error{Class: gitops.ClassTransient, Text: text, Detail: "detail for the log"}
}
