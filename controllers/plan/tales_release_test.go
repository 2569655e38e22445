package plan

import (
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
)

// releases end in a promotion, of this version or of the one that overtook it.
func releases() map[string]tale {
	splitByOther := func(w *world) { w.routes[0].other = &routers.Split{Service: "cart"} }
	otherIsOver := func(w *world) { w.routes[0].other = nil }
	stalled := func(o Observed, p Plan) bool { return p.Stalled != nil }
	return map[string]tale{
		"good":           {happenings: []happening{v2Shipped}},
		"back and forth": {happenings: []happening{v2Shipped, pushes("v1", quiet), pushes("v2", quiet)}},
		"two routes": {
			begin:      func(w *world) { w.routes = append(w.routes, &route{name: "shop-internal", programmed: true}) },
			happenings: []happening{v2Shipped},
		},
		"steps of a thousandth": {
			begin: func(w *world) {
				w.live.config.Scale = 1000
				w.live.config.Ladder = []Step{{Permille: 5, Bake: time.Minute}, {Permille: 255, Bake: time.Minute}, {Permille: 1000, Appended: true}}
			},
			happenings: []happening{v2Shipped},
		},
		"nothing to measure": {
			begin:      func(w *world) { w.live.config.Measuring, w.live.config.Gating = false, false },
			happenings: []happening{v2Shipped},
		},
		"measured from step 2 on": {begin: func(w *world) { w.live.config.StartAt = 2 }, happenings: []happening{v2Shipped}},
		"the agent names no commit": {
			begin: func(w *world) { w.deployment.source = "" },
			happenings: []happening{happens("v2 is pushed, and applied without a word of its commit", quiet, func(w *world) {
				w.push("v2")
				w.deployment.source = ""
			})},
		},
		"superseded":           {happenings: []happening{v2Shipped, pushes("v3", bakes(2))}},
		"superseded twice":     {happenings: []happening{v2Shipped, pushes("v3", bakes(2)), pushes("v4", waitsIn(v1alpha1.StageDraining))}},
		"withdrawn":            {happenings: []happening{v2Shipped, pushes("v1", bakes(2))}},
		"promoted by a person": {happenings: []happening{v2Shipped, personSays("promote", "v2", bakes(1)), personSays("promote-full", "-", bakes(2))}},
		"paused and resumed":   {happenings: []happening{v2Shipped, personSays("pause", "v2", bakes(1)), personSays("resume", "v2", atRule("waitingForPerson"))}},
		"approved":             {begin: approving(v1alpha1.TimeoutAbort), happenings: []happening{v2Shipped, personSays("promote", "v2", atRule("waitingForPerson"))}},
		"approval over, goes on": {
			begin: approving(v1alpha1.TimeoutContinue), happenings: []happening{v2Shipped},
		},
		"inconclusive, promoted": {begin: lacks, happenings: []happening{v2Shipped, personSays("promote-full", "v2", inDoubt)}},
		"inconclusive, resumed": {begin: lacks, happenings: []happening{
			v2Shipped,
			happens("metrics are back", inDoubt, func(w *world) { delete(w.verdicts, "v2") }),
			personSays("resume", "v2", atRule("waitingForPerson")),
		}},
		"scaled mid-rollout":      {happenings: []happening{v2Shipped, happens("the Deployment is scaled to 8", bakes(3), func(w *world) { w.scale(8) })}},
		"scaled down mid-rollout": {happenings: []happening{v2Shipped, happens("the Deployment is scaled to 2", bakes(2), func(w *world) { w.scale(2) })}},
		"scaled at the handover": {happenings: []happening{
			v2Shipped, happens("the Deployment is scaled to 6", inStage(v1alpha1.StageUnpinning), func(w *world) { w.scale(6) }),
		}},
		"newer template at the handover": {happenings: []happening{v2Shipped, pushes("v3", inStage(v1alpha1.StageUnpinning))}},
		"newer template after adoption": {happenings: []happening{v2Shipped, pushes("v3", atHandOver(adopts))},
			or: "Resting with stable shop:v3, template v3, held: false; ended: v2 Superseded, v3 Promoted; reverted: , none; pods: 4 of v3 for the deployment"},
		"newer template before anything was known": {happenings: []happening{pushes("v2", comesUnderGuard)},
			or: "Resting with stable shop:v2, template v2, held: false; ended: ; reverted: , none; pods: 4 of v2 for the deployment"},
		"restarted, and a release at its end": {happenings: []happening{happens("kubectl rollout restart, and v2 before that is recorded", quiet, func(w *world) {
			w.restart("v1-restarted")
			w.rollOut()
			w.push("v2")
		})}},
		"a release in the middle of a restart": {happenings: []happening{
			happens("kubectl rollout restart", quiet, func(w *world) { w.midway = true; w.restart("v1-restarted") }),
			happens("v2 is pushed", func(o Observed, p Plan) bool { return o.Progress.Stage == v1alpha1.StageAdopting && p.Progress == nil }, func(w *world) {
				w.midway = false
				w.push("v2")
			}),
		}},
		"edited in flight": {happenings: []happening{
			v2Shipped,
			happens("the ladder in the Rollout is one step from now on", bakes(1), func(w *world) {
				w.live = rolloutSpec{w.live.config, "d2"}
				w.live.config.Ladder = []Step{{Permille: 1000, Bake: time.Minute}}
			}),
			pushes("v3", quiet),
		}},
		"edited as the attempt begins": {happenings: []happening{
			happens("v2 is pushed, and the ladder is edited when the attempt is recorded", quiet, func(w *world) { w.push("v2") }),
			happens("the ladder is one step from now on", func(_ Observed, p Plan) bool { return p.Progress != nil && p.Progress.Stage == v1alpha1.StagePinning }, func(w *world) {
				w.live = rolloutSpec{w.live.config, "d2"}
				w.live.config.Ladder = []Step{{Permille: 1000, Bake: time.Minute}}
			}),
		}},
		"route contested": {happenings: []happening{
			happens("another Rollout splits the route, and v2 is pushed", quiet, func(w *world) { splitByOther(w); w.push("v2") }),
			happens("the other's attempt is over", stalled, otherIsOver),
		}},
		"route contested while pinning": {happenings: []happening{
			v2Shipped,
			happens("another Rollout splits the route first", inStage(v1alpha1.StagePinning), splitByOther),
			happens("the other's attempt is over", stalled, otherIsOver),
		}},
	}
}
