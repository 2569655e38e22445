package delivery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/belay-dev/belay/gitops"
)

// gitPatience is how long a git command may take.
const gitPatience = time.Minute

// maxPushes bounds how often one call pushes.
const maxPushes = 10

// Engine is the gitops.Engine of one process. As in the real one calls for the branch run one after the other, and one that
// waits to be recorded keeps the others waiting.
func (r *Repository) Engine(owner string) gitops.Engine {
	return &engine{repo: r, line: line{
		schedule: r.opts.Schedule, owner: owner, through: r.opts.Through,
		patience: gitPatience, expired: &gitops.Error{Class: gitops.ClassTransient, Text: unreachable},
		ended: func(ctx context.Context) error {
			return &gitops.Error{Class: gitops.ClassCanceled, Text: "the work on the Git repository was stopped before it was done", Err: context.Cause(ctx)}
		},
	}}
}

type engine struct {
	repo *Repository
	line line

	// Of the schedule's goroutine: whose turn it is, and who waits.
	holder  *turn
	waiting []*turn
}

// turn is one call's right to work on the branch.
type turn struct {
	granted chan struct{}
	over    bool
}

// enter waits for the call's turn. done must be called in any case.
func (e *engine) enter(ctx context.Context, what string) (done func(), err error) {
	t := &turn{granted: make(chan struct{})}
	done = func() {
		e.line.schedule.Hand(e.line.owner+" ends "+what, func() {
			t.over = true
			if e.holder == t {
				e.holder = nil
			}
			e.next()
		})
	}
	e.line.schedule.Hand(e.line.owner+" begins "+what, func() {
		e.waiting = append(e.waiting, t)
		e.next()
	})
	select {
	case <-ctx.Done():
	case <-t.granted:
	}
	if ctx.Err() != nil {
		return done, e.line.ended(ctx)
	}
	return done, nil
}

func (e *engine) next() {
	for e.holder == nil && len(e.waiting) > 0 {
		t := e.waiting[0]
		e.waiting = e.waiting[1:]
		if !t.over {
			e.holder = t
			close(t.granted)
		}
	}
}

// Tip implements gitops.Engine.
func (e *engine) Tip(ctx context.Context, repo gitops.Repository, src gitops.Source) (gitops.Tip, error) {
	what := name("reads the head for", src)
	done, err := e.enter(ctx, what)
	defer done()
	if err != nil {
		return gitops.Tip{}, err
	}
	return travel(ctx, e.line, what, e.repo.fate, func() (gitops.Tip, error) {
		head, err := e.repo.open(repo, src)
		if err != nil {
			return gitops.Tip{}, err
		}
		if len(head.Files.At(src.Paths...)) == 0 {
			return gitops.Tip{}, notFound(fmt.Sprintf("none of the paths %q exists on branch %q", src.Paths, src.Branch))
		}
		return tip(head, src), nil
	})
}

// Locate implements gitops.Engine.
func (e *engine) Locate(ctx context.Context, repo gitops.Repository, src gitops.Source, record, head string) (gitops.Interval, error) {
	what := name("locates the change of", src)
	done, err := e.enter(ctx, what)
	defer done()
	if err != nil {
		return gitops.Interval{}, err
	}
	return travel(ctx, e.line, what, e.repo.fate, func() (gitops.Interval, error) {
		if _, err := e.repo.open(repo, src); err != nil {
			return gitops.Interval{}, err
		}
		commits, err := e.repo.need(record, head)
		if err != nil {
			return gitops.Interval{}, err
		}
		return locate(src, commits[0], commits[1]), nil
	})
}

// Revert implements gitops.Engine.
func (e *engine) Revert(ctx context.Context, repo gitops.Repository, order gitops.Revert) (gitops.Outcome, error) {
	if order.Failure.At.IsZero() {
		return gitops.Outcome{}, &gitops.Error{Class: gitops.ClassUnsupported, Text: "the time of the failure is missing: it is the date of the commit"}
	}
	what := name("reverts the change of", order.Source)
	done, err := e.enter(ctx, what)
	defer done()
	if err != nil {
		return gitops.Outcome{}, err
	}
	for range maxPushes {
		p, err := travel(ctx, e.line, what, e.repo.fate, func() (*proposal, error) { return e.repo.propose(repo, order) })
		if err != nil {
			return gitops.Outcome{}, err
		}
		if p.outcome.Result != gitops.Committed {
			return p.outcome, nil
		}
		if order.Planned != nil {
			if err := order.Planned(p.outcome.Key, p.outcome.Commit); err != nil {
				return gitops.Outcome{}, err
			}
		}
		pushed, err := travel(ctx, e.line, name("pushes the revert of", order.Source), e.repo.fate, func() (bool, error) { return e.repo.receive(ctx, p.commit) })
		if err != nil {
			return gitops.Outcome{}, err
		}
		if pushed {
			p.outcome.Head = tip(p.commit, order.Source)
			return p.outcome, nil
		}
	}
	return gitops.Outcome{}, &gitops.Error{Class: gitops.ClassTransient,
		Text: fmt.Sprintf("branch %q moved at each of %d attempts to push", order.Branch, maxPushes)}
}

// receive is the server's end of a push. It is false when the branch has moved.
func (r *Repository) receive(ctx context.Context, c *Commit) (bool, error) {
	s := r.opts.Schedule
	if ctx.Err() != nil && s.Chance(0.5) {
		return false, nil // git was killed before it had sent everything; nobody hears this
	}
	if s.Chance(r.Faults.Racing) {
		r.race()
	}
	if r.Faults.Denied {
		return false, &gitops.Error{Class: gitops.ClassDenied, Text: fmt.Sprintf("the Git server refuses the push to branch %q: it is protected", r.opts.Branch)}
	}
	if c.parent != r.head {
		return false, nil
	}
	r.land(c)
	return true, nil
}

// open finds the head of what is asked for.
func (r *Repository) open(repo gitops.Repository, src gitops.Source) (*Commit, error) {
	switch {
	case repo.URL != r.opts.URL:
		return nil, notFound("the repository does not exist on the Git server, or the credentials may not see it")
	case src.Branch != r.opts.Branch || r.head == nil:
		return nil, notFound("the branch does not exist on the Git server")
	case len(src.Paths) == 0 || slices.Contains(src.Paths, ""):
		return nil, &gitops.Error{Class: gitops.ClassUnsupported, Text: `no paths are given: name the files or directories that are inputs of the Rollout, or "." for the whole repository`}
	}
	return r.head, nil
}

// need finds commits by their ids.
func (r *Repository) need(ids ...string) ([]*Commit, error) {
	out := make([]*Commit, len(ids))
	for i, id := range ids {
		if len(id) != 40 {
			return nil, &gitops.Error{Class: gitops.ClassUnsupported, Text: fmt.Sprintf("%q is not a full commit id", id)}
		}
		if out[i] = r.commits[id]; out[i] == nil {
			return nil, notFound("the Git server does not have the commit (any more)")
		}
	}
	return out, nil
}

func tip(c *Commit, src gitops.Source) gitops.Tip {
	return gitops.Tip{Commit: c.ID, Inputs: c.Files.At(src.Paths...).identity()}
}

func name(what string, src gitops.Source) string {
	return fmt.Sprintf("%s %s %s/%s", what, src.Workload.Kind, src.Workload.Namespace, src.Workload.Name)
}

func notFound(text string) error { return &gitops.Error{Class: gitops.ClassNotFound, Text: text} }
