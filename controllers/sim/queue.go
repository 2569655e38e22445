package sim

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
)

// queue is the work queue of a process, with one worker per Rollout: a key waits at most once, is never worked on twice
// at a time, and what comes for it meanwhile has it looked at again.
type queue struct {
	process *process
	items   map[types.NamespacedName]*item
	stopped bool
}

type item struct {
	waiting, working, again bool
	// later is a planned look.
	later    time.Time
	cancel   func()
	failures int
}

func newQueue(p *process) *queue { return &queue{process: p, items: map[types.NamespacedName]*item{}} }

func (q *queue) item(key types.NamespacedName) *item {
	i, ok := q.items[key]
	if !ok {
		i = &item{}
		q.items[key] = i
	}
	return i
}

// add has a Rollout looked at soon.
func (q *queue) add(key types.NamespacedName) {
	i := q.item(key)
	switch {
	case q.stopped || i.waiting:
	case i.working:
		i.again = true
	default:
		i.waiting = true
		s := q.process.world.schedule
		s.After(s.Between(0, 5*time.Millisecond), q.process.name+" looks at "+key.String(), func() {
			q.process.do(func() {
				i.waiting, i.working = false, true
				q.process.reconcile(key)
			})
		})
	}
}

// after plans a look, unless an earlier one is planned.
func (q *queue) after(key types.NamespacedName, d time.Duration) {
	i, s := q.item(key), q.process.world.schedule
	at := s.Now().Add(d)
	if !i.later.IsZero() && !at.Before(i.later) {
		return
	}
	if i.cancel != nil {
		i.cancel()
	}
	i.later = at
	i.cancel = s.After(d, q.process.name+" looks again at "+key.String(), func() {
		i.later, i.cancel = time.Time{}, nil
		q.process.do(func() { q.add(key) })
	})
}

// done is the end of a round. A failed one is tried again as controllers.Setup has it: after 100 ms, doubled up to 30 s.
func (q *queue) done(key types.NamespacedName, result ctrl.Result, err error) {
	if q.stopped {
		return
	}
	i := q.item(key)
	i.working = false
	if i.again {
		i.again = false
		q.add(key)
	}
	switch {
	case err != nil:
		q.process.world.count.failed++
		q.after(key, min(100*time.Millisecond<<min(i.failures, 20), 30*time.Second))
		i.failures++
	default:
		i.failures = 0
		if result.RequeueAfter > 0 {
			q.after(key, result.RequeueAfter)
		}
	}
}

func (q *queue) stop() {
	q.stopped = true
	for _, i := range q.items {
		if i.cancel != nil {
			i.cancel()
		}
	}
}
