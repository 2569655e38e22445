package observe

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/analysis"
)

// compiled keeps the metrics of each Rollout as they were made ready last. Compiling conditions costs more than all else
// of a round together, and between two rounds they hardly ever change.
type compiled struct {
	mu   sync.Mutex
	last map[types.NamespacedName]made
}

type made struct {
	digest string
	plans  []analysis.Plan
	err    error
}

// get gives what was made of the snapshot with a digest, or makes it.
func (c *compiled) get(key types.NamespacedName, digest string, compile func() ([]analysis.Plan, error)) ([]analysis.Plan, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, ok := c.last[key]; ok && r.digest == digest {
		return r.plans, r.err
	}
	plans, err := compile()
	if c.last == nil {
		c.last = map[types.NamespacedName]made{}
	}
	c.last[key] = made{digest, plans, err}
	return plans, err
}

func (c *compiled) forget(key types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.last, key)
}

// compile makes the metrics of the effective snapshot ready, whose digest is given. Those of a snapshot in flight were
// compiled before it was taken.
func (o *Observer) compile(s *Scene, digest string) {
	if s.Effective.Spec.Analysis == nil {
		return
	}
	plans, err := o.compiled.get(client.ObjectKeyFromObject(s.Rollout), digest, func() ([]analysis.Plan, error) {
		return analysis.Compile(s.Effective.Metrics, analysis.Options{
			Interval: durationOr(s.Effective.Spec.Analysis.Interval, 0), Args: s.Effective.Args, Ramp: ramps(s),
		})
	})
	if err != nil {
		s.problem("InvalidMetric", "spec.analysis: %s", oneLine(err))
	}
	s.Plans = plans
}

func ramps(s *Scene) bool {
	canary := s.Effective.Spec.Strategy.Canary
	return canary != nil && canary.Ramp != nil
}

// rampProblem: a ramp without a bound on errors would stand at its first weight for ever.
func (s *Scene) rampProblem() {
	if !ramps(s) {
		return
	}
	for i := range s.Plans {
		if c := s.Plans[i].Comparison; c != nil && !c.Latency && c.Gauge == nil && !s.Plans[i].Metric.DryRun {
			if a := s.Effective.Spec.Analysis; a.StartAt > 1 {
				s.problem("InvalidRamp", "spec.analysis.startAt is %d: a ramp compares from its first weight on: leave it out", a.StartAt)
			}
			return
		}
	}
	s.problem("InvalidRamp", "spec.strategy.canary.ramp needs a compare metric with requests and errors (or a preset that has them), "+
		"whose bound decides about the weights: add one to spec.analysis")
}
