package bench

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/gitserver"
)

// attempt is when the records say that something of one attempt happened.
type attempt struct {
	number  int64
	started time.Time
	// steps in the order in which they were entered.
	steps []time.Time
	// judged is when the last step was left for the hand-over.
	judged  time.Time
	ended   time.Time
	outcome v1alpha1.Outcome
}

// step gives the bounds of the i-th step; false while it is not over.
func (a attempt) step(i int) (from, until time.Time, over bool) {
	until = a.judged
	if i+1 < len(a.steps) {
		until = a.steps[i+1]
	}
	return a.steps[i], until, !until.IsZero()
}

// diary keeps the attempts of one Rollout from every status that is stored.
type diary struct {
	mu       sync.Mutex
	attempts map[int64]attempt
}

func (d *diary) look(o client.Object) {
	r, ok := o.(*v1alpha1.Rollout)
	if !ok || r.Status.Progress == nil || r.Status.Progress.StartedAt == nil {
		return
	}
	p := r.Status.Progress
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.attempts == nil {
		d.attempts = map[int64]attempt{}
	}
	a := d.attempts[p.Attempt]
	a.number, a.started = p.Attempt, p.StartedAt.Time
	if int(p.Step) == len(a.steps)+1 && p.StepSince != nil {
		a.steps = append(a.steps, p.StepSince.Time)
	}
	if p.Stage == v1alpha1.StageUnpinning {
		a.judged = p.StageSince.Time
	}
	if p.Ending != nil {
		a.ended, a.outcome = p.Ending.At.Time, p.Ending.Outcome
	}
	d.attempts[p.Attempt] = a
}

// with gives the attempts that ended so, in order.
func (d *diary) with(outcome v1alpha1.Outcome) []attempt {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []attempt
	for _, number := range slices.Sorted(maps.Keys(d.attempts)) {
		if a := d.attempts[number]; a.outcome == outcome {
			out = append(out, a)
		}
	}
	return out
}

// pushes keeps when a push moved a branch of a repository.
type pushes struct {
	mu sync.Mutex
	at []time.Time
}

// follow notes pushes until ctx ends; what people of the story commit is none.
func (p *pushes) follow(ctx context.Context, repo *gitserver.Repository) {
	moved := repo.Pushed()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-moved:
			}
			now := time.Now()
			_, accepted := repo.Pushes()
			p.mu.Lock()
			for len(p.at) < accepted {
				p.at = append(p.at, now)
			}
			p.mu.Unlock()
		}
	}()
}

// after gives the first push after a moment.
func (p *pushes) after(moment time.Time) (time.Time, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range p.at {
		if at.After(moment) {
			return at, true
		}
	}
	return time.Time{}, false
}
