package observe

import (
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/routers"
)

// Defaults where neither the schema nor the user gave a value.
const (
	defaultSettle   = 3 * time.Second
	defaultProgress = 10 * time.Minute
	defaultApprove  = 24 * time.Hour
	defaultMaxAge   = time.Hour
)

// configure turns a snapshot into what decisions depend on; ramp are the weights that a ramp has chosen so far.
func configure(s Snapshot, plans []analysis.Plan, ramp []int32) plan.Config {
	c := plan.Config{
		Progress:       durationOr(s.Spec.ProgressDeadline, defaultProgress),
		Settle:         defaultSettle,
		OnInconclusive: v1alpha1.InconclusivePause,
		Ladder:         ladder(s.Spec.Strategy.Canary),
	}
	if canary := s.Spec.Strategy.Canary; canary != nil && canary.Ramp != nil {
		c.Ramp = ramped(canary.Ramp)
		c.Ladder = plan.RampLadder(*c.Ramp, ramp)
	}
	if len(s.Spec.Services) > 0 {
		c.Service = s.Spec.Services[0].Name
	}
	if s.Spec.Strategy.Canary != nil {
		c.Settle = durationOr(s.Spec.Strategy.Canary.Settle, defaultSettle)
	}
	var shares []int32
	for _, step := range c.Ladder {
		shares = append(shares, step.Permille)
	}
	c.Scale = routers.ScaleFor(shares)
	if c.Ramp != nil {
		c.Scale = 100 // whole percents, whatever it will choose
	}
	if a := s.Spec.Analysis; a != nil {
		c.StartAt = max(1, a.StartAt)
		c.StepDeadline = durationOr(a.StepDeadline, 0)
		if a.OnInconclusive != "" {
			c.OnInconclusive = a.OnInconclusive
		}
		c.FourMeasurements = analysis.Span(plans, 4)
		c.Measuring = len(s.Metrics) > 0
		for _, m := range s.Metrics {
			c.Gating = c.Gating || !m.DryRun
		}
	}
	return c
}

// Defaults of a ramp.
const (
	defaultRampFrom   = 1
	defaultRampTo     = 100
	defaultRampBudget = 2
	defaultRampMax    = 30 * time.Minute
)

func ramped(r *v1alpha1.Ramp) *plan.Ramp {
	or := func(value, otherwise int32) int32 {
		if value == 0 {
			return otherwise
		}
		return value
	}
	return &plan.Ramp{
		From: 10 * or(r.From, defaultRampFrom), To: 10 * or(r.To, defaultRampTo),
		Budget: float64(or(r.BudgetPermille, defaultRampBudget)) / 1000,
		Max:    durationOr(r.MaxDuration, defaultRampMax),
	}
}

// ladder resolves the steps; one that ends below 100 % gets a last step, so that it always ends there.
func ladder(c *v1alpha1.Canary) []plan.Step {
	if c == nil {
		return nil
	}
	var steps []plan.Step
	var share int32
	for _, s := range c.Steps {
		step := plan.Step{Permille: share, Bake: durationOr(s.Bake, 0)}
		switch {
		case s.Weight != nil:
			step.Permille = *s.Weight * 10
		case s.WeightPermille != nil:
			step.Permille = *s.WeightPermille
		case s.Approve != nil:
			step.Approve, step.Timeout = true, durationOr(s.Approve.Timeout, defaultApprove)
			step.OnTimeout = s.Approve.OnTimeout
		}
		step.Replicas, step.Percent = replicas(s.Replicas)
		share = step.Permille
		steps = append(steps, step)
	}
	if len(steps) == 0 || share < 1000 || steps[len(steps)-1].Approve {
		steps = append(steps, plan.Step{Permille: 1000, Appended: true})
	}
	return steps
}

func replicas(v *intstr.IntOrString) (number, percent int32) {
	if v == nil {
		return 0, 0
	}
	if v.Type == intstr.Int {
		return v.IntVal, 0
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(v.StrVal, "%"), 10, 32)
	if err != nil {
		return 0, 0 // the schema admits nothing else; the share applies
	}
	return 0, int32(n)
}

func durationOr(d *metav1.Duration, fallback time.Duration) time.Duration {
	if d == nil {
		return fallback
	}
	return d.Duration
}

// request reads a person's request that has not been answered.
func request(r *v1alpha1.Rollout) *plan.Request {
	value := r.Annotations[v1alpha1.AnnotationRequest]
	if value == "" {
		return nil
	}
	out := &plan.Request{User: r.Annotations[v1alpha1.AnnotationRequestedBy]}
	parts := strings.Fields(value)
	if len(parts) != 3 {
		out.Verb, out.Token = "unknown", value
		out.Malformed = `annotation belay.dev/request must be "<verb> <revision> <unique token>"`
	} else {
		out.Verb, out.Revision, out.Token = parts[0], parts[1], parts[2]
	}
	if p := r.Status.Progress; p != nil && p.Request == out.Token {
		return nil
	}
	return out
}
