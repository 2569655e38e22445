package plan

import (
	"testing"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// pushes has a version committed and applied.
func pushes(version string, when func(Observed, Plan) bool) happening {
	return happening{version + " is pushed", when, func(w *world) { w.push(version) }}
}

// personSays writes a request.
func personSays(verb, revision string, when func(Observed, Plan) bool) happening {
	return happening{"a person says " + verb, when, func(w *world) {
		w.made++
		w.request = &Request{Verb: verb, Revision: revision, Token: verb + "-" + w.now.Format("150405"), User: "jo"}
	}}
}

func happens(say string, when func(Observed, Plan) bool, do func(*world)) happening {
	return happening{say, when, do}
}

// fails has the metric fail for v2; lacks has it stay without a conclusion.
func fails(w *world) { w.verdicts["v2"] = v1alpha1.VerdictFail }
func lacks(w *world) { w.verdicts["v2"] = v1alpha1.VerdictInconclusive }

// measures has the metric say something for a version; sick has its pods never get ready.
func measures(version string, v v1alpha1.Verdict) func(*world) {
	return func(w *world) { w.verdicts[version] = v }
}

func sick(version string) func(*world) { return func(w *world) { w.sick[version] = true } }

// loses takes every pod of a version away.
func loses(version string, when func(Observed, Plan) bool) happening {
	return happens("every pod of "+version+" is lost", when, func(w *world) { w.lost[version] = true })
}

// approving has a person between the first step and the last.
func approving(onTimeout v1alpha1.TimeoutAction) func(*world) {
	return func(w *world) {
		w.live.config.Ladder = []Step{
			{Permille: 100, Bake: time.Minute},
			{Permille: 100, Approve: true, Timeout: time.Hour, OnTimeout: onTimeout},
			{Permille: 1000, Appended: true},
		}
	}
}

var v2Shipped = pushes("v2", quiet)

func TestStories(t *testing.T) {
	after := func(answers ...Answer) func(*world) {
		return func(w *world) { fails(w); w.git.answers = answers }
	}
	tests := map[string]struct {
		begin      func(*world)
		happenings []happening
	}{
		"good":                 {nil, []happening{v2Shipped}},
		"bad":                  {fails, []happening{v2Shipped}},
		"back and forth":       {nil, []happening{v2Shipped, pushes("v1", quiet), pushes("v2", quiet)}},
		"superseded":           {nil, []happening{v2Shipped, pushes("v3", bakes(2))}},
		"superseded twice":     {nil, []happening{v2Shipped, pushes("v3", bakes(2)), pushes("v4", waitsIn(v1alpha1.StageDraining))}},
		"withdrawn":            {nil, []happening{v2Shipped, pushes("v1", bakes(2))}},
		"aborted by a person":  {nil, []happening{v2Shipped, personSays("abort", "v2", bakes(2))}},
		"promoted by a person": {nil, []happening{v2Shipped, personSays("promote", "v2", bakes(1)), personSays("promote-full", "-", bakes(2))}},
		"paused and resumed": {nil, []happening{
			v2Shipped, personSays("pause", "v2", bakes(1)), personSays("resume", "v2", atRule("waitingForPerson")),
		}},
		"approved":               {approving(v1alpha1.TimeoutAbort), []happening{v2Shipped, personSays("promote", "v2", atRule("waitingForPerson"))}},
		"approval timed out":     {approving(v1alpha1.TimeoutAbort), []happening{v2Shipped}},
		"approval over, goes on": {approving(v1alpha1.TimeoutContinue), []happening{v2Shipped}},
		"never ready":            {func(w *world) { w.sick["v2"] = true }, []happening{v2Shipped}},
		"gateway programs nothing": {nil, []happening{
			v2Shipped,
			happens("the gateway stops", bakes(1), func(w *world) { w.stuck = true }),
			happens("the gateway is back", inStage(v1alpha1.StageHeld), func(w *world) { w.stuck = false }),
		}},
		"canary lost and back": {nil, []happening{
			v2Shipped,
			happens("every canary pod is lost", bakes(2), func(w *world) { w.lost["v2"] = true }),
			happens("the canary pods are back", atRule("podsPending"), func(w *world) { w.lost["v2"] = false }),
		}},
		"canary lost for good":        {nil, []happening{v2Shipped, happens("every canary pod is lost", bakes(2), func(w *world) { w.lost["v2"] = true })}},
		"canary lost at the handover": {nil, []happening{v2Shipped, happens("every canary pod is lost", inStage(v1alpha1.StageUnpinning), func(w *world) { w.lost["v2"] = true })}},
		"suspended and taken up again": {nil, []happening{
			v2Shipped,
			happens("the Rollout is suspended", bakes(1), func(w *world) { w.suspend = true }),
			happens("the Rollout is taken up again", atRule("waitingForPerson"), func(w *world) { w.suspend = false }),
		}},
		"suspended for good": {nil, []happening{v2Shipped, happens("the Rollout is suspended", bakes(1), func(w *world) { w.suspend = true })}},
		"suspended at rest": {nil, []happening{
			happens("the Rollout is suspended", quiet, func(w *world) { w.suspend = true }),
			v2Shipped,
			happens("the Rollout is taken up again", atRule("suspended"), func(w *world) { w.suspend = false }),
		}},
		"invalid in flight": {nil, []happening{v2Shipped, happens("the route is taken out of the Rollout's reach", bakes(2), func(w *world) {
			w.problems = []Problem{{"RouteMissing", "spec.routes: HTTPRoute shop does not exist: create it, or correct the name"}}
		})}},
		"deleted in flight": {nil, []happening{v2Shipped, happens("the Rollout is deleted", bakes(2), func(w *world) { w.deleting = true })}},
		"deleted at rest":   {nil, []happening{happens("the Rollout is deleted", quiet, func(w *world) { w.deleting = true })}},
		"deleted at the handover": {nil, []happening{v2Shipped, happens("the Rollout is deleted", inStage(v1alpha1.StageHandingOver), func(w *world) {
			w.deleting = true
		})}},
		"workload recreated": {nil, []happening{v2Shipped, happens("the Deployment is deleted and recreated at v2", bakes(2), func(w *world) { w.recreate("v2") })}},
		"scaled mid-rollout": {nil, []happening{v2Shipped, happens("the Deployment is scaled to 8", bakes(3), func(w *world) { w.scale(8) })}},
		"known bad again":    {fails, []happening{v2Shipped, pushes("v2", quiet)}},
		"known bad after a promotion": {fails, []happening{
			v2Shipped, pushes("v3", quiet), pushes("v2", atHandOver("the workload takes the canary's ReplicaSet over")),
		}},
		"tried again": {fails, []happening{
			happens("Git is not to be written", quiet, func(w *world) { w.git.git.Off = "spec.git.mode is Off" }),
			v2Shipped,
			happens("the cause is mended", waitsIn(v1alpha1.StageHeld), func(w *world) { delete(w.verdicts, "v2") }),
			personSays("retry", "v2", waitsIn(v1alpha1.StageHeld)),
		}},
		"inconclusive, resumed": {lacks, []happening{
			v2Shipped,
			happens("metrics are back", func(o Observed, p Plan) bool { return o.Progress.Inconclusive != "" && p.Progress == nil }, func(w *world) { delete(w.verdicts, "v2") }),
			personSays("resume", "v2", atRule("waitingForPerson")),
		}},
		"inconclusive, promoted": {lacks, []happening{
			v2Shipped,
			personSays("promote-full", "v2", func(o Observed, p Plan) bool { return o.Progress.Inconclusive != "" && p.Progress == nil }),
		}},
		"inconclusive, abort": {func(w *world) { lacks(w); w.live.config.OnInconclusive = v1alpha1.InconclusiveAbort }, []happening{v2Shipped}},
		"nothing measured": {func(w *world) { w.verdicts["v2"] = v1alpha1.VerdictPending }, []happening{
			v2Shipped,
			personSays("abort", "v2", func(o Observed, p Plan) bool { return o.Progress.Inconclusive != "" && p.Progress == nil }),
		}},
		"Git has an unrelated change": {after(Answer{Result: "HeadMoved", Head: "c9"}), []happening{v2Shipped}},
		"Git has the fix": {after(Answer{Result: "HeadMoved", Head: "c-v3"}), []happening{
			v2Shipped, pushes("v3", func(o Observed, _ Plan) bool { r := o.Progress.Revert; return r != nil && r.Barrier != "" }),
		}},
		"Git has a conflict": {after(Answer{Result: "Conflict", Why: "apps/checkout.yaml was changed in the same place: take the change out by hand"}), []happening{
			v2Shipped, pushes("v3", waitsIn(v1alpha1.StageHeld)),
		}},
		"not from Git": {after(Answer{Result: "NotFromGit", Why: "the files are the same at both commits"}), []happening{
			v2Shipped, happens("a person undoes it", waitsIn(v1alpha1.StageHeld), func(w *world) { w.apply("v1", "c1") }),
		}},
		"newer template at the handover":           {nil, []happening{v2Shipped, pushes("v3", inStage(v1alpha1.StageUnpinning))}},
		"newer template after adoption":            {nil, []happening{v2Shipped, pushes("v3", atHandOver("the workload takes the canary's ReplicaSet over"))}},
		"newer template before anything was known": {nil, []happening{pushes("v2", func(o Observed, _ Plan) bool { return o.Workload.Governor == "" && o.Finalizer })}},
		"restarted, and a release at its end": {nil, []happening{happens("kubectl rollout restart, and v2 before that is recorded", quiet, func(w *world) {
			w.restart("v1-restarted")
			w.neighbours()
			w.push("v2")
		})}},
		"a release in the middle of a restart": {nil, []happening{
			happens("kubectl rollout restart", quiet, func(w *world) { w.midway = true; w.restart("v1-restarted") }),
			happens("v2 is pushed", func(o Observed, p Plan) bool { return o.Progress.Stage == v1alpha1.StageAdopting && p.Progress == nil }, func(w *world) {
				w.midway = false
				w.push("v2")
			}),
		}},
		"approval over, nothing measured": {func(w *world) {
			approving(v1alpha1.TimeoutContinue)(w)
			w.live.config.StartAt = 2
			w.verdicts["v2"] = v1alpha1.VerdictPending
		}, []happening{v2Shipped, personSays("abort", "v2", func(o Observed, p Plan) bool { return o.Progress.Inconclusive != "" && p.Progress == nil })}},
		"spec.git taken out": {after(), []happening{v2Shipped, happens("spec.git is taken out", inStage(v1alpha1.StageDraining), func(w *world) { w.git.git.Configured = false })}},
		"let through while Git is asked": {after(Answer{Result: "HeadMoved", Head: "c9"}), []happening{
			v2Shipped, happens("a person resumes the held Deployment", waitsIn(v1alpha1.StageHeld), (*world).loosen),
		}},
		"undone before Git answers": {fails, []happening{
			v2Shipped, happens("a person undoes it", inStage(v1alpha1.StageDraining), func(w *world) { w.apply("v1", "c1") }),
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := tell(t, tc.begin, tc.happenings...)
			s.golden(name)
			s.rescue()
		})
	}
}

// Without anything to protect a new template must not be blocked; nobody is served meanwhile.
func TestStoriesWithoutStable(t *testing.T) {
	tests := map[string]struct {
		begin      func(*world)
		happenings []happening
	}{
		"first deployment": {func(w *world) { w.sick["v1"] = true }, []happening{
			happens("v1 comes up", atRule("adopting"), func(w *world) { delete(w.sick, "v1") }),
		}},
		"promoted pods fail": {nil, []happening{
			v2Shipped,
			happens("every promoted pod fails", atHandOver("the hold goes: the canary's pods are the workload's own"), func(w *world) { w.sick["v2"] = true }),
			pushes("v3", waitsIn(v1alpha1.StageCompleting)),
		}},
		"first deployment never worked": {func(w *world) { w.sick["v1"] = true }, []happening{pushes("v2", atRule("adopting"))}},
		"stable broken":                 {nil, []happening{happens("every stable pod fails", quiet, func(w *world) { w.sick["v1"] = true }), v2Shipped}},
		"scaled to zero":                {nil, []happening{happens("the Deployment is scaled to zero", quiet, func(w *world) { w.scale(0) }), v2Shipped}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, tc.begin, tc.happenings...)
			s.unserved = true
			s.run().golden(name)
		})
	}
}

// atHandOver is when the hand-over says a sentence.
func atHandOver(reason string) func(Observed, Plan) bool {
	return func(_ Observed, p Plan) bool { return p.Rule == "handOver" && p.Reason == reason }
}

// Pods that come and go faster than the gateways settle let the clock get nowhere; that ends as pods that never came.
func TestStoryFlappingCanary(t *testing.T) {
	s := newStory(t, nil, v2Shipped,
		happens("the canary pods come and go", bakes(2), func(w *world) { w.flapping = "v2" }),
		happens("they stay away", inStage(v1alpha1.StageAborting), func(w *world) { w.flapping = "" }),
	)
	s.unserved, s.rounds = true, 2000
	s.run()
	p := s.world.progress
	if p.Ending == nil || p.Ending.Outcome == v1alpha1.OutcomePromoted || p.Ending.At.Sub(p.StartedAt.Time) > 15*time.Minute {
		t.Errorf("ended as %+v", p.Ending)
	}
}
