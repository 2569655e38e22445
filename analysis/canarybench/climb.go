package canarybench

import "github.com/belay-dev/belay/analysis/evidence"

// climber is a rule on its way to 100 %.
type climber struct {
	Rule
	bake int // ticks at each weight of the ladder
	// next weight, after so many ticks at this one.
	next func(c climber, j Judge, weight float64, here int) float64
}

const (
	stepBake   = 5 * minuteTicks
	rampFrom   = 0.01
	rampBudget = 0.002
	rampTicks  = 30 / TickSeconds
)

// climbers: five minutes at each weight, an hour for a test of hours.
func climbers() []climber {
	ramp, wide := Usual(), Usual()
	ramp.IntervalSpansWeights = true
	wide.MarginAbsolute = 0.005
	out := []climber{
		{Belay("Belay, φ = 1, s = 0", Usual()), stepBake, whenPassed},
		{BelayEstimated("Belay, estimated", Usual()), stepBake, whenPassed},
		{Belay("Belay, assumed", evidence.Defaults()), stepBake, whenPassed},
		{BelayEstimated("Belay, estimated, a = 0.005", wide), stepBake, whenPassed},
		{BelayEstimated("Belay, estimated, ramp", ramp), 0, byBudget},
	}
	for _, rule := range others() {
		c := climber{rule, stepBake, whenBaked}
		if rule.Name == Kayenta().Name {
			c.bake = hourTicks
		}
		out = append(out, c)
	}
	return out
}

func climberNames() []string {
	var out []string
	for _, c := range climbers() {
		out = append(out, c.Name)
	}
	return out
}

// ladder of the steps; the last is everything.
func ladder() []float64 { return []float64{0.05, 0.25, 0.5, 1} }

// above is the next step of the ladder.
func above(weight float64) float64 {
	for _, step := range ladder() {
		if step > weight {
			return step
		}
	}
	return 1
}

// whenBaked: a step is left after its time, but not right after a check of Flagger that failed.
func whenBaked(c climber, j Judge, weight float64, here int) float64 {
	f, checks := j.(*flagger)
	if here < c.bake || (checks && f.halted) {
		return weight
	}
	return above(weight)
}

// whenPassed: a step is left when it has baked and the judge says Pass.
func whenPassed(c climber, j Judge, weight float64, here int) float64 {
	if here < c.bake || verdict(j) != evidence.Pass {
		return weight
	}
	return above(weight)
}

// byBudget is the adaptive ramp: every 30 seconds as much as the upper bound of the excess and the budget allow.
func byBudget(_ climber, j Judge, weight float64, here int) float64 {
	if here < rampTicks {
		return weight
	}
	_, upper := j.(belay).Interval()
	return max(weight, evidence.NextWeight(upper, rampBudget, 1))
}

func verdict(j Judge) evidence.Verdict { return j.(belay).Verdict() }

// climb is what became of one release.
type climb struct {
	Outcome
	promoted     bool // reached 100 %
	promotedAt   int  // ticks
	inconclusive bool // a step took more than three times its bake; it waits there, and is still judged
}

// climb until a rollback, or for so many ticks.
func (c climber) climb(s *Stream, d evidence.Dispersion, ticks int) climb {
	judge := c.New(s.truth, d)
	weight, here := ladder()[0], 0
	if c.bake == 0 {
		weight = rampFrom
	}
	var out climb
	for out.Ticks < ticks && !out.RolledBack {
		changed := false
		if weight < 1 {
			next := c.next(c, judge, weight, here)
			changed = next != weight
			if changed {
				weight, here = next, 0
			}
			out.inconclusive = out.inconclusive || (c.bake > 0 && here >= 3*c.bake)
			if weight >= 1 {
				out.promoted, out.promotedAt = true, out.Ticks
			}
		}
		here++
		out.judge(judge, s, weight, changed)
	}
	return out
}

// judge one more tick.
func (c *climb) judge(j Judge, s *Stream, weight float64, changed bool) {
	canary, stable := s.truth.shares(s.tick)
	tick := s.At(weight)
	tick.WeightChanged = changed
	j.Add(tick)
	c.add(tick, canary-stable)
	c.RolledBack = j.RollsBack()
}

// climbs gives n releases to every climber, each the same service and pods.
func (b Bench) climbs(cell string, t Truth, n, ticks int, each func(climber int, c climb)) {
	seed := b.seed(cell)
	for i := range uint64(n) {
		d := evidence.EstimateDispersion(t.Stream(seed, i).History(historyTicks))
		for j, c := range climbers() {
			most := ticks
			if c.bake == hourTicks {
				most *= 2
			}
			each(j, c.climb(t.Stream(seed, i), d, most))
		}
	}
}
