package gauge

import (
	"math"

	"github.com/belay-dev/belay/analysis/evidence"
)

// Tick is what the pods of both arms reported in the same interval of the grid. Pods keep their place: a pod
// that did not report is NaN, a new one comes at the end. One series for each arm is one pod.
type Tick struct {
	Canary, Stable []float64
	// WeightChanged: this is the first tick at a new weight.
	WeightChanged bool
	Baseline      evidence.Baseline
}

// Comparison judges one gauge, canary against stable. It is not safe for concurrent use.
type Comparison struct {
	params         Params
	canary, stable arm
	schedule       schedule

	ticks         int
	looks, newest int // of the attempt: at all samples, and at the newest alone
	looksAtWeight int
	baseline      evidence.Baseline
	last          Report // of the last look

	failed, passed int // tick of the verdict, -1
}

// New makes a comparison that has seen nothing. An error says which parameter is out of range.
func New(p Params) (*Comparison, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return &Comparison{params: p, schedule: newSchedule(), failed: -1, passed: -1}, nil
}

// Add takes the next tick in. Ticks come in the order of the grid, one for each of its intervals. Where only
// one arm has samples the tick is left out: load moves, and both arms must have seen the same of it.
func (c *Comparison) Add(t Tick) {
	c.baseline = t.Baseline
	if c.failed < 0 {
		c.take(t)
	}
	c.ticks++
}

// take a tick in, as long as there is something to decide: a Fail stays, with what was seen then.
func (c *Comparison) take(t Tick) {
	if t.WeightChanged && c.ticks > 0 && t.Baseline != evidence.Gone {
		c.changeWeight()
	}
	if t.Baseline != evidence.Measured || !anyReported(t.Canary) || !anyReported(t.Stable) {
		return
	}
	c.canary.add(t.Canary)
	c.stable.add(t.Stable)
	all, newest := c.schedule.tick()
	if all {
		c.lookAtAll()
	}
	if newest && c.failed < 0 {
		c.lookAtNewest()
	}
}

// changeWeight: the load of a pod may be another one now, so samples and Pass belong to a weight. What was
// spent of α is spent.
func (c *Comparison) changeWeight() {
	c.canary.reset()
	c.stable.reset()
	c.schedule = newSchedule()
	c.looksAtWeight, c.passed = 0, -1
	c.last = Report{}
}

// Of α, half is for what pods do to each other, and of the rest half for each kind of look.
const (
	forNoise = 0.5
	forLooks = 0.25
)

// lookAtAll samples since the weight changed.
func (c *Comparison) lookAtAll() {
	c.looks++
	c.looksAtWeight++
	l := newLook(&c.canary, &c.stable)
	c.last = c.describe(&l, c.looks)
	c.rejected(c.last, c.looks)
	c.accept(&l)
	if forget := c.schedule.looked(); forget > 0 {
		c.canary.forget(forget)
		c.stable.forget(forget)
	}
}

// lookAtNewest samples alone. They are shown if they decide.
func (c *Comparison) lookAtNewest() {
	c.newest++
	l := newLook(c.canary.last(recentTicks), c.stable.last(recentTicks))
	if r := c.describe(&l, c.newest); c.rejected(r, c.newest) {
		c.last = r
	}
}

func (c *Comparison) margin() moved {
	return moved{times: c.params.MarginRelative, plus: c.params.MarginAbsolute}
}

// describe a look.
func (c *Comparison) describe(l *look, number int) Report {
	r := Report{
		Canary:    Arm{Samples: len(l.canary), Worth: l.canaryWorth, Median: median(l.canary)},
		Stable:    Arm{Samples: len(l.stable), Worth: l.stableWorth, Median: median(l.stable)},
		Enough:    l.enough(),
		Allowance: allowance(&c.canary, &c.stable, c.params.Noise, forNoise*c.params.Alpha),
		Shift:     l.shift(0.5),
	}
	r.Lower, r.Upper = l.bounds(normalQuantile(spent(forLooks*c.params.Alpha, number)))
	guarded := c.margin()
	guarded.times *= r.Allowance
	r.Deviation = l.deviation(guarded)
	return r
}

// rejected says whether the look is a Fail.
func (c *Comparison) rejected(r Report, number int) bool {
	fails := c.failed < 0 && r.Enough && r.Deviation >= normalQuantile(spent(forLooks*c.params.Alpha, number))
	if fails {
		c.failed = c.ticks
	}
	return fails
}

func (c *Comparison) accept(l *look) {
	if c.passed < 0 && l.enough() && l.deviation(c.margin()) <= -normalQuantile(spent(c.params.Beta, c.looksAtWeight)) {
		c.passed = c.ticks
	}
}

// Params of the comparison.
func (c *Comparison) Params() Params { return c.params }

// Verdict so far. It changes at looks only.
func (c *Comparison) Verdict() evidence.Verdict {
	switch {
	case c.failed >= 0:
		return evidence.Fail
	case c.passed >= 0:
		return evidence.Pass
	}
	return evidence.Undecided
}

// Report is all of it.
func (c *Comparison) Report() Report {
	r := c.last
	r.Verdict, r.Tick, r.Ticks, r.Looks = c.Verdict(), c.passed, c.ticks, c.looks
	if c.failed >= 0 {
		r.Tick = c.failed
	}
	r.NextLook = c.schedule.next - c.schedule.ticks
	r.Frozen = c.baseline == evidence.Gone
	return r
}

// Arm is one arm at the last look.
type Arm struct {
	Samples int
	// Worth is how many independent samples they are worth.
	Worth  float64
	Median float64
}

// Report is everything that a comparison has to say. What it says of samples is as of the last look at
// all of them at this weight, and 0 before the first; after a Fail it is what was seen then.
type Report struct {
	Verdict evidence.Verdict
	// Tick is the 0-based index of the tick that brought the verdict, -1 while undecided.
	Tick int
	// Ticks is how many were added.
	Ticks int
	// Looks is how often all samples were looked at, over the whole attempt, and NextLook after how many more
	// ticks with samples of both arms they will be. Between them the newest are looked at alone.
	Looks, NextLook int

	Canary, Stable Arm
	// Enough: the samples are worth a test.
	Enough bool
	// Shift is by how much the canary is higher, in the unit of the samples (the median of all differences
	// between the arms). Lower and Upper bound it, at all looks with probability 1 - Alpha, for these pods:
	// what pods of one version do to each other is not in it.
	Shift, Lower, Upper float64
	// Allowance is the factor by which pods of one version may differ for good, on top of the margin.
	Allowance float64
	// Deviation is by how many standard errors the canary is above margin and allowance.
	Deviation float64
	// Frozen: the stable has no traffic, and everything is as of the last weight.
	Frozen bool
}

// Ratio of the medians, NaN where the stable's is not above 0.
func (r Report) Ratio() float64 {
	if !(r.Stable.Median > 0) {
		return math.NaN()
	}
	return r.Canary.Median / r.Stable.Median
}
