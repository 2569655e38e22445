package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/belay-dev/belay/gitops"
)

func TestRevert(t *testing.T) {
	onBench(t, 1, func(t *testing.T, b *bench) {
		order, planned := b.order(), ""
		order.Planned = func(_, commit string) error { planned += commit; return nil }
		got, err := b.reverted(b.repo.Engine("a"), order)
		if err != nil || got.Result != gitops.Committed || got.Commit != b.repo.Head().ID || planned != got.Commit || got.Head.Commit != got.Commit {
			t.Fatalf("%+v, %v; planned %s", got, err, planned)
		}
		if b.clock.Now().Equal(noon) {
			t.Error("it took no time")
		}
		if v := b.app.ShippedIn(b.repo.Head().Files); v != "v1" {
			t.Errorf("the head has %s", v)
		}
		if n := len(b.repo.Reverts(b.v2.ID)); n != 1 || len(b.repo.Reverts(b.v1.ID)) != 0 {
			t.Errorf("%d commits take v2 out, %d v1", n, len(b.repo.Reverts(b.v1.ID)))
		}
		again, err := b.reverted(b.repo.Engine("b"), order)
		if err != nil || again.Result != gitops.AlreadyReverted || again.Commit != got.Commit || again.Key != got.Key || planned != got.Commit {
			t.Errorf("again: %+v, %v", again, err)
		}
	})
}

// What stops before the push leaves nothing, and the next call makes the very same commit.
func TestPlannedStops(t *testing.T) {
	onBench(t, 1, func(t *testing.T, b *bench) {
		order, plans, broken := b.order(), []string{}, errors.New("not recorded")
		order.Planned = func(_, commit string) error {
			if plans = append(plans, commit); len(plans) == 1 {
				return broken
			}
			return nil
		}
		if _, err := b.reverted(b.repo.Engine("a"), order); !errors.Is(err, broken) || b.repo.Head() != b.v2 {
			t.Fatalf("it ended with %v at %s", err, b.repo.Head().Message)
		}
		b.clock.Run(b.clock.Now().Add(time.Minute))
		got, err := b.reverted(b.repo.Engine("a"), order)
		if err != nil || len(plans) != 2 || plans[0] != plans[1] || got.Commit != plans[0] {
			t.Errorf("%+v, %v; planned %v", got, err, plans)
		}
	})
}

func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		faults Faults
		want   gitops.Class
		takes  time.Duration
	}{
		"down":       {Faults{Down: 1}, gitops.ClassTransient, 0},
		"locked":     {Faults{Locked: true}, gitops.ClassAuth, 0},
		"denied":     {Faults{Denied: true}, gitops.ClassDenied, 0},
		"slow":       {Faults{Least: 5 * time.Minute, Most: 6 * time.Minute}, gitops.ClassTransient, gitPatience},
		"unanswered": {Faults{Unanswered: 1}, gitops.ClassTransient, gitPatience},
		"racing":     {Faults{Racing: 1}, gitops.ClassTransient, 0},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, 1, func(t *testing.T, b *bench) {
				b.repo.Faults = c.faults
				if _, err := b.reverted(b.repo.Engine("a"), b.order()); classOf(err) != c.want || len(b.repo.Ours()) > 0 {
					t.Errorf("it ended with %v, and %d commits of ours", err, len(b.repo.Ours()))
				}
				if took := b.clock.Now().Sub(noon); c.takes > 0 && took != c.takes {
					t.Errorf("it took %s, want %s", took, c.takes)
				}
				b.repo.Faults = Faults{}
				if got, err := b.reverted(b.repo.Engine("a"), b.order()); err != nil || got.Result != gitops.Committed {
					t.Errorf("on a good day %+v, %v", got, err)
				}
			})
		})
	}
}

// A push whose answer is lost has happened.
func TestUnansweredPush(t *testing.T) {
	onBench(t, 1, func(t *testing.T, b *bench) {
		order := b.order()
		order.Planned = func(string, string) error {
			b.clock.Hand("a breaks the line", func() { b.repo.Faults.Unanswered = 1 })
			return nil
		}
		if _, err := b.reverted(b.repo.Engine("a"), order); classOf(err) != gitops.ClassTransient {
			t.Fatalf("it ended with %v", err)
		}
		b.repo.Faults = Faults{}
		got, err := b.reverted(b.repo.Engine("a"), b.order())
		if err != nil || got.Result != gitops.AlreadyReverted || got.Commit != b.repo.Ours()[0].ID || len(b.repo.Ours()) != 1 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// Somebody is faster: the revert is computed again from the new head.
func TestRacing(t *testing.T) {
	beaten := 0
	for seed := range uint64(30) {
		onBench(t, seed, func(t *testing.T, b *bench) {
			b.repo.Faults.Racing = 0.6
			got, err := b.reverted(b.repo.Engine("a"), b.order())
			if err != nil || got.Result != gitops.Committed || len(b.repo.Ours()) != 1 || b.repo.Head().ID != got.Commit {
				t.Fatalf("%+v, %v", got, err)
			}
			if b.repo.Head().parent != b.v2 {
				beaten++
			}
			if b.app.ShippedIn(b.repo.Head().Files) != "v1" {
				t.Error("v2 is still there")
			}
		})
	}
	if beaten == 0 {
		t.Error("nobody was ever faster")
	}
}

func TestRacingWithTheFix(t *testing.T) {
	onBench(t, 1, func(t *testing.T, b *bench) {
		b.repo.opts.Race = func() { b.repo.Push("ada", b.app.Ship("v3")) }
		b.repo.Faults.Racing = 1
		got, err := b.reverted(b.repo.Engine("a"), b.order())
		if err != nil || got.Result != gitops.HeadMoved || got.Head.Commit != b.repo.Head().ID || len(b.repo.Ours()) > 0 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// A process may die at any moment: the caller is free at once, and what the next one does leaves exactly one commit.
func TestCanceledAtAnyMoment(t *testing.T) {
	results := map[gitops.Result]int{}
	for seed := range uint64(150) {
		onBench(t, seed, func(t *testing.T, b *bench) {
			ctx, cancel := context.WithCancel(t.Context())
			at := b.clock.Between(0, 200*time.Millisecond)
			r := b.revert(ctx, b.repo.Engine("a"), b.order())
			b.clock.Run(noon.Add(at))
			cancel()
			b.clock.Settle()
			select {
			case <-r.done:
			default:
				t.Fatal("the call goes on")
			}
			if r.err != nil && (classOf(r.err) != gitops.ClassCanceled || !errors.Is(r.err, context.Canceled)) {
				t.Errorf("it ended with %v", r.err)
			}
			got, err := b.reverted(b.repo.Engine("b"), b.order())
			b.clock.Run(b.clock.Now().Add(time.Minute))
			if err != nil || len(b.repo.Reverts(b.v2.ID)) != 1 || b.app.ShippedIn(b.repo.Head().Files) != "v1" {
				t.Errorf("then %+v, %v, %d reverts", got, err, len(b.repo.Ours()))
			}
			if r.err != nil {
				results[got.Result]++
			}
		})
	}
	if results[gitops.Committed] == 0 || results[gitops.AlreadyReverted] == 0 {
		t.Errorf("after a death it was always the same: %v", results)
	}
}

// A push that is on its way when its process dies may arrive or not.
func TestPushOfTheDead(t *testing.T) {
	arrived := map[bool]int{}
	for seed := range uint64(40) {
		onBench(t, seed, func(t *testing.T, b *bench) {
			ctx, cancel := context.WithCancel(t.Context())
			order := b.order()
			order.Planned = func(string, string) error {
				b.clock.Hand("b dies", func() { b.clock.After(0, "death", cancel) }) // after the push has left
				return nil
			}
			if _, err := b.wait(b.revert(ctx, b.repo.Engine("a"), order)); classOf(err) != gitops.ClassCanceled || b.repo.Head() != b.v2 {
				t.Fatalf("at its death it says %v, and the head is %q", err, b.repo.Head().Message)
			}
			b.clock.Run(b.clock.Now().Add(time.Minute))
			arrived[b.repo.Head() != b.v2]++
		})
	}
	if len(arrived) != 2 {
		t.Errorf("it was always the same: %v", arrived)
	}
}

func TestTwoProcessesAtOnce(t *testing.T) {
	winners := map[string]int{}
	for seed := range uint64(40) {
		onBench(t, seed, func(t *testing.T, b *bench) {
			var calls []*running
			for _, owner := range []string{"a", "b", "c"} {
				order := b.order()
				order.Failure.Cluster = owner
				calls = append(calls, b.revert(t.Context(), b.repo.Engine(owner), order))
			}
			committed := 0
			for i, c := range calls {
				got, err := b.wait(c)
				if err != nil || got.Commit != b.repo.Ours()[0].ID {
					t.Errorf("%+v, %v", got, err)
				}
				if got.Result == gitops.Committed {
					committed++
					winners[fmt.Sprint(i)]++
				}
			}
			if committed != 1 || len(b.repo.Ours()) != 1 {
				t.Errorf("%d have committed, %d commits of ours", committed, len(b.repo.Ours()))
			}
		})
	}
	if len(winners) != 3 {
		t.Errorf("always the same were faster: %v", winners)
	}
}

// As in the real engine, one call for the branch keeps those of the same process waiting.
func TestOneAtATime(t *testing.T) {
	onBench(t, 1, func(t *testing.T, b *bench) {
		recorded := make(chan struct{})
		order := b.order()
		order.Planned = func(string, string) error { <-recorded; return nil }
		first := b.repo.Engine("a")
		r := b.revert(t.Context(), first, order)
		tips := map[string]chan error{"a": make(chan error, 1), "b": make(chan error, 1)}
		for owner, e := range map[string]gitops.Engine{"a": first, "b": b.repo.Engine("b")} {
			go func() {
				_, err := e.Tip(t.Context(), b.repository(), b.source())
				tips[owner] <- err
			}()
		}
		b.clock.Settle()
		b.clock.Run(noon.Add(time.Minute))
		if len(tips["a"]) != 0 || len(tips["b"]) != 1 {
			t.Errorf("answered: %d of the same process, %d of the other", len(tips["a"]), len(tips["b"]))
		}
		close(recorded)
		if got, err := b.wait(r); err != nil || got.Result != gitops.Committed {
			t.Errorf("%+v, %v", got, err)
		}
		b.clock.Run(b.clock.Now().Add(time.Minute))
		if err := <-tips["a"]; err != nil {
			t.Error(err)
		}
	})
}

// A call that nobody waits for any more takes no turn.
func TestWaitingIsGivenUp(t *testing.T) {
	onBench(t, 1, func(t *testing.T, b *bench) {
		recorded := make(chan struct{})
		order := b.order()
		order.Planned = func(string, string) error { <-recorded; return nil }
		e := b.repo.Engine("a")
		holds := b.revert(t.Context(), e, order)
		ctx, cancel := context.WithCancel(t.Context())
		waits := b.revert(ctx, e, b.order())
		b.clock.Run(noon.Add(time.Second))
		cancel()
		if _, err := b.wait(waits); classOf(err) != gitops.ClassCanceled {
			t.Errorf("it ended with %v", err)
		}
		close(recorded)
		if got, err := b.wait(holds); err != nil || got.Result != gitops.Committed {
			t.Errorf("%+v, %v", got, err)
		}
		if got, err := b.reverted(e, b.order()); err != nil || got.Result != gitops.AlreadyReverted {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestNotFound(t *testing.T) {
	for name, change := range map[string]func(*gitops.Repository, *gitops.Revert){
		"another repository": func(r *gitops.Repository, _ *gitops.Revert) { r.URL = "https://git.example.com/other.git" },
		"another branch":     func(_ *gitops.Repository, o *gitops.Revert) { o.Branch = "release" },
		"another commit":     func(_ *gitops.Repository, o *gitops.Revert) { o.Failed = strings.Repeat("a", 40) },
		"another head":       func(_ *gitops.Repository, o *gitops.Revert) { o.Accepted = strings.Repeat("a", 40) },
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, 1, func(t *testing.T, b *bench) {
				repo, order := b.repository(), b.order()
				change(&repo, &order)
				if _, err := b.repo.propose(repo, order); classOf(err) != gitops.ClassNotFound {
					t.Errorf("it ended with %v", err)
				}
			})
		})
	}
}

func TestTip(t *testing.T) {
	onBench(t, 1, func(t *testing.T, b *bench) {
		ask := func(paths ...string) (got gitops.Tip, err error) {
			src, done := b.source(), make(chan struct{})
			src.Paths = paths
			go func() {
				defer close(done)
				got, err = b.repo.Engine("a").Tip(t.Context(), b.repository(), src)
			}()
			b.clock.Settle()
			b.clock.Run(b.clock.Now().Add(time.Second))
			<-done
			return got, err
		}
		first, err := ask("apps/web")
		if err != nil || first.Commit != b.v2.ID {
			t.Fatalf("%+v, %v", first, err)
		}
		b.repo.Push("ada", Change{Message: "elsewhere", Edit: func(f Files) { f["docs/a.md"] = Text("a") }})
		if second, _ := ask("apps/web"); second.Commit == first.Commit || second.Inputs != first.Inputs {
			t.Errorf("after an edit elsewhere %+v, before %+v", second, first)
		}
		b.repo.Push("ada", b.app.Scale(5))
		if third, _ := ask("apps/web"); third.Inputs == first.Inputs {
			t.Error("an edit of the files leaves their identity as it was")
		}
		if _, err := ask("apps/nowhere"); classOf(err) != gitops.ClassNotFound {
			t.Errorf("a path that does not exist: %v", err)
		}
	})
}

// A process that is halted is answered when it goes on, a dead one never.
func TestHalted(t *testing.T) {
	onBench(t, 1, func(t *testing.T, b *bench) {
		var kept []func()
		halted := false
		b.repo.opts.Through = func(_ string, do func()) {
			if halted {
				kept = append(kept, do)
				return
			}
			do()
		}
		r := b.revert(t.Context(), b.repo.Engine("a"), b.order())
		halted = true
		b.clock.Run(noon.Add(time.Minute))
		select {
		case <-r.done:
			t.Fatal("a halted process was answered")
		default:
		}
		halted = false
		for _, do := range kept {
			do()
			b.clock.Settle()
		}
		if got, err := b.wait(r); err != nil || got.Result != gitops.Committed {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestLimit(t *testing.T) {
	onBench(t, 1, func(t *testing.T, b *bench) {
		repo := b.repository()
		repo.CommitsPerHour = 1
		if got := inMemory(t, b.repo, b.order()); got.Result != gitops.Committed {
			t.Fatalf("%+v", got)
		}
		order := b.order()
		order.Stable, order.Failed = b.repo.Head().ID, b.repo.Push("ada", b.app.Ship("v3")).ID
		for _, c := range []struct {
			after time.Duration
			want  gitops.Result
		}{{30 * time.Minute, gitops.LimitReached}, {61 * time.Minute, gitops.Committed}} {
			b.clock.Run(noon.Add(c.after))
			if p, err := b.repo.propose(repo, order); err != nil || p.outcome.Result != c.want {
				t.Errorf("after %s %+v, %v", c.after, p.outcome, err)
			}
		}
	})
}

func TestRewritten(t *testing.T) {
	onBench(t, 1, func(t *testing.T, b *bench) {
		b.repo.Amend("ada", "v2, in other words")
		if got := inMemory(t, b.repo, b.order()); got.Result != gitops.Conflict || !strings.Contains(got.Why, "rewritten") {
			t.Errorf("%+v", got)
		}
		if got := locate(b.source(), b.v2, b.repo.Head()); got.Exact || !strings.Contains(got.Why, "rewritten") || got.Stable != b.v2.ID {
			t.Errorf("%+v", got)
		}
		if b.repo.OnBranch(b.v2.ID) || !b.repo.OnBranch(b.v1.ID) || b.repo.Commit(b.v2.ID) == nil {
			t.Error("what is on the branch is wrong")
		}
	})
}
