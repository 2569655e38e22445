package backtest

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// rung is a step that shifts traffic.
type rung struct {
	weight float64 // 0 to 1
	bake   time.Duration
}

const (
	// stepBakes is how many bakes a step lasts without a Pass, unless stepDeadline says so.
	stepBakes = 3
	// rampRest is how long each weight of a ramp lasts at least.
	rampRest = 30 * time.Second
	// rampDuration is how long a ramp may last, unless maxDuration says so.
	rampDuration = 30 * time.Minute
)

// ladderOf is what an attempt climbs. Approvals take no time here.
func ladderOf(c *v1alpha1.Canary) ([]rung, error) {
	if c == nil {
		return nil, fmt.Errorf("spec.strategy.canary is missing: a back test climbs its steps")
	}
	if c.Ramp != nil {
		return rampOf(c.Ramp), nil
	}
	var out []rung
	for _, s := range c.Steps {
		r := rung{}
		switch {
		case s.Weight != nil:
			r.weight = float64(*s.Weight) / 100
		case s.WeightPermille != nil:
			r.weight = float64(*s.WeightPermille) / 1000
		}
		if s.Bake != nil {
			r.bake = s.Bake.Duration
		}
		if r.weight > 0 {
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("spec.strategy.canary has no step with a weight: there is nothing to measure")
	}
	return out, nil
}

// rampOf is a ramp that nothing slows down: each weight is twice the one before.
func rampOf(r *v1alpha1.Ramp) []rung {
	from, to := float64(max(r.From, 1))/100, float64(r.To)/100
	if to == 0 {
		to = 1
	}
	var out []rung
	for w := from; w < to; w = math.Min(to, 2*w) {
		out = append(out, rung{w, rampRest})
	}
	return append(out, rung{to, rampRest})
}

func lengthOf(ladder []rung) time.Duration {
	var all time.Duration
	for _, r := range ladder {
		all += r.bake
	}
	return all
}

// ladderText is "5 % 2m, 25 % 5m".
func ladderText(ladder []rung) string {
	var parts []string
	for _, r := range ladder {
		parts = append(parts, fmt.Sprintf("%g %% %s", math.Round(r.weight*1000)/10, short(r.bake)))
	}
	return strings.Join(parts, ", ")
}

// short is a duration without units that are zero.
func short(d time.Duration) string {
	text := d.Round(time.Millisecond).String()
	text = strings.TrimSuffix(text, "m0s") + map[bool]string{true: "m"}[strings.HasSuffix(text, "m0s")]
	return strings.TrimSuffix(text, "h0m") + map[bool]string{true: "h"}[strings.HasSuffix(text, "h0m")]
}
