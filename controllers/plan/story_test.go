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
	// good is how long the present step has had its pods and its weight.
	good time.Duration
}

// tell runs a story from a new shop; what happens comes in order.
func tell(t *testing.T, begin func(*world), happenings ...happening) *story {
	t.Helper()
	return newStory(t, begin, happenings...).run()
}

func newStory(t *testing.T, begin func(*world), happenings ...happening) *story {
	s := &story{teller: t, world: newShop(), pending: happenings, rounds: 400}
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
			return s
		}
	}
	s.Fatalf("no end after %d rounds:\n%s", s.rounds, s.told())
	return nil
}

func (s *story) told() string { return strings.Join(s.lines, "\n") }

// round observes, decides, and records or acts. It is true at the end: nothing is left but to wait for somebody.
func (s *story) round() bool {
	w := s.world
	if w.gone {
		return true
	}
	o := w.observe()
	p := Decide(o)
	s.check(o, p)
	changed := s.carryOut(o, p)
	if len(s.pending) > 0 && s.pending[0].when(o, p) {
		s.lines = append(s.lines, "          — "+s.pending[0].say)
		s.pending[0].do(w)
		s.pending, s.grace = s.pending[1:], 3
		return false
	}
	if changed {
		s.pass(time.Second)
		return false
	}
	next := p.Wake
	if w.job != nil {
		if fact := w.job.Since.Add(firstResult); fact.After(w.now) && (next.IsZero() || fact.Before(next)) {
			next = fact
		}
	}
	if next.IsZero() {
		return true
	}
	s.pass(next.Sub(w.now))
	return false
}

// carryOut records or acts, writes the line, and says whether anything changed.
func (s *story) carryOut(o Observed, p Plan) bool {
	w := s.world
	var done []string
	before := w.observe()
	for _, e := range p.Effects {
		if said := w.carryOut(e); said != "" {
			done = append(done, said)
		}
	}
	if p.Progress != nil {
		w.progress = *p.Progress.DeepCopy()
		done = append(done, "record "+recorded(o.Progress, w.progress))
		if p.Afresh {
			w.job = nil
		}
	}
	s.line(o, p, done)
	asked := before.Git.Tip != w.git.git.Tip || before.Git.Located != w.git.git.Located || before.Git.Answer != w.git.git.Answer
	return p.Progress != nil || changes(p.Effects) || asked
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
	w := s.world
	o := w.observe()
	if o.Progress.Stage == v1alpha1.StageStepping && o.trafficLag() == "" && o.canaryReady() >= o.size() && w.routes[0].programmed {
		s.good += d
	}
	w.now = w.now.Add(d)
	w.neighbours()
	if s.grace > 0 {
		s.grace--
	}
}

// check holds a round against what a user was promised.
func (s *story) check(o Observed, p Plan) {
	s.Helper()
	for _, v := range Check(o, p) {
		s.Errorf("%s: %s\n%s", v.Law, v.Text, s.told())
	}
	if o.Progress.Step > 0 && (p.Rule == "stepFinished" || p.Rule == "finished") && !o.Progress.PromoteFull {
		if step := o.Config.Ladder[o.Progress.Step-1]; !step.Approve && s.good < step.Bake {
			s.Errorf("step %d was left after %s of %s\n%s", o.Progress.Step, s.good, step.Bake, s.told())
		}
	}
	if p.Progress != nil && p.Progress.Step != o.Progress.Step {
		s.good = 0
	}
	if s.grace == 0 && !s.unserved {
		s.served()
	}
}

// served: every backend that gets a share has a ready pod, and no pod answers that was not allowed to.
func (s *story) served() {
	s.Helper()
	w := s.world
	for _, r := range w.routes {
		var share int32
		if r.intent != nil {
			share = r.intent.Permille()
		}
		if share > 0 && w.canaryEndpoints() == 0 {
			s.Errorf("at %s %s of %s goes to no canary pod\n%s", s.at(w.now), Percent(share), r.name, s.told())
		}
		if share < 1000 && len(w.endpoints(w.services[0])) == 0 {
			s.Errorf("at %s the stable share of %s goes to no pod\n%s", s.at(w.now), r.name, s.told())
		}
	}
}

// golden compares the transcript with the one that a person has read.
func (s *story) golden(name string) {
	s.Helper()
	got := s.told() + "\n"
	path := filepath.Join("testdata", strings.ReplaceAll(strings.ReplaceAll(name, ",", ""), " ", "-")+".txt")
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

// The usual moments of a story.

func atRule(rule string) func(Observed, Plan) bool {
	return func(_ Observed, p Plan) bool { return p.Rule == rule }
}

// quiet is when everything is quiet.
func quiet(o Observed, p Plan) bool {
	return o.Progress.Stage == v1alpha1.StageResting && p.Progress == nil && len(p.Effects) == 0
}

// bakes is when step n bakes.
func bakes(n int32) func(Observed, Plan) bool {
	return func(o Observed, p Plan) bool {
		return o.Progress.Step == n && p.Rule == "stepUnfinished" && p.Progress == nil && o.Progress.ProgrammedSince != nil
	}
}

func inStage(stage v1alpha1.Stage) func(Observed, Plan) bool {
	return func(o Observed, _ Plan) bool { return o.Progress.Stage == stage }
}

// waitsIn is when nothing is to be done in a stage.
func waitsIn(stage v1alpha1.Stage) func(Observed, Plan) bool {
	return func(o Observed, p Plan) bool {
		return o.Progress.Stage == stage && p.Progress == nil && !changes(p.Effects)
	}
}
