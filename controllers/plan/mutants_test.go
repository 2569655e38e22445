package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// complaints is a teller that only notes what it is told.
type complaints []string

// enough ends a story that cannot go on.
type enough struct{}

func (c *complaints) Helper() {}

func (c *complaints) Errorf(format string, args ...any) {
	*c = append(*c, fmt.Sprintf(format, args...))
}

func (c *complaints) Fatalf(format string, args ...any) {
	c.Errorf(format, args...)
	panic(enough{})
}

// broken lists the laws that the complaints name.
func (c *complaints) broken() []string {
	var out []string
	for _, text := range *c {
		if rest, ok := strings.CutPrefix(text, "law "); ok {
			if number, _, _ := strings.Cut(rest, ":"); !slices.Contains(out, number) {
				out = append(out, number)
			}
		}
	}
	return out
}

// mutant is a Decide that does one thing that it must not do.
type mutant struct {
	law        string
	begin      func(*world)
	happenings []happening
	change     func(Observed, Plan) Plan
}

// Each law is broken by a mutant of Decide, or of one of its effects, and says so. A law that no mutant breaks may be one
// that holds of anything.
func mutants() map[string]mutant {
	good := []happening{v2Shipped}
	weighs := func(change func(*Observed, *Split)) func(Observed, Plan) Plan {
		return func(o Observed, p Plan) Plan {
			p.Effects = slices.Clone(p.Effects)
			for i, e := range p.Effects {
				if split, ok := e.(Split); ok {
					change(&o, &split)
					p.Effects[i] = split
				}
			}
			return p
		}
	}
	// in changes what is planned where nothing but waiting is, in a stage.
	waitingIn := func(stage v1alpha1.Stage, change func(*Observed, *Plan)) func(Observed, Plan) Plan {
		return func(o Observed, p Plan) Plan {
			if o.Progress.Stage == stage && p.Progress == nil && !changes(p.Effects) {
				change(&o, &p)
			}
			return p
		}
	}
	stableSet := func(o *Observed) Resize { s, _ := o.stable(); return Resize{Revision: s, Size: s.Replicas - 1} }
	return map[string]mutant{
		"a weight below zero": {law: "I1", happenings: good, change: weighs(func(_ *Observed, s *Split) {
			if s.Split.Weight == 0 {
				s.Split.Weight = -10
			}
		})},
		"a weight above the total": {law: "I1", happenings: good, change: weighs(func(_ *Observed, s *Split) {
			if s.Split.Weight > 0 {
				s.Split.Weight += s.Split.Scale
			}
		})},
		"a weight before the pods are ready": {law: "I2", begin: sick("v2"), happenings: good, change: func(o Observed, p Plan) Plan {
			if p.Rule == "podsPending" && len(p.Effects) == 0 {
				return *act(v1alpha1.PhaseProgressing, "the canary gets its share at once", o.weightEffects()...)
			}
			return p
		}},
		"a weight for another revision's pods": {law: "I2", happenings: good, change: func(o Observed, _ Plan) Plan {
			o.Canary.Revision = "v2" // it does not look
			p := Decide(o)
			for i, e := range p.Effects {
				if svc, ok := e.(EnsureCanaryService); ok {
					svc.Revision = "v1"
					p.Effects[i] = svc
				}
			}
			return p
		}},
		"a lost canary keeps its share": {law: "I2", happenings: []happening{v2Shipped, loses("v2", bakes(2))}, change: func(o Observed, p Plan) Plan {
			if p.Rule == "canaryLost" {
				return *wait(v1alpha1.PhaseProgressing, "waits until it is back", o.Now, o.Now.Add(time.Second))
			}
			return p
		}},
		"a share after the end": {law: "I3", begin: fails, happenings: good, change: waitingIn(v1alpha1.StageDraining, func(o *Observed, p *Plan) {
			s := o.split(o.Routes[0].Ref, o.Routes[0].ResourceVersion, 500)
			*p = *act(v1alpha1.PhaseAborted, "once more", s)
		})},
		"stable makes room for the canary": {law: "I4", happenings: good, change: waitingIn(v1alpha1.StageStepping, func(o *Observed, p *Plan) {
			if e := stableSet(o); e.Size > 0 {
				*p = *act(v1alpha1.PhaseProgressing, "stable makes room", e)
			}
		})},
		"the hold goes too early": {law: "I4", happenings: good, change: waitingIn(v1alpha1.StageStepping, func(o *Observed, p *Plan) {
			if o.Progress.Step == 3 && o.Workload.Held {
				*p = *act(v1alpha1.PhaseProgressing, "the hold goes", Release{ResourceVersion: o.Workload.ResourceVersion})
			}
		})},
		"the stable ReplicaSet is taken over": {law: "I4", happenings: good, change: waitingIn(v1alpha1.StageStepping, func(o *Observed, p *Plan) {
			if s, _ := o.stable(); s.Owned {
				*p = *act(v1alpha1.PhaseProgressing, "stable is ours", Canaries{Revision: s, Size: s.Replicas})
			}
		})},
		"more than the step's weight": {law: "I5", happenings: good, change: weighs(func(o *Observed, s *Split) {
			if o.Progress.Step == 1 {
				s.Split.Weight += 5
			}
		})},
		"a clock that runs without its pods": {law: "I6", begin: sick("v2"), happenings: good, change: func(o Observed, p Plan) Plan {
			if p.Rule == "podsPending" && len(p.Effects) == 0 {
				return *o.startClock()
			}
			return p
		}},
		"a step that is left too early": {law: "I6", happenings: good, change: waitingIn(v1alpha1.StageStepping, func(o *Observed, p *Plan) {
			if len(o.Metrics) > 0 && !o.last() {
				*p = *o.toStep(o.Progress.Step+1, "long enough")
				p.Rule = "stepFinished"
			}
		})},
		"a second commit": {law: "I7", begin: fails, happenings: good, change: func(o Observed, p Plan) Plan {
			if r := o.Progress.Revert; r != nil && r.State == v1alpha1.RevertPushed && o.Progress.Stage == v1alpha1.StageDraining && p.Progress == nil {
				p.Effects = []Effect{Revert{For: "again", Record: *r}}
			}
			return p
		}},
		"a pin that stays": {law: "I8", happenings: good, change: func(o Observed, p Plan) Plan {
			p.Effects = slices.DeleteFunc(slices.Clone(p.Effects), func(e Effect) bool { u, ok := e.(Unpin); return ok && u.Service == "checkout-metrics" })
			if p.Progress == nil && len(p.Effects) == 0 && !o.Progress.StageSince.IsZero() && len(o.unpinEffects()) > 0 {
				o.Services = o.Services[:1]
				p = Decide(o)
			}
			return p
		}},
		"pods that stay": {law: "I8", begin: fails, happenings: good, change: func(o Observed, p Plan) Plan {
			ends := func(e Effect) bool { c, ok := e.(Canaries); return ok && c.Size == 0 }
			if !slices.ContainsFunc(p.Effects, ends) {
				return p
			}
			if o.Progress.Stage == v1alpha1.StageRetiring {
				return *o.close()
			}
			return *wait(v1alpha1.PhaseHealthy, "they do no harm", time.Time{}, time.Time{})
		}},
		"a query at rest": {law: "I9", change: waitingIn(v1alpha1.StageResting, func(_ *Observed, p *Plan) {
			p.Effects = []Effect{Measure{}}
		})},
		"a promotion without a verdict": {law: "I10", begin: measures("v2", v1alpha1.VerdictPending), happenings: good, change: func(o Observed, p Plan) Plan {
			if p.Rule == "stepUnfinished" && p.Progress == nil && !o.last() && o.elapsed() >= o.Config.Ladder[o.Progress.Step-1].Bake {
				return *o.toStep(o.Progress.Step+1, "nothing speaks against it")
			}
			return p
		}},
		"a ramp beyond its budget": {law: "I10", begin: ramps, happenings: good, change: func(o Observed, p Plan) Plan {
			if p.Rule == "stepUnfinished" && p.Progress == nil && !o.last() && o.elapsed() >= rampBake {
				return *o.rampTo(o.reach(), "nothing speaks against it")
			}
			return p
		}},
		"missing data as a failure": {law: "I10", begin: measures("v2", v1alpha1.VerdictPending), happenings: good, change: func(o Observed, p Plan) Plan {
			if p.Rule == "stepUnfinished" && p.Progress == nil && o.elapsed() >= time.Minute {
				p = *o.end(v1alpha1.OutcomeFailed, "no data")
				p.Rule = "analysisFailed"
			}
			return p
		}},
		"an abort that restarts": {law: "I11", begin: fails, happenings: good, change: waitingIn(v1alpha1.StageDraining, func(o *Observed, p *Plan) {
			if e := stableSet(o); e.Size == 3 {
				*p = *act(v1alpha1.PhaseAborted, "a fresh start", e)
			}
		})},
		"a hand-over that ends at once": {
			law: "called off", happenings: good, begin: func(w *world) { w.unadopted, w.live.config.Progress = true, time.Minute },
			change: func(o Observed, p Plan) Plan {
				if p.Progress != nil && p.Progress.CalledOff != nil {
					return *o.ends(*p.Progress.CalledOff)
				}
				return p
			},
		},
		"both at once": {law: "record-or-act", happenings: good, change: func(_ Observed, p Plan) Plan {
			if p.Progress != nil && p.Progress.Stage == v1alpha1.StageStepping {
				p.Effects = []Effect{Notice{}}
			}
			return p
		}},
		"an old sequence": {law: "fence", happenings: good, change: func(o Observed, p Plan) Plan {
			if p.Progress != nil && p.Progress.Step == 2 {
				p.Progress.Sequence = o.Progress.Sequence
			}
			return p
		}},
		"a wake-up that is over": {law: "wake", happenings: good, change: waitingIn(v1alpha1.StageStepping, func(o *Observed, p *Plan) { p.Wake = o.Now })},
		"a wait without a word":  {law: "way out", happenings: good, change: waitingIn(v1alpha1.StageStepping, func(_ *Observed, p *Plan) { p.Waiting = nil })},
		"a wait for nothing": {law: "way out", happenings: good, change: waitingIn(v1alpha1.StageStepping, func(_ *Observed, p *Plan) {
			p.Wake, p.Effects = time.Time{}, nil
		})},
		"no rest": {law: "rounds", happenings: good, change: waitingIn(v1alpha1.StageResting, func(o *Observed, p *Plan) {
			*p = *act(v1alpha1.PhaseHealthy, "and again", Govern{})
		})},
		"Services that select nobody": {law: "served", happenings: good, change: func(_ Observed, p Plan) Plan {
			p.Effects = slices.Clone(p.Effects)
			for i, e := range p.Effects {
				if pin, ok := e.(Pin); ok {
					pin.Pin.Value = "v0"
					p.Effects[i] = pin
				}
			}
			return p
		}},
	}
}

func TestLawsCanBeBroken(t *testing.T) {
	seen := map[string]bool{}
	for name, m := range mutants() {
		seen[m.law] = true
		t.Run(name, func(t *testing.T) {
			var told complaints
			s := newStory(&told, m.begin, m.happenings...)
			s.decide = func(o Observed) Plan { return m.change(o, Decide(o)) }
			s.rounds = 150
			func() {
				defer func() {
					if e := recover(); e != nil && e != any(enough{}) {
						panic(e)
					}
				}()
				s.run()
			}()
			if !slices.Contains(told.broken(), m.law) {
				t.Errorf("law %s holds, broken are %v:\n%s", m.law, told.broken(), s.told())
			}
		})
	}
	for _, l := range append(laws(), law{number: "rounds"}) {
		if !seen[l.number] {
			t.Errorf("no mutant breaks law %s", l.number)
		}
	}
}

// The stories of the mutants keep every law when nothing is changed: it is the change that breaks it.
func TestLawsHoldWithoutMutants(t *testing.T) {
	for name, m := range mutants() {
		t.Run(name, func(t *testing.T) { tell(t, m.begin, m.happenings...) })
	}
}
