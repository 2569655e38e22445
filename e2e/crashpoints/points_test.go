package crashpoints

import (
	"flag"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"testing"
)

// part of the points that are gone through. Without flags: after each record and effect. What the API server has before a
// write is what it has after the one before, so the rest takes turns.
type part struct {
	all  *bool
	turn *string
}

var points = part{
	all:  flag.Bool("all", false, "die at every point; otherwise after each record and effect, and at some of the others"),
	turn: flag.String("turn", "", "any text, such as a version: it decides which of the others"),
}

// atOnce is how many tellings do more than wait at the same time: about what two cores can do without being late.
const atOnce = 6

// turns is in how many turns the points that are not gone through each time are.
const turns = 10

// includes says that a point is gone through.
func (p part) includes(at point) bool {
	if *p.all || (at.when == after && !at.reports()) || at.write == push {
		return true
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(at.write + string(at.when)))
	mine := h.Sum32() % turns
	h.Reset()
	_, _ = h.Write([]byte(*p.turn))
	return mine == h.Sum32()%turns
}

func (p point) reports() bool { return strings.HasPrefix(p.write, report) }

// telling of a tale, in a shop of this name.
type telling struct {
	tale  *tale
	name  string
	point point
	found func(write string)
}

// Each tale is told once undisturbed. Every write of that is a point to die at, before and after, each in a telling of
// its own, and what comes of it is the same.
func TestCrashPoints(t *testing.T) {
	t.Parallel()
	b := &book{next: make(chan telling, 1024), slots: make(chan struct{}, atOnce), died: map[string][]point{}, missed: map[string][]point{}}
	var undisturbed, all sync.WaitGroup
	tales := tales()
	for _, of := range tales {
		b.slots <- struct{}{}
		undisturbed.Go(func() { b.undisturbed(t, of) })
	}
	go func() {
		undisturbed.Wait()
		close(b.next)
	}()
	for next := range b.next {
		b.slots <- struct{}{}
		all.Go(func() { b.dying(t, next) })
	}
	all.Wait()
	b.sum(t, tales)
}

// book has the tellings that are still to come, and counts.
type book struct {
	next  chan telling
	slots chan struct{}

	mu sync.Mutex
	// writes of the undisturbed tellings, and the points that are left for another turn.
	writes, left int
	// died and missed are the points to which a telling came, or did not, by the tale's name.
	died, missed map[string][]point
}

// free gives a telling's slot to another one, once.
func (b *book) free() func() { return sync.OnceFunc(func() { <-b.slots }) }

func (b *book) undisturbed(t *testing.T, of *tale) {
	idle := b.free()
	defer idle()
	t.Run(of.name+"/undisturbed", func(t *testing.T) {
		defer close(of.ended)
		n := 0
		s := begin(t, telling{of, of.name, point{}, func(write string) {
			n++
			b.add(of, n, write)
		}}, idle)
		of.told(s)
		of.end = s.end()
		t.Logf("the writes:%s\nthe end:\n%s", list(s.mortal.writes()), of.end)
	})
}

// add adds the points at a write of the undisturbed telling.
func (b *book) add(of *tale, n int, write string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writes++
	for _, at := range []when{before, after} {
		p := point{write, at}
		if points.includes(p) {
			b.next <- telling{tale: of, name: fmt.Sprintf("%s-%s-%d", of.name, at, n), point: p}
		} else {
			b.left++
		}
	}
	if write == "record revert Planned" {
		b.next <- telling{tale: of, name: of.name + "-" + push, point: point{push, before}}
	}
}

func (b *book) dying(t *testing.T, next telling) {
	idle := b.free()
	defer idle()
	t.Run(fmt.Sprintf("%s/%s/%s", next.tale.name, next.point.when, next.point.write), func(t *testing.T) {
		s := begin(t, next, idle)
		next.tale.told(s)
		end := s.end()
		b.count(next, s.mortal)
		<-next.tale.ended
		if end != next.tale.end {
			t.Errorf("the end of the undisturbed telling is\n%s\nand this one's is\n%s", next.tale.end, end)
		}
	})
}

// count takes down whether a telling came to its point. How often pods, gateways and neighbours make the controller report
// or try again is not the same in every telling.
func (b *book) count(next telling, m *mortal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if name := next.tale.name; m.died() {
		b.died[name] = append(b.died[name], next.point)
	} else {
		b.missed[name] = append(b.missed[name], next.point)
	}
}

// sum says that the controller has died after each of the writes that every telling has.
func (b *book) sum(t *testing.T, all []*tale) {
	deaths := map[when]int{}
	for _, of := range all {
		for _, p := range b.died[of.name] {
			deaths[p.when]++
		}
		for _, w := range of.writes {
			if !slices.Contains(b.died[of.name], point{w, after}) {
				t.Errorf("%s: the controller never died after %q", of.name, w)
			}
		}
	}
	t.Logf("%d writes in the undisturbed tellings; the controller died before one %d times, after one %d times; %d points are left for another turn; there were none at %v",
		b.writes, deaths[before], deaths[after], b.left, b.missed)
}
