package gitwork

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/gitops"
)

func TestRevertWaitsForTheRecord(t *testing.T) {
	b := opened(t)
	c, recorded := b.planned(order(Revert, "7/"))
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
	_, recorded := b.planned(order(Revert, "7/"))
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
	b.away(order(Revert, "7/"))
	if got := b.desk.State(shop); got.Answer != nil || got.Failure == nil {
		t.Errorf("state is %+v", got)
	}
	b.until("the pause", b.clock.HasWaiters)
	b.clock.Step(time.Second)
	b.call(Revert)
}
