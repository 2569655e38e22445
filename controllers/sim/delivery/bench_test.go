package delivery

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/belay-dev/belay/controllers/sim/schedule"
	"github.com/belay-dev/belay/gitops"
)

// bench is a repository with a good and a bad version on a branch, in simulated time.
type bench struct {
	*testing.T
	clock  *schedule.Schedule
	repo   *Repository
	app    Application
	v1, v2 *Commit
}

// onBench runs a test in simulated time.
func onBench(t *testing.T, seed uint64, test func(*testing.T, *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := schedule.New(seed, noon, synctest.Wait)
		b := &bench{T: t, clock: s, app: Application{Namespace: "shop", Name: "web", Version: "v1", Repository: "platform"}}
		b.repo = NewRepository(RepositoryOptions{Schedule: s})
		b.v1 = b.repo.Push("ada", Change{Message: "first", Edit: b.app.Declare})
		b.v2 = b.repo.Push("ada", b.app.Ship("v2"))
		test(t, b)
	})
}

func (b *bench) source() gitops.Source {
	return gitops.Source{Branch: "main", Paths: []string{b.app.Folder()}, Workload: gitops.ObjectRef{Kind: "Deployment", Namespace: "shop", Name: "web"}}
}

func (b *bench) repository() gitops.Repository { return gitops.Repository{URL: b.repo.URL()} }

func (b *bench) order() gitops.Revert {
	return gitops.Revert{
		Source: b.source(), Interval: gitops.Interval{Stable: b.v1.ID, Failed: b.v2.ID},
		Failure: gitops.Failure{Namespace: "shop", Rollout: "web", Headline: "too many errors", At: noon},
	}
}

// running is a call to an engine under way.
type running struct {
	outcome gitops.Outcome
	err     error
	done    chan struct{}
}

// revert begins a revert in a goroutine of its own.
func (b *bench) revert(ctx context.Context, e gitops.Engine, order gitops.Revert) *running {
	r := &running{done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.outcome, r.err = e.Revert(ctx, b.repository(), order)
	}()
	b.clock.Settle()
	return r
}

// wait lets the time pass until the call has ended.
func (b *bench) wait(r *running) (gitops.Outcome, error) {
	b.Helper()
	b.clock.Settle()
	for limit := b.clock.Now().Add(time.Hour); ; {
		select {
		case <-r.done:
			b.clock.Settle()
			return r.outcome, r.err
		default:
		}
		if _, more := b.clock.Step(limit); !more {
			b.Fatalf("the call does not end; planned are %v", b.clock.Pending(limit))
		}
	}
}

// reverted is the whole of a revert.
func (b *bench) reverted(e gitops.Engine, order gitops.Revert) (gitops.Outcome, error) {
	b.Helper()
	return b.wait(b.revert(b.Context(), e, order))
}

func classOf(err error) gitops.Class {
	var e *gitops.Error
	if errors.As(err, &e) {
		return e.Class
	}
	return gitops.Class(fmt.Sprint(err))
}
