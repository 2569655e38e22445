package backtest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
)

// Plan is what a Rollout asks for, ready to be replayed.
type Plan struct {
	Namespace, Name string
	// Provider is the named source that the Rollout asks; empty: the default.
	Provider string

	vars       analysis.Vars
	ladder     []rung
	deadline   time.Duration // of a step without a Pass; 0: by its bake
	ramp       bool
	rampMost   time.Duration
	compares   []*analysis.Plan
	thresholds []*analysis.Plan
	history    []v1alpha1.AttemptRecord // the latest first
}

// PlanOf compiles a Rollout. templates[i] is the spec of spec.analysis.templates[i].
func PlanOf(r *v1alpha1.Rollout, templates []v1alpha1.AnalysisTemplateSpec) (*Plan, error) {
	p := &Plan{Namespace: r.Namespace, Name: r.Name, history: r.Status.History}
	if r.Spec.Analysis == nil {
		return nil, errors.New("the Rollout has no spec.analysis: nothing would be measured")
	}
	p.Provider = r.Spec.Analysis.Provider
	if len(r.Spec.Services) == 0 {
		return nil, errors.New("the Rollout has no spec.services: the series of stable are found by them")
	}
	var err error
	if p.ladder, err = ladderOf(r.Spec.Strategy.Canary); err != nil {
		return nil, err
	}
	if ramp := r.Spec.Strategy.Canary.Ramp; ramp != nil {
		p.ramp, p.rampMost = true, rampDuration
		if ramp.MaxDuration != nil {
			p.rampMost = ramp.MaxDuration.Duration
		}
	}
	p.vars = analysis.Vars{Namespace: r.Namespace, Name: r.Name, Service: r.Spec.Services[0].Name, Revision: anyRevision, Arm: "stable"}
	metrics, args, err := analysis.Resolve(r.Spec.Analysis, templates)
	if err != nil {
		return nil, err
	}
	o := analysis.Options{Args: args, Ramp: p.ramp}
	if r.Spec.Analysis.Interval != nil {
		o.Interval = r.Spec.Analysis.Interval.Duration
	}
	if d := r.Spec.Analysis.StepDeadline; d != nil {
		p.deadline = d.Duration
	}
	plans, err := analysis.Compile(metrics, o)
	if err != nil {
		return nil, err
	}
	if len(plans) == 0 {
		return nil, errors.New("spec.analysis has no metrics: nothing would be measured")
	}
	for i := range plans {
		if plans[i].Comparison != nil {
			p.compares = append(p.compares, &plans[i])
		} else {
			p.thresholds = append(p.thresholds, &plans[i])
		}
	}
	return p, nil
}

// Length of an attempt that nothing holds up.
func (p *Plan) Length() time.Duration { return lengthOf(p.ladder) }

// selectors of an arm's series; anyRevision is all of them.
func (p *Plan) selectors(m *analysis.Plan, vars analysis.Vars) (analysis.Selectors, error) {
	s, err := m.Comparison.Selectors.Select(vars)
	if err != nil {
		return s, err
	}
	all := []*string{&s.Requests, &s.Errors}
	for i := range s.Histograms {
		all = append(all, &s.Histograms[i])
	}
	for _, text := range all {
		if *text == "" {
			continue
		}
		if *text, err = forAnyRevision(*text); err != nil {
			return s, fmt.Errorf("metric %q: %w", m.Metric.Name, err)
		}
	}
	return s, nil
}

// Injection is a fault that the canary half is given.
type Injection struct {
	// From is what history is thought to have, To what the canary gets instead, as shares of bad requests.
	From, To float64
}

// ParseInjection reads "0.1%->1%".
func ParseInjection(text string) (*Injection, error) {
	from, to, found := strings.Cut(strings.ReplaceAll(text, "→", "->"), "->")
	var in Injection
	var err error
	if found {
		if in.From, err = share(from); err == nil {
			in.To, err = share(to)
		}
	}
	if !found || err != nil || in.To <= in.From {
		return nil, fmt.Errorf("--inject is %q: say FROM->TO as shares of bad requests, the second larger, such as '0.1%%->1%%' or '0.001->0.01'", text)
	}
	return &in, nil
}

func share(text string) (float64, error) {
	text = strings.TrimSpace(text)
	number, percent := strings.CutSuffix(text, "%")
	var value float64
	if _, err := fmt.Sscanf(strings.TrimSpace(number)+"\n", "%g\n", &value); err != nil {
		return 0, err
	}
	if percent {
		value /= 100
	}
	if !(value >= 0 && value <= 1) {
		return 0, fmt.Errorf("%v is no share", value)
	}
	return value, nil
}

// extra is the share of good requests that have to become bad.
func (i *Injection) extra() float64 { return (i.To - i.From) / (1 - i.From) }
