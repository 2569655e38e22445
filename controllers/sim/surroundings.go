package sim

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/controllers/sim/cluster"
	"github.com/belay-dev/belay/controllers/sim/delivery"
)

// surroundings are mishaps of everything around the controller.
var surroundings = []fault{
	{"a late gateway", func(w *World) { w.gateways(cluster.Late) }},
	{"a stuck gateway", func(w *World) { w.gateways(cluster.Stuck) }},
	{"a gateway that reports the old form", func(w *World) { w.gateways(cluster.Stale) }},
	{"a gateway that refuses", func(w *World) { w.gateways(cluster.Refusing) }},
	{"flapping pods", func(w *World) { w.excused = true; w.healths(cluster.Flapping) }},
	{"slow pods", func(w *World) { w.healths(cluster.Slow) }},
	{"vanishing pods", func(w *World) { w.excused = true; w.repeat(5*time.Second, 60*time.Second, "a node is lost", w.vanish) }},
	{"a scaling storm", func(w *World) { w.excused = true; w.repeat(2*time.Second, 20*time.Second, "somebody scales", w.scale) }},
	{"slow metrics", func(w *World) { w.measures(delivery.SourceFaults{Slow: 0.3, Silent: 0.1, Late: 0.3}) }},
	{"metrics without a value", func(w *World) { w.measures(delivery.SourceFaults{NaN: 0.3, Empty: 0.3}) }},
	{"metrics that fail", func(w *World) { w.measures(delivery.SourceFaults{Broken: 0.5, Misconfigured: 0.05, Several: 0.05}) }},
	{"no metrics at all", func(w *World) { w.measures(delivery.SourceFaults{Empty: 1}) }},
	{"lying metrics", func(w *World) { w.lied = true; w.measures(delivery.SourceFaults{Lying: 0.5}) }},
	{"slow Git", func(w *World) { w.git.Faults = delivery.Faults{Least: time.Second, Most: 70 * time.Second} }},
	{"Git down", func(w *World) { w.git.Faults = delivery.Faults{Down: 0.8, Unanswered: 0.1} }},
	{"Git refuses", func(w *World) { w.git.Faults = delivery.Faults{Denied: true} }},
	{"Git locked", func(w *World) { w.git.Faults = delivery.Faults{Locked: true} }},
	{"racing commits", func(w *World) { w.git.Faults = delivery.Faults{Racing: 0.5, Unanswered: 0.2} }},
	{"an agent that stops", func(w *World) { w.repeat(5*time.Second, 60*time.Second, "the agent stops", w.agentStops) }},
	{"people with kubectl", func(w *World) {
		w.excused, w.scaled, w.recreated = true, true, true
		w.repeat(3*time.Second, 30*time.Second, "somebody meddles", w.meddle)
	}},
	{"impatient people", func(w *World) {
		w.repeat(5*time.Second, 40*time.Second, "somebody asks", func() { w.asks(verbs[w.schedule.Rand().IntN(len(verbs))]) })
	}},
}

// gateways has the gateway misbehave now and then.
func (w *World) gateways(mode cluster.GatewayMode) {
	w.excused, w.slowGateway = true, true
	w.repeat(0, 40*time.Second, "the gateway changes", func() {
		m := mode
		if w.schedule.Chance(0.5) {
			m = cluster.Prompt
		}
		w.say("the gateway is %q", m)
		w.cluster.SetGateway(m)
	})
}

// healths has images fall ill and get well.
func (w *World) healths(h cluster.Health) {
	w.repeat(0, 40*time.Second, "pods fall ill", func() {
		image := w.images[w.schedule.Rand().IntN(len(w.images))]
		if w.truth[image] == sick {
			return
		}
		is := h
		if w.schedule.Chance(0.5) {
			is = cluster.Healthy
		}
		w.say("pods of %s are %q", image, is)
		w.cluster.SetHealth(image, is)
	})
}

func (w *World) vanish() {
	pods := w.cluster.Pods()
	if len(pods) == 0 {
		return
	}
	p := pods[w.schedule.Rand().IntN(len(pods))]
	w.say("pod %s vanishes with its node", p.Name)
	w.cluster.Vanish(types.NamespacedName{Namespace: p.Namespace, Name: p.Name})
}

// measures has the source of metrics misbehave, with pauses.
func (w *World) measures(f delivery.SourceFaults) {
	w.metrics.Faults = f
	w.repeat(20*time.Second, 80*time.Second, "the metrics change", func() {
		if w.metrics.Faults == (delivery.SourceFaults{}) {
			w.metrics.Faults = f
		} else {
			w.metrics.Faults = delivery.SourceFaults{}
		}
	})
}

func (w *World) agentStops() {
	w.say("the agent stops")
	w.agent.Stop()
	w.schedule.After(w.schedule.Between(5*time.Second, 90*time.Second), "the agent goes on", w.agent.Resume)
}
