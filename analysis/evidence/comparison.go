package evidence

import "math"

// Comparison judges one metric, canary against stable. It is not safe for concurrent use.
type Comparison struct {
	params Params
	share  float64 // of the reserve that a tick places

	reject, accept guarded
	interval       Interval
	block          block
	outage         outage
	level          level

	ticks          int
	changed        bool // the weight changed since the last block
	canary, stable Counts
	baseline       Baseline
	alone          Counts // of the canary, while the stable's are not measured

	failed, passed int // tick of the verdict, -1
	cause          Cause
}

// New makes a comparison that has seen nothing. An error says which parameter is out of range.
func New(p Params) (*Comparison, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return &Comparison{
		params:   p,
		share:    p.RestartShare(),
		reject:   newGuarded(rejectBets(p), p.Noise),
		accept:   newGuarded(acceptBets(p), p.AcceptNoise),
		interval: NewInterval(p.Alpha, p.Phi),
		failed:   -1, passed: -1,
	}, nil
}

func rejectBets(p Params) betting {
	return betting{bets: rejectGrid(), phi: p.Phi, limit: p.LogCap(), reserve: p.Reserve(), chance: p.Alpha}
}

func acceptBets(p Params) betting {
	return betting{bets: acceptGrid(), phi: p.Phi, limit: math.Inf(1), chance: p.Beta}
}

// Add takes the next tick in. Ticks come in the order of the grid, one for each of its intervals.
func (c *Comparison) Add(t Tick) {
	canary, stable := t.Canary.sane(), t.Stable.sane()
	if t.Baseline != Measured {
		stable = Counts{}
	}
	if t.WeightChanged && c.ticks > 0 {
		c.changeWeight(t.Baseline)
	}
	c.baseline = t.Baseline
	if c.outage.add(canary, stable) {
		c.fail(AllBad)
	}
	switch {
	case c.params.MarginRelative == 0:
		c.addAlone(canary)
	case t.Baseline == Measured:
		c.alone = Counts{}
		c.level.add(stable, c.params.TickSeconds)
		if whole, complete := c.block.add(canary, stable); complete {
			c.addBlock(whole)
		}
	default:
		c.addAgainstLevel(canary)
	}
	c.decide()
	c.ticks++
}

// changeWeight: a Pass belongs to a weight, unless there is no traffic left to win another one with.
func (c *Comparison) changeWeight(b Baseline) {
	c.changed = true
	c.block = block{}
	if b == Gone && c.params.MarginRelative > 0 {
		return
	}
	c.passed = -1
	c.accept.reset()
	c.canary, c.stable = Counts{}, Counts{}
	if !c.params.IntervalSpansWeights {
		c.interval.Reset()
	}
}

// addBlock compares the arms.
func (c *Comparison) addBlock(b block) {
	r, a := c.params.MarginRelative, c.params.MarginAbsolute
	c.reject.compare(b.canary, b.stable, r, a, c.placed())
	c.accept.compare(b.canary, b.stable, r, a, 0)
	c.interval.add(compared(b.canary, b.stable, 1))
	c.canary, c.stable = c.canary.plus(b.canary), c.stable.plus(b.stable)
}

// addAlone judges the canary against the absolute margin; the interval is that of its bad share.
func (c *Comparison) addAlone(canary Counts) {
	if canary.Requests == 0 {
		return
	}
	c.reject.judge(canary, c.params.MarginAbsolute, c.placed())
	c.accept.judge(canary, c.params.MarginAbsolute, 0)
	c.interval.add(alone(canary))
	c.canary = c.canary.plus(canary)
}

// addAgainstLevel is for ticks without the stable's counts.
func (c *Comparison) addAgainstLevel(canary Counts) {
	c.block = block{}
	if canary.Requests == 0 {
		return
	}
	c.alone = c.alone.plus(canary)
	if bad, known := c.standIn(); known {
		c.reject.judge(canary, bad, c.placed())
	}
}

// standIn is the level that stands in for the stable's counts.
func (c *Comparison) standIn() (bad float64, known bool) {
	return c.level.against(c.params.MarginRelative, c.params.MarginAbsolute, c.params.Phi)
}

// placed is the share of the reserve that the present block places.
func (c *Comparison) placed() float64 {
	if c.changed && c.share > 0 {
		c.changed = false
		return ChangedShare
	}
	return c.share
}

func (c *Comparison) decide() {
	if c.reject.log() >= c.params.LogThreshold() {
		c.fail(ByEvidence)
	}
	if c.passed < 0 && c.accept.log() >= c.params.LogAcceptThreshold() {
		c.passed = c.ticks
	}
}

func (c *Comparison) fail(cause Cause) {
	if c.failed < 0 {
		c.failed, c.cause = c.ticks, cause
	}
}

// Params of the comparison.
func (c *Comparison) Params() Params { return c.params }

// LogE is ln E of the evidence that the canary is worse than the margin.
func (c *Comparison) LogE() float64 { return c.reject.log() }

// LogAccept is ln E of the evidence, at this weight, that the canary is within the margin.
func (c *Comparison) LogAccept() float64 { return c.accept.log() }

// Verdict so far. Looking does not change it, and any tick is a good one to look at.
func (c *Comparison) Verdict() Verdict {
	switch {
	case c.failed >= 0:
		return Fail
	case c.passed >= 0:
		return Pass
	}
	return Undecided
}

// Interval bounds the excess of the canary's bad share over the stable's (with a relative margin of 0:
// the canary's bad share itself) at the present weight, weighted by traffic: the truth is outside it
// at some look with probability at most Alpha. It is a process of its own and may disagree with the
// verdict, which has a margin, a cap, restarts and noise. From nothing it is -1 to 1.
func (c *Comparison) Interval() (lower, upper float64) {
	lower, upper = c.interval.Bounds()
	if c.params.MarginRelative == 0 {
		return max(0, lower), max(0, upper)
	}
	return lower, upper
}

// Report is all of it.
func (c *Comparison) Report() Report {
	r := Report{
		Verdict: c.Verdict(), Cause: c.cause, Tick: c.passed, Ticks: c.ticks,
		LogE: c.LogE(), LogAccept: c.LogAccept(),
		Canary: c.canary, Stable: c.stable, Baseline: c.baseline, Alone: c.alone,
		Frozen: c.baseline == Gone && c.params.MarginRelative > 0,
	}
	if c.failed >= 0 {
		r.Tick = c.failed
	}
	if c.baseline != Measured && c.params.MarginRelative > 0 {
		r.Level, _ = c.standIn()
	}
	r.Lower, r.Upper = c.Interval()
	return r
}
