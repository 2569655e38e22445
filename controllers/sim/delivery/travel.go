package delivery

import (
	"context"
	"time"

	"github.com/belay-dev/belay/controllers/sim/schedule"
)

// line is the way from a process to something outside of it.
type line struct {
	schedule *schedule.Schedule
	owner    string
	// through has the process do something: now, later when it is halted, never when it is dead.
	through func(owner string, do func())
	// patience is how long the process waits for an answer, expired what it says then. 0: until its context ends.
	patience time.Duration
	expired  error
	// ended is the error of a call whose context ended.
	ended func(context.Context) error
}

// journey is what befalls a call.
type journey struct {
	there, back time.Duration
	// lost: it never arrives. deaf: it arrives, and the answer never does.
	lost, deaf bool
	// refused: the other side answers this and does nothing.
	refused error
}

func (j journey) answered(patience time.Duration) bool {
	return !j.lost && !j.deaf && (patience == 0 || j.there+j.back < patience)
}

type reply[T any] struct {
	value T
	err   error
}

// travel sends a call and waits for its answer, in a goroutine of the process. fate and arrive run on the schedule's
// goroutine. What was sent may arrive though the process has died meanwhile.
func travel[T any](ctx context.Context, l line, what string, fate func() journey, arrive func() (T, error)) (T, error) {
	answer := make(chan reply[T], 1)
	tell := func(after time.Duration, r reply[T]) {
		l.schedule.After(after, l.owner+" is answered: "+what, func() { l.through(l.owner, func() { answer <- r }) })
	}
	l.schedule.Hand(l.owner+" "+what, func() {
		l.through(l.owner, func() {
			j := fate()
			answered := j.answered(l.patience)
			if !answered && l.patience > 0 {
				tell(l.patience, reply[T]{err: l.expired})
			}
			if j.lost {
				return
			}
			l.schedule.After(j.there, what+" arrives from "+l.owner, func() {
				r := reply[T]{err: j.refused}
				if r.err == nil {
					r.value, r.err = arrive()
				}
				if answered {
					tell(j.back, r)
				}
			})
		})
	})
	select {
	case <-ctx.Done():
	case r := <-answer:
		// Both may be there: then the call is over, whichever was looked at.
		if ctx.Err() == nil {
			return r.value, r.err
		}
	}
	var none T
	return none, l.ended(ctx)
}

// straight is the way of a process that is never halted.
func straight(_ string, do func()) { do() }
