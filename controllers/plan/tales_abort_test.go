package plan

import (
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// aborts are attempts that a verdict or a person ends, at every step, and what comes after.
func aborts() map[string]tale {
	return map[string]tale{
		"bad":                           {begin: fails, happenings: []happening{v2Shipped}},
		"aborted while pinning":         {happenings: []happening{v2Shipped, personSays("abort", "v2", inStage(v1alpha1.StagePinning))}},
		"aborted before a pod is ready": {begin: sick("v2"), happenings: []happening{v2Shipped, personSays("abort", "-", waitsIn(v1alpha1.StageStepping))}},
		"aborted at step 1":             {happenings: []happening{v2Shipped, personSays("abort", "v2", bakes(1))}},
		"aborted by a person":           {happenings: []happening{v2Shipped, personSays("abort", "v2", bakes(2))}},
		"aborted at step 3":             {happenings: []happening{v2Shipped, personSays("abort", "v2", bakes(3))}},
		"aborted while unpinning":       {happenings: []happening{v2Shipped, personSays("abort", "v2", inStage(v1alpha1.StageUnpinning))}},
		"abort comes too late":          {happenings: []happening{v2Shipped, personSays("abort", "v2", inStage(v1alpha1.StageHandingOver))}},
		"aborted while a person is waited for": {
			begin: approving(v1alpha1.TimeoutAbort), happenings: []happening{v2Shipped, personSays("abort", "v2", atRule("waitingForPerson"))},
		},
		"bad at step 2":       {happenings: []happening{v2Shipped, happens("the metric fails", bakes(2), fails)}},
		"bad at step 3":       {happenings: []happening{v2Shipped, happens("the metric fails", bakes(3), fails)}},
		"bad while unpinning": {happenings: []happening{v2Shipped, happens("the metric fails", inStage(v1alpha1.StageUnpinning), fails)}},
		"an older version fails": {happenings: []happening{
			v2Shipped, happens("v1 is pushed again, and does not work any more", quiet, func(w *world) {
				measures("v1", v1alpha1.VerdictFail)(w)
				w.push("v1")
			}),
		}},
		"approval timed out": {begin: approving(v1alpha1.TimeoutAbort), happenings: []happening{v2Shipped}},
		"approval over, nothing measured": {begin: func(w *world) {
			approving(v1alpha1.TimeoutContinue)(w)
			w.live.config.StartAt = 2
			w.verdicts["v2"] = v1alpha1.VerdictPending
		}, happenings: []happening{v2Shipped, personSays("abort", "v2", inDoubt)}},
		"inconclusive, abort": {begin: func(w *world) { lacks(w); w.live.config.OnInconclusive = v1alpha1.InconclusiveAbort }, happenings: []happening{v2Shipped}},
		"nothing measured":    {begin: measures("v2", v1alpha1.VerdictPending), happenings: []happening{v2Shipped, personSays("abort", "v2", inDoubt)}},
		"metrics gone and back": {happenings: []happening{
			v2Shipped,
			happens("the metrics are gone", bakes(2), lacks),
			happens("the metrics are back", inDoubt, func(w *world) { delete(w.verdicts, "v2") }),
			personSays("resume", "v2", atRule("waitingForPerson")),
		}},
		"metrics gone for good": {happenings: []happening{
			v2Shipped, happens("the metrics are gone", bakes(2), lacks), personSays("abort", "v2", inDoubt),
		}},
		"known bad again": {begin: fails, happenings: []happening{v2Shipped, pushes("v2", quiet)}},
		"known bad after a promotion": {begin: fails, happenings: []happening{
			v2Shipped, pushes("v3", quiet), pushes("v2", atHandOver(adopts)),
		}, or: "Held with stable shop:v1, template v2, held: true; ended: v2 Failed, v3 Superseded; reverted: c-v2, Skipped KnownBadRevision; pods: 4 of v1 for the deployment"},
		"tried again": {begin: fails, happenings: []happening{
			happens("Git is not to be written", quiet, func(w *world) { w.git.git.Off = "spec.git.mode is Off" }),
			v2Shipped,
			happens("the cause is mended", waitsIn(v1alpha1.StageHeld), func(w *world) { delete(w.verdicts, "v2") }),
			personSays("retry", "v2", waitsIn(v1alpha1.StageHeld)),
		}},
	}
}

// troubles are pods, routes and policies that are not what they should be.
func troubles() map[string]tale {
	lacksPolicy := func(name string, when func(Observed, Plan) bool) happening {
		return happens("the "+name+" policy is deleted", when, func(w *world) { w.missing[name] = true })
	}
	// Whether pods or their share are missed at the deadline is a matter of the moment.
	const flapped = "Resting with stable shop:v1, template v1, held: false; ended: v2 Failed; reverted: c-v2, Pushed Pushed; pods: 4 of v1 for the deployment"
	impatient := func(w *world) { w.live.config.Progress = time.Minute }
	// No adoption gets through, and nobody waits for it for long.
	unadopted := func(w *world) { w.unadopted, w.live.config.Progress = true, 2*time.Minute }
	decidesTo := func(does func(p *v1alpha1.Progress) bool) func(Observed, Plan) bool {
		return func(_ Observed, p Plan) bool { return p.Progress != nil && does(p.Progress) }
	}
	callsOff := decidesTo(func(p *v1alpha1.Progress) bool { return p.CalledOff != nil })
	stableIsMissed := func(o Observed, p Plan) bool { return o.Progress.StableLostSince != nil && p.Progress == nil }
	return map[string]tale{
		"never ready": {begin: sick("v2"), happenings: []happening{v2Shipped}},
		// Pods that come and go faster than the gateways settle let the clock get nowhere; that ends as pods that never came.
		"flapping canary": {begin: impatient, unserved: true, or: flapped, happenings: []happening{
			v2Shipped,
			happens("the canary pods come and go", bakes(2), func(w *world) { w.flapping = "v2" }),
			happens("they stay away", isEnding, func(w *world) { w.flapping = "" }),
		}},
		"canary lost and back":        {happenings: []happening{v2Shipped, loses("v2", bakes(2)), regains("v2", atRule("podsPending"))}},
		"canary lost for good":        {happenings: []happening{v2Shipped, loses("v2", bakes(2))}},
		"canary lost at the handover": {happenings: []happening{v2Shipped, loses("v2", inStage(v1alpha1.StageUnpinning))}},
		"hand-over called off":        {begin: unadopted, happenings: []happening{v2Shipped}},
		"hand-over called off, and an adoption comes after": {begin: unadopted, happenings: []happening{
			v2Shipped, happens("an adoption arrives that was on its way", isEnding, (*world).adoptionArrives),
		}},
		"hand-over called off too late": {begin: unadopted, happenings: []happening{
			v2Shipped, happens("an adoption arrives that was on its way", callsOff, (*world).adoptionArrives),
		}},
		"pods lost at the handover": {happenings: []happening{
			v2Shipped, loses("v2", decidesTo(func(p *v1alpha1.Progress) bool { return p.Stage == v1alpha1.StageHandingOver })),
		}},
		"newer template before adoption": {happenings: []happening{
			v2Shipped, pushes("v3", decidesTo(func(p *v1alpha1.Progress) bool { return p.Stage == v1alpha1.StageHandingOver })),
		}},
		"stable broken":            {unserved: true, happenings: []happening{happens("every stable pod fails", quiet, sick("v1")), v2Shipped}},
		"stable lost in flight":    {unserved: true, happenings: []happening{v2Shipped, loses("v1", bakes(2))}},
		"stable lost for a moment": {unserved: true, happenings: []happening{v2Shipped, loses("v1", bakes(2)), regains("v1", stableIsMissed)}},
		"scaled to zero":           {unserved: true, happenings: []happening{happens("the Deployment is scaled to zero", quiet, func(w *world) { w.scale(0) }), v2Shipped}},
		"first deployment": {begin: sick("v1"), unserved: true, happenings: []happening{
			happens("v1 comes up", atRule("adopting"), func(w *world) { delete(w.sick, "v1") }),
		}},
		"first deployment never worked": {begin: sick("v1"), unserved: true, happenings: []happening{pushes("v2", atRule("adopting"))}},
		"promoted pods fail": {unserved: true, happenings: []happening{
			v2Shipped, happens("every promoted pod fails", atHandOver(letsGo), sick("v2")), pushes("v3", waitsIn(v1alpha1.StageCompleting)),
		}},
		"gateway programs nothing": {happenings: []happening{
			v2Shipped,
			happens("the gateway stops", bakes(1), func(w *world) { w.stuck = true }),
			happens("the gateway is back", inStage(v1alpha1.StageHeld), func(w *world) { w.stuck = false }),
		}},
		"workload recreated":             {happenings: []happening{v2Shipped, happens("the Deployment is deleted and recreated at v2", bakes(2), func(w *world) { w.recreate("v2") })}},
		"parameters deleted in flight":   {happenings: []happening{v2Shipped, happens("the attempt's ConfigMap is deleted", bakes(2), func(w *world) { w.attempt = AttemptState{} })}},
		"hold policy missing":            {happenings: []happening{lacksPolicy("hold", quiet), v2Shipped}},
		"pin policy missing":             {begin: impatient, happenings: []happening{lacksPolicy("pin", quiet), v2Shipped}},
		"split policy missing":           {happenings: []happening{lacksPolicy("split", quiet), v2Shipped}},
		"split policy deleted in flight": {happenings: []happening{v2Shipped, lacksPolicy("split", bakes(2))}},
		"policy API missing": {happenings: []happening{
			happens("the API server is set back to one without the policies' API", quiet, func(w *world) {
				w.missing["hold"] = true
				w.problems = []Problem{{"PolicyAPIMissing", "the API server does not serve MutatingAdmissionPolicy: it takes Kubernetes 1.36 or newer"}}
			}),
			pushes("v2", atRule("invalid")),
			happens("the API is back", atRule("invalid"), func(w *world) { w.missing["hold"], w.problems = false, nil }),
		}},
	}
}
