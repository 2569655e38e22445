package schedule

import (
	"hash/fnv"
	"time"

	"k8s.io/utils/clock"
)

// Clock shows the schedule's time to what runs in goroutines, wrong by as much as skew says; nil: it is right. Its timers
// are events under the owner's name.
func (s *Schedule) Clock(owner string, skew func() time.Duration) clock.WithDelayedExecution {
	if skew == nil {
		skew = func() time.Duration { return 0 }
	}
	return &shown{schedule: s, owner: owner, skew: skew}
}

type shown struct {
	schedule *Schedule
	owner    string
	skew     func() time.Duration
}

func (c *shown) Now() time.Time                         { return c.schedule.Now().Add(c.skew()) }
func (c *shown) Since(t time.Time) time.Duration        { return c.Now().Sub(t) }
func (c *shown) After(d time.Duration) <-chan time.Time { return c.NewTimer(d).C() }
func (c *shown) Tick(time.Duration) <-chan time.Time    { panic("a simulated clock has no ticker") }
func (c *shown) Sleep(d time.Duration)                  { <-c.After(d) }

func (c *shown) NewTimer(d time.Duration) clock.Timer {
	t := &timer{clock: c, fires: make(chan time.Time, 1)}
	t.do = func() {
		select {
		case t.fires <- c.Now():
		default: // nobody took the last one
		}
	}
	t.start("timer", d)
	return t
}

func (c *shown) AfterFunc(d time.Duration, f func()) clock.Timer {
	t := &timer{clock: c, do: func() { go f() }}
	t.start("call", d)
	return t
}

type timer struct {
	clock *shown
	fires chan time.Time
	do    func()
	event *event
	stop  func()
}

// start plans the event. Goroutines make timers in no certain order, so nothing of them may depend on it, and no dice are
// drawn: the order among events of one moment comes from what they are.
func (t *timer) start(kind string, d time.Duration) {
	s := t.clock.schedule
	what := t.clock.owner + " " + kind
	sum := fnv.New64a()
	sum.Write([]byte(what))
	e := &event{dice: sum.Sum64() ^ s.seed ^ uint64(d), what: what, do: t.do}
	t.event, t.stop = e, s.plan(e, d)
}

func (t *timer) C() <-chan time.Time { return t.fires }

// Stop says whether it came in time, as time.Timer does.
func (t *timer) Stop() bool {
	s := t.clock.schedule
	s.mu.Lock()
	defer s.mu.Unlock()
	was := !t.event.gone
	t.event.gone = true
	return was
}

func (t *timer) Reset(d time.Duration) bool {
	was := t.Stop()
	t.start("timer", d)
	return was
}
