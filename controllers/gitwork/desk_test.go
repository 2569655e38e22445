package gitwork

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/belay-dev/belay/controllers/plan"
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

// order is a question that can reach its repository.
func order(kind Kind, name string) Order {
	return Order{Kind: kind, Name: name, Repository: func(context.Context) (gitops.Repository, error) {
		return gitops.Repository{URL: "https://git.example.com/apps.git"}, nil
	}}
}

func transient(text string) error {
	return &gitops.Error{Class: gitops.ClassTransient, Text: text, Detail: "detail for the log"}
}

func TestTip(t *testing.T) {
	b := opened(t)
	b.desk.Do(shop, order(Tip, "stable/v1"))
	b.call(Tip).answer <- reply{tip: gitops.Tip{Commit: "c1", Inputs: "i1"}}
	b.wake()
	if got := b.desk.State(shop).Tip; got == nil || *got != (plan.Tip{For: "stable/v1", Commit: "c1", Inputs: "i1"}) {
		t.Errorf("tip is %+v", got)
	}
	if got := b.desk.State(cart); got != (plan.Git{}) {
		t.Errorf("another Rollout knows %+v", got)
	}
}

func TestLocate(t *testing.T) {
	tests := map[string]struct {
		head  string
		asked bool // the branch head is asked for first
	}{
		"a head was recorded":   {"c5", false},
		"none: the branch's is": {"", true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := opened(t)
			o := order(Locate, "7")
			o.Record, o.Head = "c1", tc.head
			b.desk.Do(shop, o)
			if tc.asked {
				b.call(Tip).answer <- reply{tip: gitops.Tip{Commit: "c5"}}
			}
			c := b.call(Locate)
			if c.record != "c1" || c.head != "c5" {
				t.Errorf("located between %s and %s", c.record, c.head)
			}
			c.answer <- reply{interval: gitops.Interval{Stable: "c2", Failed: "c4"}}
			b.wake()
			if got := b.desk.State(shop).Located; got == nil || *got != (plan.Located{For: "7", Stable: "c2", Failed: "c4"}) {
				t.Errorf("located %+v", got)
			}
		})
	}
}

func TestLocateWithoutHead(t *testing.T) {
	b := opened(t)
	b.desk.Do(shop, order(Locate, "7"))
	b.call(Tip).answer <- reply{err: transient("the server is away")}
	b.wake()
	if f := b.desk.State(shop).Failure; f == nil || f.Message != "the server is away" {
		t.Errorf("failure is %+v", f)
	}
}

func TestSameOrderIsOneCall(t *testing.T) {
	b := opened(t)
	b.desk.Do(shop, order(Tip, "stable/v1"))
	c := b.call(Tip)
	b.desk.Do(shop, order(Tip, "stable/v1"))
	nothing(t, b.engine.calls, "the same order was called again")
	c.answer <- reply{tip: gitops.Tip{Commit: "c1"}}
	b.wake()
	b.desk.Do(shop, order(Tip, "stable/v1"))
	nothing(t, b.engine.calls, "an answered order was called again")
}

func TestOrdersOfAnotherRolloutAreItsOwn(t *testing.T) {
	b := opened(t)
	b.desk.Do(shop, order(Tip, "stable/v1"))
	b.desk.Do(cart, order(Tip, "stable/v1"))
	b.call(Tip)
	b.call(Tip)
}

func TestReplacedOrderIsCalledOff(t *testing.T) {
	b := opened(t)
	b.desk.Do(shop, order(Tip, "stable/v1"))
	old := b.call(Tip)
	b.desk.Do(shop, order(Tip, "canary/2"))
	receive(t, old.ctx.Done(), "the replaced call to end")
	b.call(Tip).answer <- reply{tip: gitops.Tip{Commit: "c2"}}
	b.wake()
	nothing(t, b.woken, "woken by the order that was replaced")
	if got := b.desk.State(shop); got.Tip.For != "canary/2" || got.Failure != nil {
		t.Errorf("state is %+v", got)
	}
}

// An answer that arrives after its order was replaced is nobody's.
func TestAnswerToReplacedOrder(t *testing.T) {
	b := opened(t)
	b.desk.Do(shop, order(Tip, "stable/v1"))
	b.call(Tip)
	r := b.desk.files[shop].orders[Tip]
	b.desk.Do(shop, order(Tip, "canary/2"))
	b.call(Tip)
	b.desk.update(shop, r, func(f *file) { f.git.Tip = &plan.Tip{For: "stable/v1"} })
	if got := b.desk.State(shop).Tip; got != nil {
		t.Errorf("tip is %+v", got)
	}
	nothing(t, b.woken, "woken")
}

func TestKindsStandBesideEachOther(t *testing.T) {
	b := opened(t)
	b.desk.Do(shop, order(Tip, "canary/7"))
	tip := b.call(Tip)
	o := order(Locate, "7")
	o.Head = "c5"
	b.desk.Do(shop, o)
	b.call(Locate).answer <- reply{interval: gitops.Interval{Stable: "c1"}}
	b.wake()
	tip.answer <- reply{tip: gitops.Tip{Commit: "c5"}}
	b.wake()
	if got := b.desk.State(shop); got.Tip == nil || got.Located == nil {
		t.Errorf("state is %+v", got)
	}
}

func TestFailuresAreTriedAgain(t *testing.T) {
	tests := map[string]struct {
		err    error
		reason string
		text   string
	}{
		"transient":     {transient("the server is away"), "GitTransient", "the server is away"},
		"credentials":   {&gitops.Error{Class: gitops.ClassAuth, Text: "the server does not accept the credentials"}, "GitAuth", "the server does not accept the credentials"},
		"no branch":     {&gitops.Error{Class: gitops.ClassNotFound, Text: "branch main does not exist"}, "GitNotFound", "branch main does not exist"},
		"anything else": {errors.New("port 34567 refused"), "GitTransient", "the call to Git did not end in time"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := opened(t)
			b.desk.Do(shop, order(Tip, "stable/v1"))
			for _, pause := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second, 30 * time.Second} {
				b.call(Tip).answer <- reply{err: tc.err}
				b.wake()
				if f := b.desk.State(shop).Failure; f == nil || f.Reason != tc.reason || !strings.HasPrefix(f.Message, tc.text) {
					t.Fatalf("failure is %+v", f)
				}
				b.until("the pause", b.clock.HasWaiters)
				b.clock.Step(pause - time.Millisecond)
				nothing(t, b.engine.calls, "called again before "+pause.String())
				b.clock.Step(time.Millisecond)
			}
			b.call(Tip).answer <- reply{tip: gitops.Tip{Commit: "c1"}}
			b.wake()
			if got := b.desk.State(shop); got.Failure != nil || got.Tip.Commit != "c1" {
				t.Errorf("after success %+v", got)
			}
		})
	}
}

func TestUnreachableRepository(t *testing.T) {
	b := opened(t)
	o := order(Tip, "stable/v1")
	secret := make(chan error, 2)
	secret <- &gitops.Error{Class: gitops.ClassAuth, Text: `Secret "platform-git" does not exist`}
	secret <- nil
	o.Repository = func(context.Context) (gitops.Repository, error) { return gitops.Repository{}, <-secret }
	b.desk.Do(shop, o)
	b.wake()
	if f := b.desk.State(shop).Failure; f == nil || f.Reason != "GitAuth" {
		t.Errorf("failure is %+v", f)
	}
	b.until("the pause", b.clock.HasWaiters)
	b.clock.Step(time.Second)
	b.call(Tip) // the Secret is read anew at every call
}

func TestRevertWaitsForTheRecord(t *testing.T) {
	b := opened(t)
	b.desk.Do(shop, order(Revert, "7/"))
	c := b.call(Revert)
	recorded := make(chan error, 1)
	go func() { recorded <- c.revert.Planned("key", "r1") }()
	b.wake()
	if a := b.desk.State(shop).Answer; a == nil || *a != (plan.Answer{For: "7/", Result: "Planned", Key: "key", Commit: "r1"}) {
		t.Fatalf("answer is %+v", a)
	}
	b.desk.Do(shop, order(Revert, "7/"))
	nothing(t, recorded, "pushed before anything was recorded")
	other := order(Revert, "7/")
	other.Recorded = "r0"
	b.desk.Do(shop, other)
	nothing(t, recorded, "pushed on the record of another commit")
	again := order(Revert, "7/")
	again.Recorded = "r1"
	b.desk.Do(shop, again)
	if err := receive(t, recorded, "the record to arrive"); err != nil {
		t.Fatalf("planned: %v", err)
	}
	c.answer <- reply{outcome: gitops.Outcome{Result: gitops.Committed, Key: "key", Commit: "r1", Head: gitops.Tip{Commit: "r1"}}}
	b.wake()
	if a := b.desk.State(shop).Answer; a == nil || *a != (plan.Answer{For: "7/", Result: "Committed", Key: "key", Commit: "r1", Head: "r1"}) {
		t.Errorf("answer is %+v", a)
	}
	nothing(t, b.engine.calls, "asked again")
}

// After a restart the order comes with what was recorded before, and need not wait for it a second time.
func TestRevertKnowsTheRecord(t *testing.T) {
	b := opened(t)
	o := order(Revert, "7/")
	o.Recorded = "r1"
	b.desk.Do(shop, o)
	c := b.call(Revert)
	if err := c.revert.Planned("key", "r1"); err != nil {
		t.Errorf("planned: %v", err)
	}
}

// Only the latest record counts, and telling it never waits.
func TestRecordIsToldOften(t *testing.T) {
	b := opened(t)
	b.desk.Do(shop, order(Revert, "7/"))
	c := b.call(Revert)
	for _, commit := range []string{"r1", "r2", "r3", "r3"} {
		o := order(Revert, "7/")
		o.Recorded = commit
		b.desk.Do(shop, o)
	}
	if err := c.revert.Planned("key", "r3"); err != nil {
		t.Errorf("planned: %v", err)
	}
}

func TestPlannedEndsWithTheOrder(t *testing.T) {
	b := opened(t)
	b.desk.Do(shop, order(Revert, "7/"))
	c := b.call(Revert)
	recorded := make(chan error, 1)
	go func() { recorded <- c.revert.Planned("key", "r1") }()
	b.wake()
	b.desk.Forget(shop)
	if err := receive(t, recorded, "the wait to end"); !errors.Is(err, context.Canceled) {
		t.Errorf("planned: %v", err)
	}
}

func TestAnswersThatAreFinal(t *testing.T) {
	tests := map[string]struct {
		reply reply
		want  plan.Answer
	}{
		"conflict": {reply{outcome: gitops.Outcome{Result: gitops.Conflict, Why: "structure changed"}}, plan.Answer{For: "7/", Result: "Conflict", Why: "structure changed"}},
		"head moved": {
			reply{outcome: gitops.Outcome{Result: gitops.HeadMoved, Head: gitops.Tip{Commit: "c9"}}},
			plan.Answer{For: "7/", Result: "HeadMoved", Head: "c9"},
		},
		"denied": {
			reply{outcome: gitops.Outcome{Key: "key"}, err: &gitops.Error{Class: gitops.ClassDenied, Text: "the branch is protected"}},
			plan.Answer{For: "7/", Result: "PushDenied", Key: "key", Why: "the branch is protected"},
		},
		"unsupported": {
			reply{err: &gitops.Error{Class: gitops.ClassUnsupported, Text: "git is not installed"}},
			plan.Answer{For: "7/", Result: "Unsupported", Why: "git is not installed"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := opened(t)
			b.desk.Do(shop, order(Revert, "7/"))
			b.call(Revert).answer <- tc.reply
			b.wake()
			got := b.desk.State(shop)
			if got.Answer == nil || *got.Answer != tc.want || got.Failure != nil {
				t.Errorf("answer is %+v, failure %+v", got.Answer, got.Failure)
			}
			b.desk.Do(shop, order(Revert, "7/"))
			nothing(t, b.engine.calls, "asked again")
		})
	}
}

func TestRevertIsTriedAgain(t *testing.T) {
	b := opened(t)
	b.desk.Do(shop, order(Revert, "7/"))
	b.call(Revert).answer <- reply{err: transient("the server is away")}
	b.wake()
	if got := b.desk.State(shop); got.Answer != nil || got.Failure == nil {
		t.Errorf("state is %+v", got)
	}
	b.until("the pause", b.clock.HasWaiters)
	b.clock.Step(time.Second)
	b.call(Revert)
}

func TestForget(t *testing.T) {
	b := opened(t)
	b.desk.Do(shop, order(Tip, "stable/v1"))
	tip := b.call(Tip)
	b.desk.Do(shop, order(Revert, "7/"))
	b.call(Revert).answer <- reply{err: transient("the server is away")}
	b.wake()
	b.until("the pause", b.clock.HasWaiters)
	b.desk.Forget(shop)
	receive(t, tip.ctx.Done(), "the call to end")
	b.until("the pause to end", func() bool { return !b.clock.HasWaiters() })
	if got := b.desk.State(shop); got != (plan.Git{}) {
		t.Errorf("still known: %+v", got)
	}
	nothing(t, b.woken, "woken")
	b.desk.Forget(cart) // of which nothing is known
	b.desk.Do(shop, order(Tip, "stable/v1"))
	b.call(Tip) // nothing is remembered of the first
}

func TestStartReturnsAfterAllEnded(t *testing.T) {
	b := opened(t)
	held := make(chan struct{})
	o := order(Tip, "stable/v1")
	entered := make(chan struct{})
	o.Repository = func(context.Context) (gitops.Repository, error) {
		close(entered)
		<-held // a call that does not look at its context
		return gitops.Repository{}, errors.New("late")
	}
	b.desk.Do(shop, o)
	receive(t, entered, "the call to begin")
	b.stop()
	nothing(t, b.ended, "Start returned while a call was running")
	close(held)
	receive(t, b.ended, "Start to return")
	b.desk.Do(shop, order(Tip, "stable/v2"))
	nothing(t, b.engine.calls, "an order was taken after the end")
}

func TestNothingBeforeStart(t *testing.T) {
	b := newBench(t)
	b.desk.Do(shop, order(Tip, "stable/v1"))
	nothing(t, b.engine.calls, "called before Start")
	b.open()
	b.desk.Do(shop, order(Tip, "stable/v1"))
	b.call(Tip) // the order that came too early is not remembered as done
	if !b.desk.NeedLeaderElection() {
		t.Error("a follower would write")
	}
}

func TestKeepEndsWhatNobodyAsksFor(t *testing.T) {
	b := opened(t)
	b.desk.Do(shop, order(Tip, "canary/7"))
	tip := b.call(Tip)
	b.desk.Do(shop, order(Revert, "7/"))
	revert := b.call(Revert)
	b.desk.Keep(cart) // of which nothing is known
	b.desk.Keep(shop, Revert)
	receive(t, tip.ctx.Done(), "the call to end")
	revert.answer <- reply{outcome: gitops.Outcome{Result: gitops.Conflict}}
	b.wake()
	b.desk.Keep(shop)
	if got := b.desk.State(shop).Answer; got == nil || got.Result != "Conflict" {
		t.Errorf("what was known is gone: %+v", got)
	}
	nothing(t, b.woken, "woken by a call that was ended")
	b.desk.Do(shop, order(Tip, "canary/7"))
	b.call(Tip) // it may be asked again
}

func TestKeepEndsThePauses(t *testing.T) {
	b := opened(t)
	b.desk.Do(shop, order(Revert, "7/"))
	b.call(Revert).answer <- reply{err: transient("the server is away")}
	b.wake()
	b.until("the pause", b.clock.HasWaiters)
	b.desk.Keep(shop)
	b.until("the pause to end", func() bool { return !b.clock.HasWaiters() })
	nothing(t, b.engine.calls, "called again")
	if f := b.desk.State(shop).Failure; f != nil {
		t.Errorf("a failure that nobody tries to get past is still told: %+v", f)
	}
}

// A commit that was recorded must not be pushed once nobody wants it any more.
func TestKeepPushesNothing(t *testing.T) {
	b := opened(t)
	b.desk.Do(shop, order(Revert, "7/"))
	c := b.call(Revert)
	recorded := make(chan error, 1)
	go func() { recorded <- c.revert.Planned("key", "r1") }()
	b.wake()
	b.desk.Keep(shop, Tip)
	if err := receive(t, recorded, "the wait to end"); !errors.Is(err, context.Canceled) {
		t.Errorf("planned: %v", err)
	}
	nothing(t, b.engine.calls, "called again")
}

// What ends one order is no word about the failure of another.
func TestKeepTellsTheFailureOfWhatGoesOn(t *testing.T) {
	b := opened(t)
	b.desk.Do(shop, order(Tip, "stable/v1"))
	b.call(Tip)
	b.desk.Do(shop, order(Revert, "7/"))
	b.call(Revert).answer <- reply{err: transient("the server is away")}
	b.wake()
	b.desk.Keep(shop, Revert)
	if f := b.desk.State(shop).Failure; f == nil {
		t.Error("the failure is not told any more")
	}
}

// The same question to another place is another order, and what the first place said does not count any more.
func TestAnotherPlaceIsAnotherOrder(t *testing.T) {
	for name, change := range map[string]func(*Order){
		"an edited Repository": func(o *Order) { o.From = "platform/2" },
		"another branch":       func(o *Order) { o.Source.Branch = "release" },
		"another path":         func(o *Order) { o.Source.Paths = []string{"apps/cart"} },
	} {
		t.Run(name, func(t *testing.T) {
			b := opened(t)
			o := order(Revert, "7/")
			o.From, o.Source = "platform/1", gitops.Source{Branch: "main", Paths: []string{"apps/checkout"}}
			b.desk.Do(shop, o)
			old := b.call(Revert)
			recorded := make(chan error, 1)
			go func() { recorded <- old.revert.Planned("key", "r1") }()
			b.wake()
			change(&o)
			o.Recorded = "r1"
			b.desk.Do(shop, o)
			if err := receive(t, recorded, "the first order to end"); !errors.Is(err, context.Canceled) {
				t.Errorf("planned: %v", err)
			}
			b.call(Revert)
			if a := b.desk.State(shop).Answer; a != nil {
				t.Errorf("the first place still answers %+v", a)
			}
		})
	}
}
