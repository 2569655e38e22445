package plan

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

var update = flag.Bool("update", false, "write the transcripts in testdata anew")

// happening is something that befalls the world the first time a round looks as described.
type happening struct {
	say  string
	when func(Observed, Plan) bool
	do   func(*world)
}

// teller is what a story tells of: a test, or one drawing of a property.
type teller interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// story runs Decide in a world until nothing changes any more.
type story struct {
	teller
	world   *world
	pending []happening
	lines   []string
	// grace: rounds in which requests may be lost, because something was just broken on purpose.
	grace int
	// unserved says that stable has no pods by intention.
	unserved bool
	// rounds that it may take.
	rounds int
	last   string
	// outcomes of the attempts that have ended.
	outcomes []string
	// decide is Decide, or one that breaks a law.
	decide func(Observed) Plan
	book   book
	// seen is what was observed last, for a look that shows it once more.
	seen *Observed
}

// tell runs a story from a new shop; what happens comes in order.
func tell(t *testing.T, begin func(*world), happenings ...happening) *story {
	t.Helper()
	return newStory(t, begin, happenings...).run()
}

func newStory(t teller, begin func(*world), happenings ...happening) *story {
	s := &story{teller: t, world: newShop(), pending: happenings, rounds: 400, decide: Decide}
	if begin != nil {
		begin(s.world)
	}
	return s
}

func (s *story) run() *story {
	s.Helper()
	for range s.rounds {
		if s.round() {
			if len(s.pending) > 0 {
				s.Fatalf("the story ended before %q:\n%s", s.pending[0].say, s.told())
			}
			s.atRest()
			return s
		}
	}
	s.Fatalf("law rounds: no rest after %d rounds:\n%s", s.rounds, s.told())
	return nil
}

func (s *story) told() string { return strings.Join(s.lines, "\n") }

// round observes, decides, and records or acts. It is true at the end: nothing is left but to wait for somebody.
func (s *story) round() bool {
	w := s.world
	if w.gone {
		return true
	}
	o, fresh := s.look()
	p := s.decide(o)
	t := turn{o: o, p: p, fresh: fresh, before: w.stock(), good: s.book.good}
	if s.grace == 0 {
		t.lost = w.unserved()
	}
	changed := s.carryOut(t)
	if fresh && len(s.pending) > 0 && s.pending[0].when(o, p) {
		s.lines = append(s.lines, "          — "+s.pending[0].say)
		s.pending[0].do(w)
		s.pending, s.grace = s.pending[1:], 3
		return false
	}
	if changed || !fresh || (w.chance != nil && w.owes()) || w.flapping != "" {
		s.pass(time.Second)
		return false
	}
	next := p.Wake
	if w.job != nil {
		fact := w.job.Since.Add(firstResult)
		if w.ramps() && !fact.After(w.now) {
			fact = w.now.Add(firstResult) // a tick of the comparison
		}
		if fact.After(w.now) && (next.IsZero() || fact.Before(next)) && !w.settled(o) {
			next = fact
		}
	}
	if next.IsZero() && !w.owes() {
		return true
	}
	s.pass(max(time.Second, next.Sub(w.now)))
	return false
}

// look observes; by chance it sees once more what was seen before of workload, Services and routes. What stands in the
// Rollout is as it is: a controller that has not seen its own record yet does not decide. So is what it measures and asks.
func (s *story) look() (o Observed, fresh bool) {
	w := s.world
	now := w.observe()
	if old := s.seen; w.chance != nil && old != nil && old.Progress.Sequence == now.Progress.Sequence && w.chance.IntN(8) == 0 {
		again := now
		again.Workload, again.Services, again.Canary, again.Attempt, again.Routes = old.Workload, old.Services, old.Canary, old.Attempt, old.Routes
		return again, false
	}
	s.seen = &now
	return now, true
}

// carryOut records or acts, writes the line, and says whether anything changed.
func (s *story) carryOut(t turn) bool {
	s.Helper()
	w := s.world
	asked := w.git.git
	w.git.asked = false
	done, words := w.carryOut(t.p.Effects)
	t.done, t.refused = done, len(done) < len(t.p.Effects)
	if t.p.Progress != nil && w.chance != nil && w.chance.IntN(20) == 0 {
		t.refused = true
	} else if t.p.Progress != nil {
		w.progress, t.recorded = *t.p.Progress.DeepCopy(), true
		words = append(words, "record "+recorded(t.o.Progress, w.progress))
		if t.p.Afresh {
			w.job = nil
		}
		if e := t.p.Ended; e != nil {
			s.outcomes = append(s.outcomes, fmt.Sprintf("%s %s", strings.TrimPrefix(e.Image, "shop:"), e.Outcome))
			if e.Cost != "" {
				words = append(words, "in the history: "+e.Cost)
			}
		}
	}
	s.line(t.o, t.p, words)
	t.changed = t.recorded || changes(done) || asked.Tip != w.git.git.Tip || asked.Located != w.git.git.Located || asked.Answer != w.git.git.Answer
	s.hold(t)
	return t.changed || t.refused
}

// changes says that effects write to the cluster.
func changes(effects []Effect) bool {
	for _, e := range effects {
		switch e.(type) {
		case Measure, ReadTip, Locate, Revert:
		default:
			return true
		}
	}
	return false
}

// recorded says what a record changes, as it stands in a transcript.
func recorded(old, now v1alpha1.Progress) string {
	var parts []string
	say := func(changed bool, format string, args ...any) {
		if changed {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	say(old.Stage != now.Stage, "%s", now.Stage)
	say(old.Step != now.Step && now.Step > 0, "step %d", now.Step)
	say(old.ProgrammedSince == nil && now.ProgrammedSince != nil, "clock runs")
	say(old.ProgrammedSince != nil && now.ProgrammedSince == nil && now.Step == old.Step, "clock stands at %s", now.ClockElapsed.Duration)
	say(old.Stage == now.Stage && old.ClearedAt == nil && now.ClearedAt != nil, "cleared")
	say(old.Paused != now.Paused, "paused=%t", now.Paused)
	say(old.Inconclusive != now.Inconclusive, "inconclusive=%t", now.Inconclusive != "")
	say(now.Ending != nil && (old.Ending == nil || *old.Ending.At.DeepCopy() != now.Ending.At), "outcome %s", outcomeOf(now))
	say(old.CalledOff == nil && now.CalledOff != nil, "called off")
	say(old.CalledOff != nil && now.CalledOff == nil && now.Ending == old.Ending, "no longer called off")
	say(revertState(old) != revertState(now), "revert %s", revertState(now))
	say(len(old.Quarantine) != len(now.Quarantine), "%d in quarantine", len(now.Quarantine))
	say(old.Request != now.Request, "request %s answered", now.Request)
	if len(parts) == 0 {
		return "details"
	}
	return strings.Join(parts, ", ")
}

func outcomeOf(p v1alpha1.Progress) v1alpha1.Outcome {
	if p.Ending == nil {
		return ""
	}
	return p.Ending.Outcome
}

func revertState(p v1alpha1.Progress) string {
	if p.Revert == nil {
		return "none"
	}
	return strings.TrimSpace(fmt.Sprint(p.Revert.State, " ", p.Revert.Reason))
}

// line writes what was seen, which rule decided, why, and what came of it. The same line is not written twice.
func (s *story) line(o Observed, p Plan, done []string) {
	where := string(o.Progress.Stage)
	if o.Progress.Step > 0 && o.Progress.Stage != v1alpha1.StageResting && o.Progress.Stage != v1alpha1.StageHeld {
		where += fmt.Sprintf(" %d/%d", o.Progress.Step, len(o.Config.Ladder))
	}
	pods := ""
	for _, r := range o.Workload.Revisions {
		if r.Replicas > 0 {
			pods += fmt.Sprintf(" %s:%d/%d", r.Hash, r.Ready, r.Replicas)
		}
	}
	what := strings.Join(done, "; ")
	if what == "" {
		what = "wait for somebody"
		if !p.Wake.IsZero() {
			what = "wait until " + s.at(p.Wake)
		}
	}
	if p.Stalled != nil {
		what += " [Stalled " + p.Stalled.Reason + "]"
	}
	text := fmt.Sprintf("%-14s|%-16s| %-16s | %s → %s", where, pods, p.Rule, p.Reason, what)
	if text != s.last {
		s.lines = append(s.lines, s.at(o.Now)+" "+text)
	}
	s.last = text
}

// at is a moment as minutes and seconds of the story.
func (s *story) at(t time.Time) string {
	d := t.Sub(noon).Round(time.Second)
	return fmt.Sprintf("%5d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// pass lets time go by and the neighbours work.
func (s *story) pass(d time.Duration) {
	s.book.pass(s.world, d)
	s.world.now = s.world.now.Add(d)
	s.world.neighbours()
	if s.grace > 0 {
		s.grace--
	}
}

// golden compares the transcript with the one that a person has read.
func (s *story) golden(name string) {
	s.Helper()
	got := s.told() + "\n"
	path := filepath.Join("testdata", transcript(name))
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			s.Fatalf("%v", err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.Fatalf("%v; run the test with -update and read what it writes", err)
	}
	if string(want) != got {
		s.Errorf("the story is another one than in %s; run with -update and read the difference\n%s", path, got)
	}
}

// rescue heals everything around and has a person take the template back: from wherever a story has come to rest, that
// leads to rest with the stable revision.
func (s *story) rescue() {
	s.Helper()
	w := s.world
	clear(w.sick)
	clear(w.lost)
	clear(w.missing)
	w.flapping, w.stuck, w.suspend, w.problems, w.midway, w.unadopted = "", false, false, nil, false, false
	w.git.answers, w.git.gone, w.git.git.Problem = nil, false, nil
	for _, r := range w.routes {
		r.other = nil
	}
	if w.progress.Stable != nil {
		w.apply(strings.TrimPrefix(w.progress.Stable.Image, "shop:"), w.git.head)
	}
	s.lines, s.grace, s.rounds = append(s.lines, "          — everything is mended, and the stable template is back"), 20, max(s.rounds, restWithin)
	s.run()
	if p := w.progress; !w.gone && (p.Stage != v1alpha1.StageResting || w.deployment.held) {
		s.Errorf("law way out: from here nobody comes to rest: stage %s, held: %t\n%s", p.Stage, w.deployment.held, s.told())
	}
}

// restWithin is how many rounds it may take until nothing is left to be done, once nothing happens any more.
const restWithin = 150
