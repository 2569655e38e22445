package plan

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/workloads"
)

// stages that an attempt and a rest pass, each as a state from which a drawing starts.
func stages() []Observed {
	failed := v1alpha1.OutcomeFailed
	return []Observed{
		atRest(func(o *Observed) { o.Progress = v1alpha1.Progress{} }),
		atRest(func(o *Observed) { o.Progress.Stage = v1alpha1.StageAdopting }),
		atRest(), holding(), pinningState(), pinnedState(),
		entered(1), entered(2), entered(3), baking(1, time.Minute), baking(2, 2*time.Minute), baking(3, time.Minute),
		handing(v1alpha1.StageUnpinning), handing(v1alpha1.StageHandingOver), calledOffState(), calledOffState(offAs("7.41")), handing(v1alpha1.StageCompleting), handing(v1alpha1.StageClearing),
		endingAt(v1alpha1.StageAborting, failed), endingAt(v1alpha1.StageDraining, failed), endingAt(v1alpha1.StageRetiring, failed), heldState(),
	}
}

func coin(t *rapid.T, label string) bool { return rapid.Bool().Draw(t, label) }

// rarely is true in one of eight drawings.
func rarely(t *rapid.T, label string) bool { return rapid.IntRange(0, 7).Draw(t, label) == 7 }

// drawObserved starts from a stage and changes anything that anybody could have changed.
func drawObserved(t *rapid.T) Observed {
	o := rapid.SampledFrom(stages()).Draw(t, "stage")
	o.Now = noon.Add(time.Duration(rapid.IntRange(0, 7200).Draw(t, "seconds later")) * time.Second)
	o.Deleting, o.Suspend = rarely(t, "deleting"), rarely(t, "suspended")
	o.Finalizer = !rarely(t, "finalizer gone")
	if rarely(t, "invalid") {
		problem("ServiceMissing")(&o)
	}
	if rarely(t, "request") {
		asks(rapid.SampledFrom([]string{"promote", "promote-full", "pause", "resume", "abort", "retry", "hurry"}).Draw(t, "verb"),
			rapid.SampledFrom([]string{"v1", "v2", "-"}).Draw(t, "revision"))(&o)
	}
	drawWorkload(t, &o)
	drawTraffic(t, &o)
	drawProgress(t, &o)
	drawGit(t, &o)
	return o
}

func drawWorkload(t *rapid.T, o *Observed) {
	o.Workload.Revisions = slices.Clone(o.Workload.Revisions)
	if coin(t, "pods change") {
		for i := range o.Workload.Revisions {
			r := &o.Workload.Revisions[i]
			r.Replicas = rapid.Int32Range(0, 5).Draw(t, "replicas")
			r.Present = rapid.Int32Range(0, 5).Draw(t, "present")
			r.Ready = rapid.Int32Range(0, r.Present).Draw(t, "ready")
			r.Available = rapid.Int32Range(0, r.Ready).Draw(t, "available")
			if rarely(t, "owner changes") {
				r.Owned, r.Ours = r.Ours, r.Owned
			}
		}
	}
	if rarely(t, "another revision") {
		r := set("v0", rapid.Int32Range(0, 4).Draw(t, "its pods"))
		r.Owned = true
		o.Workload.Revisions = append(o.Workload.Revisions, r)
	}
	if rarely(t, "revisions are gone") {
		o.Workload.Revisions = nil
	}
	if rarely(t, "template changes") {
		template(rapid.SampledFrom([]string{"v1", "v2", "v3"}).Draw(t, "to"))(o)
	}
	if rarely(t, "scaled") {
		o.Workload.Replicas = rapid.Int32Range(0, 6).Draw(t, "workload's replicas")
	}
	if rarely(t, "hold changes") {
		o.Workload.Held = !o.Workload.Held
	}
	if rarely(t, "settled changes") {
		o.Workload.Settled = !o.Workload.Settled
	}
	if rarely(t, "recreated") {
		o.Workload.UID = "another"
	}
	if rarely(t, "gone") {
		o.Workload = workloads.State{}
	}
}

func drawTraffic(t *rapid.T, o *Observed) {
	if coin(t, "endpoints change") {
		o.Canary.Ready = rapid.Int32Range(0, 4).Draw(t, "canary endpoints")
		o.Services[0].Ready = map[string]int32{
			"v1": rapid.Int32Range(0, 4).Draw(t, "stable endpoints"), "v2": rapid.Int32Range(0, 4).Draw(t, "canary's in the Service"),
		}
	}
	o.Canary.Found = o.Canary.Found != rarely(t, "canary Service changes")
	o.Canary.Foreign = rarely(t, "canary Service foreign")
	if rarely(t, "pin changes") {
		o.Services[0].Pinned = !o.Services[0].Pinned
	}
	if rarely(t, "pin is another") {
		o.Services[0].Pin = &routers.Pin{Key: hashKey, Value: "v0"}
	}
	r := &o.Routes[0]
	if rarely(t, "weight changes") && o.Progress.Canary != nil {
		weight(rapid.Int32Range(0, 100).Draw(t, "percent") * 10)(o)
	}
	if rarely(t, "split gone") {
		r.Intent, r.Divided = nil, false
	}
	r.Found, r.Divided = !rarely(t, "route gone"), r.Divided != rarely(t, "divided changes")
	r.Programmed = !rarely(t, "gateway silent")
	if rarely(t, "two routes") {
		second := o.Routes[0]
		second.Ref = routeRef("other")
		second.Programmed = coin(t, "other gateway")
		o.Routes = append(o.Routes, second)
	}
	o.Attempt.Found = o.Attempt.Found != rarely(t, "parameters change")
	if rarely(t, "parameters lost") {
		o.Attempt = AttemptState{Lost: true}
	}
	if rarely(t, "edited") {
		o.LiveDigest = "d2"
	}
}

func drawProgress(t *rapid.T, o *Observed) {
	p := &o.Progress
	p.Paused, p.PromoteFull = rarely(t, "paused"), rarely(t, "promote-full")
	if rarely(t, "a newer controller") && coin(t, "wrote") {
		p.Version++
	}
	if rarely(t, "inconclusive") {
		p.Inconclusive = "no data"
	}
	if coin(t, "measured") {
		says(rapid.SampledFrom([]v1alpha1.Verdict{"Pass", "Fail", "Inconclusive", "Pending", ""}).Draw(t, "verdict"))(o)
	}
	p.ClockElapsed.Duration = time.Duration(rapid.IntRange(0, 300).Draw(t, "clock")) * time.Second
	if rarely(t, "clock stands") && p.Stage == v1alpha1.StageStepping {
		p.ProgrammedSince, p.WaitSince = nil, microPtr(noon.Add(-time.Minute))
	}
	if rarely(t, "a Service retires") {
		p.Retiring = &v1alpha1.RetiringService{Name: "checkout-canary", NotBefore: micro(noon.Add(time.Duration(rapid.IntRange(-60, 3600).Draw(t, "in")) * time.Second))}
	}
	if rarely(t, "known bad") {
		p.Quarantine = []v1alpha1.QuarantinedRevision{{ReplicaSet: "checkout-v2", Revision: "v2"}}
	}
	o.Config.OnInconclusive = rapid.SampledFrom([]v1alpha1.InconclusiveAction{v1alpha1.InconclusivePause, v1alpha1.InconclusiveAbort}).Draw(t, "onInconclusive")
	if rarely(t, "a ramp") {
		drawRamp(t, o)
	} else if rarely(t, "approve step") {
		o.Config.Ladder[1] = Step{Permille: 100, Approve: true, Timeout: time.Hour,
			OnTimeout: rapid.SampledFrom([]v1alpha1.TimeoutAction{v1alpha1.TimeoutAbort, v1alpha1.TimeoutContinue}).Draw(t, "onTimeout")}
	}
	if p.Ending != nil {
		p.Ending.Outcome = rapid.SampledFrom([]v1alpha1.Outcome{
			v1alpha1.OutcomeFailed, v1alpha1.OutcomeAborted, v1alpha1.OutcomeSuperseded, v1alpha1.OutcomeWithdrawn, v1alpha1.OutcomeUndecided,
		}).Draw(t, "outcome")
	}
}

// drawRamp puts a ramp in the place of the ladder. Where a step runs it is one of the ramp's.
func drawRamp(t *rapid.T, o *Observed) {
	o.Config.Ramp = &Ramp{
		From: 10, To: rapid.SampledFrom([]int32{10, 500, 1000}).Draw(t, "to"), Budget: 0.002, Max: time.Duration(rapid.IntRange(1, 90).Draw(t, "minutes")) * time.Minute,
	}
	if o.Progress.Step > 0 {
		o.Progress.Ramp = []int32{10, 20, rapid.SampledFrom([]int32{40, 500, 1000}).Draw(t, "the third weight")}[:o.Progress.Step]
	}
	o.Config.Ladder = RampLadder(*o.Config.Ramp, o.Progress.Ramp)
	if step, ok := o.step(); ok {
		o.Progress.WeightPermille = step.Permille
	}
	if coin(t, "compared") {
		bounded(rapid.SampledFrom([]string{"0.0001", "0.01", "0.5", "+Inf", "NaN", ""}).Draw(t, "bound"))(o)
	}
}

func drawGit(t *rapid.T, o *Observed) {
	o.Git.Configured = !rarely(t, "no Git")
	if rarely(t, "no access") {
		o.Git.Problem = &Problem{"RepositoryMissing", "there is none"}
	}
	if o.Progress.Ending == nil || o.Progress.Canary == nil || o.Progress.Stage == v1alpha1.StageAborting || !coin(t, "reverting") {
		return
	}
	r := v1alpha1.RevertRecord{State: rapid.SampledFrom([]v1alpha1.RevertState{v1alpha1.RevertWanted, v1alpha1.RevertPlanned}).Draw(t, "revert")}
	if coin(t, "located") {
		r.Stable, r.Failed = "c1", "c2"
	}
	if rarely(t, "barrier") {
		r.Barrier, r.BarrierSince = "c9", microPtr(noon.Add(-time.Minute))
	}
	o.Progress.Revert = &r
	if coin(t, "answered") {
		o.Git.Located = &Located{For: "7", Stable: "c1", Failed: "c2"}
		o.Git.Answer = &Answer{For: o.order(), Commit: "r1", Head: "c9", Why: "why", Result: rapid.SampledFrom([]string{
			"Planned", "Committed", "AlreadyReverted", "NotFromGit", "Superseded", "HeadMoved", "Conflict", "PushDenied",
		}).Draw(t, "answer")}
	}
}

// What holds for every decision, whatever was observed.
func TestEveryDecision(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawObserved(t)
		before := o
		before.Progress = *o.Progress.DeepCopy()
		p := Decide(o)
		for _, v := range Check(o, p) {
			t.Errorf("%s: %s in %+v", v.Law, v.Text, p)
		}
		if !reflect.DeepEqual(before, o) {
			t.Error("deciding changed what was observed")
		}
		if again := Decide(o); !reflect.DeepEqual(p, again) {
			t.Errorf("decided %+v, then %+v", p, again)
		}
		if p.Rule == "none" || p.Reason == "" {
			t.Errorf("no rule has a say, or it has no reason: %+v", p)
		}
		if text := wayOut(o, p); text != "" {
			t.Errorf("law way out: %s", text)
		}
		endedStaysEnded(t, o, p)
	})
}

// endedStaysEnded: from the record that an attempt ends on, nothing exposes its canary, and the only way is on.
func endedStaysEnded(t *rapid.T, o Observed, p Plan) {
	if !o.ending() {
		return
	}
	for _, e := range p.Effects {
		switch e := e.(type) {
		case Split, Adopt, CallOff:
			t.Errorf("%+v after the end", e)
		case Release:
			t.Errorf("the hold goes in stage %s", o.Progress.Stage)
		case Canaries:
			if e.Size > 0 {
				t.Errorf("canary pods are started after the end: %+v", e)
			}
		}
	}
	way := map[v1alpha1.Stage][]v1alpha1.Stage{
		v1alpha1.StageAborting: {v1alpha1.StageAborting, v1alpha1.StageDraining},
		v1alpha1.StageDraining: {v1alpha1.StageDraining, v1alpha1.StageRetiring},
		v1alpha1.StageRetiring: {v1alpha1.StageRetiring, v1alpha1.StageHeld, v1alpha1.StageResting},
	}
	if p.Progress != nil && !slices.Contains(way[o.Progress.Stage], p.Progress.Stage) {
		t.Errorf("from %s to %s", o.Progress.Stage, p.Progress.Stage)
	}
}

// misfortunes are what may befall a world at any moment.
var misfortunes = map[string]func(*rapid.T, *world){
	"push": func(t *rapid.T, w *world) {
		w.push(rapid.SampledFrom([]string{"v1", "v2", "v3", "v4"}).Draw(t, "version"))
	},
	"pods lost": func(t *rapid.T, w *world) {
		w.lost[rapid.SampledFrom([]string{"v1", "v2", "v3"}).Draw(t, "whose")] = true
	},
	"adoptions refused":            func(t *rapid.T, w *world) { w.unadopted = coin(t, "refused") },
	"adoption that was on its way": func(_ *rapid.T, w *world) { w.adoptionArrives() },
	"pods back":                    func(_ *rapid.T, w *world) { clear(w.lost) },
	"suspended":                    func(t *rapid.T, w *world) { w.suspend = coin(t, "suspend") },
	"invalid":                      func(_ *rapid.T, w *world) { w.problems = []Problem{{"ServiceMissing", "it is gone"}} },
	"valid":                        func(_ *rapid.T, w *world) { w.problems = nil },
	"scaled":                       func(t *rapid.T, w *world) { w.scale(rapid.Int32Range(0, 6).Draw(t, "replicas")) },
	"recreated":                    func(t *rapid.T, w *world) { w.recreate(rapid.SampledFrom([]string{"v1", "v2"}).Draw(t, "at")) },
	"gateway":                      func(t *rapid.T, w *world) { w.stuck = coin(t, "stuck") },
	"let loose":                    func(_ *rapid.T, w *world) { w.loosen() },
	"restarted":                    func(_ *rapid.T, w *world) { w.restart("v1-restarted") },
	"Git answer": func(t *rapid.T, w *world) {
		w.git.answers = append(w.git.answers, Answer{Result: rapid.SampledFrom([]string{"Conflict", "HeadMoved", "Superseded"}).Draw(t, "result"), Head: "c9"})
	},
	"bad": func(t *rapid.T, w *world) {
		w.verdicts["v3"] = rapid.SampledFrom([]v1alpha1.Verdict{"Fail", "Inconclusive", "Pending"}).Draw(t, "verdict")
	},
	"request": func(t *rapid.T, w *world) {
		w.made++
		w.request = &Request{Verb: rapid.SampledFrom([]string{"promote", "promote-full", "pause", "resume", "abort", "retry"}).Draw(t, "verb"), Revision: "-", Token: string(rune('a' + w.made))}
	},
}

// Whatever happens in whatever order: no law is broken, an ended attempt gets no weight again, and when it stops
// happening the controller comes to rest, or waits for a person and says for what.
func TestEveryStoryEnds(t *testing.T) {
	names := make([]string, 0, len(misfortunes))
	for name := range misfortunes {
		names = append(names, name)
	}
	slices.Sort(names)
	rapid.Check(t, func(t *rapid.T) {
		var begin func(*world)
		if rarely(t, "a ramp") {
			begin = rampsOn(rapid.SampledFrom([]float64{1, 100}).Draw(t, "requests a second"))
		}
		s := newStory(t, begin)
		s.unserved = true
		if coin(t, "neighbours take their time") {
			s.world.shuffle("", rapid.Uint64().Draw(t, "order"))
		}
		for range rapid.IntRange(1, 25).Draw(t, "happenings") {
			for range rapid.IntRange(0, 12).Draw(t, "rounds") {
				s.round()
			}
			name := rapid.SampledFrom(names).Draw(t, "happens")
			s.lines = append(s.lines, "          — "+name)
			misfortunes[name](t, s.world)
			s.world.neighbours()
		}
		w := s.world
		clear(w.lost)
		w.stuck, w.suspend, w.problems, w.git.answers, w.unadopted = false, false, nil, nil, false
		s.rounds = restWithin
		if w.chance != nil {
			s.rounds *= 10
		}
		if begin != nil {
			s.rounds *= 4 // a ramp looks at every tick of its comparison
		}
		s.run()
		s.rescue()
	})
}
