package schedule

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// Schedule holds what is going to happen.
type Schedule struct {
	seed uint64
	rand *rand.Rand
	// idle waits until every goroutine that an event woke is idle again.
	idle func()
	ran  int

	mu     sync.Mutex
	now    time.Time
	events queue
	inbox  []*event
}

type event struct {
	at   time.Time
	dice uint64 // orders events of one moment
	what string
	do   func()
	gone bool
}

// New makes a schedule that begins at a moment. idle may be nil where nothing runs in goroutines.
func New(seed uint64, start time.Time, idle func()) *Schedule {
	if idle == nil {
		idle = func() {}
	}
	return &Schedule{seed: seed, now: start, rand: rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15)), idle: idle}
}

// Now is the present moment.
func (s *Schedule) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// Rand is the only source of chance.
func (s *Schedule) Rand() *rand.Rand { return s.rand }

// Ran counts the events so far.
func (s *Schedule) Ran() int { return s.ran }

// Between is a duration by chance, from lo up to hi.
func (s *Schedule) Between(lo, hi time.Duration) time.Duration {
	if hi <= lo {
		return lo
	}
	return lo + time.Duration(s.rand.Int64N(int64(hi-lo)))
}

// Chance is true in a share p of all cases.
func (s *Schedule) Chance(p float64) bool { return s.rand.Float64() < p }

// After plans an event. The returned function takes it back; after it ran that does nothing.
func (s *Schedule) After(d time.Duration, what string, do func()) (cancel func()) {
	return s.plan(&event{dice: s.rand.Uint64(), what: what, do: do}, d)
}

// Hand gives the schedule something to do before the next event. It is for goroutines: what several of them hand over at
// once is done in the order of its names, whichever of them came first.
func (s *Schedule) Hand(what string, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inbox = append(s.inbox, &event{what: what, do: do})
}

func (s *Schedule) plan(e *event, d time.Duration) (cancel func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.at = s.now.Add(max(0, d))
	heap.Push(&s.events, e)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		e.gone = true
	}
}

// Step runs the next event and says what it was; false: there is none before the end.
func (s *Schedule) Step(end time.Time) (what string, ok bool) {
	e := s.next(end)
	if e == nil {
		return "", false
	}
	s.ran++
	e.do()
	s.Settle()
	return e.what, true
}

func (s *Schedule) next(end time.Time) *event {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.events) > 0 && s.events[0].gone {
		heap.Pop(&s.events)
	}
	if len(s.events) == 0 || s.events[0].at.After(end) {
		return nil
	}
	e := heap.Pop(&s.events).(*event)
	e.gone = true
	s.now = e.at
	return e
}

// Settle waits for goroutines and does what they hand over, until none has anything more.
func (s *Schedule) Settle() {
	for {
		s.idle()
		s.mu.Lock()
		handed := s.inbox
		s.inbox = nil
		s.mu.Unlock()
		if len(handed) == 0 {
			return
		}
		slices.SortStableFunc(handed, func(a, b *event) int { return strings.Compare(a.what, b.what) })
		for _, e := range handed {
			e.do()
		}
	}
}

// Run runs events until the moment end, and then it is that moment.
func (s *Schedule) Run(end time.Time) {
	for {
		if _, ok := s.Step(end); ok {
			continue
		}
		s.mu.Lock()
		s.now = end
		s.mu.Unlock()
		return
	}
}

// Pending lists what is planned up to a moment, the next first; for messages.
func (s *Schedule) Pending(end time.Time) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.events {
		if !e.gone && !e.at.After(end) {
			out = append(out, fmt.Sprintf("%s in %s", e.what, e.at.Sub(s.now)))
		}
	}
	return out
}

type queue []*event

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	switch a, b := q[i], q[j]; {
	case !a.at.Equal(b.at):
		return a.at.Before(b.at)
	case a.dice != b.dice:
		return a.dice < b.dice
	default:
		return a.what < b.what
	}
}

func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

func (q *queue) Push(x any) { *q = append(*q, x.(*event)) }

func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return last
}
