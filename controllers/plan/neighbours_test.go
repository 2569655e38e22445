package plan

import (
	"maps"
	"slices"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// neighbours lets the Deployment's controller, the pods, the endpoints, the gateway and the agent do what they do. With
// chance each of them acts, or does not get to it this time.
func (w *world) neighbours() {
	if w.acts() && w.deployment.found && !w.deployment.held {
		w.roll()
	}
	w.round++
	for _, s := range w.sets {
		if w.acts() {
			w.kubelet(s)
		}
	}
	for _, s := range w.services {
		if w.acts() {
			s.seen = w.endpoints(s)
		}
	}
	if w.acts() {
		w.canarySeen = w.canaryEndpoints()
	}
	for _, r := range w.routes {
		r.programmed = r.programmed || (!w.stuck && w.acts())
	}
	if w.git.applies && w.acts() {
		w.agentApplies()
	}
}

// acts says whether a neighbour gets to its work in this round.
func (w *world) acts() bool { return w.chance == nil || w.chance.IntN(10) < 6 }

// kubelet brings pods up one by one, and ends those that are not wanted.
func (w *world) kubelet(s *replicaSet) {
	s.pods = s.replicas
	s.up = min(s.up, s.pods)
	if s.up < s.pods {
		s.up++
	}
}

// owes says that a neighbour has something left to do.
func (w *world) owes() bool {
	unprogrammed := func(r *route) bool { return !r.programmed && !w.stuck }
	if w.rolls() || w.git.applies || w.git.asked || slices.ContainsFunc(w.routes, unprogrammed) {
		return true
	}
	return w.chance != nil && w.lags()
}

// lags says that pods, or what is known of them, are not as they will be.
func (w *world) lags() bool {
	for _, s := range w.sets {
		if s.pods != s.replicas || s.up != s.pods {
			return true
		}
	}
	for _, s := range w.services {
		if !maps.Equal(s.seen, w.endpoints(s)) {
			return true
		}
	}
	return w.canarySeen != w.canaryEndpoints()
}

// roll lets the Deployment's controller work on its template.
func (w *world) roll() {
	d := &w.deployment
	if w.loose && w.rolls() {
		w.meddled++ // what it does now, it does on a person's word
	}
	current := w.newest()
	if current == nil {
		current = w.make(d.template, "deployment", d.replicas)
	}
	current.wants(w.share())
	for _, s := range w.sets {
		if s != current && s.owner == "deployment" && w.ready(current) == d.replicas {
			s.wants(0)
		}
	}
}

// rollOut lets the Deployment's own roll-out come to its end at once.
func (w *world) rollOut() {
	hurried := *w
	hurried.chance = nil
	hurried.roll()
	w.sets = hurried.sets
	for _, s := range w.sets {
		s.pods, s.up = s.replicas, s.replicas
	}
}

// rolls says that the Deployment's controller would do something.
func (w *world) rolls() bool {
	d, current := w.deployment, w.newest()
	if !d.found || d.held {
		return false
	}
	if current == nil || current.replicas != w.share() {
		return true
	}
	return w.ready(current) == d.replicas && slices.ContainsFunc(w.sets, func(s *replicaSet) bool {
		return s != current && s.owner == "deployment" && s.replicas > 0
	})
}

// newest is the Deployment's ReplicaSet of its template; nil: there is none.
func (w *world) newest() *replicaSet {
	i := slices.IndexFunc(w.sets, func(s *replicaSet) bool { return s.owner == "deployment" && s.version == w.deployment.template })
	if i < 0 {
		return nil
	}
	return w.sets[i]
}

// share is how many pods of its template a Deployment gets to.
func (w *world) share() int32 {
	if w.midway {
		return w.deployment.replicas / 2
	}
	return w.deployment.replicas
}

func (w *world) ready(s *replicaSet) int32 {
	if w.sick[s.version] || w.lost[s.version] || (w.flapping == s.version && w.round%3 == 0) {
		return 0
	}
	if w.chance != nil {
		return s.up
	}
	return s.replicas
}

// endpoints of a Service, by revision.
func (w *world) endpoints(s *service) map[string]int32 {
	out := map[string]int32{}
	for _, set := range w.sets {
		if n := w.ready(set); n > 0 && (s.pin == nil || w.missing["pin"] || s.pin.Value == set.hash) {
			out[set.hash] += n
		}
	}
	return out
}

// known are the endpoints of a Service that can be seen.
func (w *world) known(s *service) map[string]int32 {
	if w.chance == nil {
		return w.endpoints(s)
	}
	return maps.Clone(s.seen)
}

func (w *world) canaryEndpoints() int32 {
	var n int32
	for _, set := range w.sets {
		if w.canary.Found && set.hash == w.canary.Revision {
			n += w.ready(set)
		}
	}
	return n
}

// firstResult is how long after the clock's start the metric has a verdict.
const firstResult = 10 * time.Second

func (w *world) metrics() []v1alpha1.MetricStatus {
	p := w.progress
	if p.Stage != v1alpha1.StageStepping && p.Stage != v1alpha1.StageUnpinning {
		w.job = nil
	}
	if keepsWord(p.Stage) {
		return w.said
	}
	w.said = nil
	if w.job == nil || w.job.Attempt != p.Attempt || w.job.Step != p.Step || w.now.Before(w.job.Since.Add(firstResult)) {
		return nil
	}
	if w.ramps() {
		w.said = []v1alpha1.MetricStatus{w.comparison()}
		return w.said
	}
	verdict := w.verdict()
	value := map[v1alpha1.Verdict]string{v1alpha1.VerdictPass: "0.001", v1alpha1.VerdictFail: "0.2", v1alpha1.VerdictInconclusive: "0.03"}[verdict]
	return []v1alpha1.MetricStatus{{Name: "error-rate", Verdict: verdict, Value: value, Limit: "result < 0.01", Step: w.job.Step}}
}

// verdict is what the metric says of the canary.
func (w *world) verdict() v1alpha1.Verdict {
	if v, said := w.verdicts[w.progress.Canary.Revision]; said {
		return v
	}
	return v1alpha1.VerdictPass
}
