package sim

import (
	"errors"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// faults is how unkind the world is at present.
type faults struct {
	w *World
	// names of the faults of this story.
	names []string
	// chances per call.
	dieBefore, dieAfter, lose, deafen, conflict, refuse float64
	// dieAt is the one write, counted from the start, at which the controller dies: before, or after it; 0: none.
	dieAt  int
	before bool
	// dropped is the chance that news of a watch wakes nobody before the watch is made again.
	dropped float64
	// lags of watches, and how far back a process that starts may begin.
	lagFrom, lagTo, stale time.Duration
	// clocksJump: durations that are measured by one clock and seen by another mean nothing in this story.
	clocksJump bool
	over       bool
}

// fault is one kind of mishap; begin sets it going for the time of the faults.
type fault struct {
	name  string
	begin func(*World)
}

// faultKinds in a fixed order, so that a seed means the same for ever.
var faultKinds = []fault{
	{"crashes", func(w *World) { w.faults.dieBefore, w.faults.dieAfter = 0.04, 0.04 }},
	{"one crash", func(w *World) {
		w.faults.dieAt, w.faults.before = 1+w.schedule.Rand().IntN(80), w.schedule.Chance(0.5)
	}},
	{"stale reads", func(w *World) { w.faults.lagFrom, w.faults.lagTo, w.faults.stale = 0, 8*time.Second, 10*time.Second }},
	{"dropped news", func(w *World) { w.faults.dropped = 0.3 }},
	{"conflicts", func(w *World) { w.faults.conflict = 0.15 }},
	{"time-outs", func(w *World) { w.faults.lose, w.faults.deafen = 0.05, 0.05 }},
	{"busy server", func(w *World) { w.faults.refuse = 0.15 }},
	{"two leaders", func(w *World) { w.repeat(10*time.Second, 60*time.Second, "a second leader", w.secondLeader) }},
	{"frozen leader", func(w *World) { w.repeat(10*time.Second, 60*time.Second, "the leader freezes", w.frozenLeader) }},
	{"clock jumps", func(w *World) {
		w.faults.clocksJump, w.excused = true, true
		w.repeat(5*time.Second, 60*time.Second, "a clock jumps", w.clockJumps)
	}},
}

// draw chooses the faults of a story: none in one of eight, one alone in three of eight, else several.
func (f *faults) draw() {
	all := append(append([]fault{}, faultKinds...), surroundings...)
	r := f.w.schedule.Rand()
	n := 0
	switch kind := r.IntN(8); {
	case kind == 0:
	case kind < 4:
		n = 1
	default:
		n = 2 + r.IntN(4)
	}
	f.lagFrom, f.lagTo = time.Millisecond, 40*time.Millisecond
	for place, i := range r.Perm(len(all)) {
		if place < n || slices.Contains(f.w.parts.With, all[i].name) {
			f.names = append(f.names, all[i].name)
			all[i].begin(f.w)
		}
	}
}

// end lets the world be kind from now on.
func (f *faults) end() {
	*f = faults{w: f.w, names: f.names, clocksJump: f.clocksJump, over: true, lagFrom: time.Millisecond, lagTo: 40 * time.Millisecond}
}

// fate of a call of a process.
func (f *faults) fate(what call) fate {
	s := f.w.schedule
	out := fate{there: s.Between(time.Millisecond, 15*time.Millisecond), back: s.Between(time.Millisecond, 15*time.Millisecond)}
	if what.mutates() {
		f.w.sent++
		if f.dieAt > 0 && f.w.sent == f.dieAt {
			out.diesBefore, out.diesAfter = f.before, !f.before
		}
	}
	roll := s.Rand().Float64()
	for _, chance := range []struct {
		p    float64
		does func()
	}{
		{f.dieBefore, func() { out.diesBefore = true }},
		{f.dieAfter, func() { out.diesAfter = true }},
		{f.lose, func() { out.lost = true }},
		{f.deafen, func() { out.deaf = true }},
		{f.conflict, func() {
			out.refused = apierrors.NewConflict(schema.GroupResource{Resource: what.kind}, what.key, errors.New("the object has been modified"))
		}},
		{f.refuse, func() { out.refused = apierrors.NewTooManyRequests("the server is busy", 1) }},
	} {
		if roll -= chance.p; roll < 0 {
			chance.does()
			break
		}
	}
	if out.refused != nil && what.verb == "read" {
		out.refused = apierrors.NewServiceUnavailable("the server is busy")
	}
	return out
}

// lag of a watch.
func (f *faults) lag() time.Duration {
	if f.lagTo > time.Second && f.w.schedule.Chance(0.7) {
		return f.w.schedule.Between(time.Millisecond, 100*time.Millisecond)
	}
	return f.w.schedule.Between(f.lagFrom, f.lagTo)
}

func (f *faults) staleStart() time.Duration {
	if f.stale == 0 {
		return 0
	}
	return f.w.schedule.Between(0, f.stale)
}

// dropsNews: nobody is woken now; the watch is made again within half a minute, and then everybody is.
func (f *faults) dropsNews(p *process) bool {
	if !f.w.schedule.Chance(f.dropped) {
		return false
	}
	f.w.schedule.After(f.w.schedule.Between(0, 30*time.Second), p.name+" watches again", func() {
		p.do(func() {
			for _, key := range p.cache.rollouts() {
				p.queue.add(key)
			}
		})
	})
	return true
}

// repeat has something happen again and again until the faults end.
func (w *World) repeat(lo, hi time.Duration, what string, do func()) {
	w.schedule.After(w.schedule.Between(lo, hi), what, func() {
		if w.faults.over {
			return
		}
		do()
		w.repeat(lo, hi, what, do)
	})
}

// leader is the process that works now: the youngest that lives.
func (w *World) leader() *process {
	for i := len(w.processes) - 1; i >= 0; i-- {
		if p := w.processes[i]; p.alive {
			return p
		}
	}
	return nil
}

// secondLeader: a lease is lost and its holder goes on for a while, because it does not know.
func (w *World) secondLeader() {
	old := w.leader()
	w.start()
	if old != nil {
		w.schedule.After(w.schedule.Between(0, 20*time.Second), "the lease is missed", func() { old.kill("it lost its lease") })
	}
}

// frozenLeader: the leader stops in the middle of whatever it does, another takes over, and then it goes on.
func (w *World) frozenLeader() {
	old := w.leader()
	if old == nil || old.frozen {
		return
	}
	old.freeze()
	w.schedule.After(w.schedule.Between(100*time.Millisecond, 15*time.Second), "the lease expires", func() { w.start() })
	w.schedule.After(w.schedule.Between(time.Second, 60*time.Second), old.name+" thaws", func() {
		old.thaw()
		w.schedule.After(w.schedule.Between(50*time.Millisecond, 5*time.Second), "the lease is missed", func() { old.kill("it lost its lease") })
	})
}

func (w *World) clockJumps() {
	p := w.leader()
	if p == nil {
		return
	}
	jump := w.schedule.Between(-90*time.Second, 90*time.Second)
	p.skew += jump
	w.say("the clock of %s jumps by %s", p.name, jump.Round(time.Millisecond))
}

// keepOne has a controller running: one that died is started again, as a Deployment of it would.
func (w *World) keepOne() {
	if w.leader() == nil {
		w.start()
	}
	w.schedule.After(w.schedule.Between(500*time.Millisecond, 5*time.Second), "somebody looks after the controller", w.keepOne)
}
