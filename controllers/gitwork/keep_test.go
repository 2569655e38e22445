package gitwork

import (
	"context"
	"errors"
	"testing"

	"github.com/belay-dev/belay/gitops"
)

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
	b.away(order(Revert, "7/"))
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
	_, recorded := b.planned(order(Revert, "7/"))
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
	b.away(order(Revert, "7/"))
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
			_, recorded := b.planned(o)
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
