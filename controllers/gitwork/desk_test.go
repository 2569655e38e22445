package gitwork

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/gitops"
)

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

func TestForget(t *testing.T) {
	b := opened(t)
	b.desk.Do(shop, order(Tip, "stable/v1"))
	tip := b.call(Tip)
	b.away(order(Revert, "7/"))
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
