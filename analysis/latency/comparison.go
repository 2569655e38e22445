package latency

import (
	"fmt"
	"slices"

	"github.com/belay-dev/belay/analysis/evidence"
)

// enoughHistory is how many requests a history needs to say where the latencies lie.
const enoughHistory = 500

// Comparison judges the latencies of the canary against those of stable. It is not safe for concurrent use.
type Comparison struct {
	params evidence.Params
	bounds []float64
	share  float64 // of the reserve that a tick places

	learned counts  // the stable's requests, until they make a history
	judges  *judges // nil until there is one
	block   block
	now     counts // the stable's of the present tick

	ticks          int
	changed        bool // the weight changed since the last block
	canary, stable counts
	baseline       evidence.Baseline

	failed, passed int // tick of the verdict, -1
}

// New makes a comparison that has seen nothing.
//
// MarginRelative is the stretch: a canary that takes up to so many times as long is not slower, 1.1 is ten
// per cent. MarginAbsolute is a share of requests: so many more of them may take longer than any given time.
// Noise is the standard deviation of the logarithm of the stretch between two sets of pods of one version.
// What the other parameters mean is what they mean in evidence.
//
// The bounds are those of the buckets of both arms, but for +Inf, in any unit. They are fixed for the life of
// the comparison. A native histogram is given with the bounds of its buckets at the resolution that both arms
// and the history have in common; what comes later in a bucket outside of them is counted into the
// outermost one that holds it.
//
// The history is how many of the stable's requests ended in each bucket before the attempt began, a day of
// them if there is one: it decides what is bet on, and so how soon evidence comes. That a canary as fast as
// stable is not rejected does not depend on it; with a stretch above 1 it also says where in their buckets
// requests lie. With fewer than 500 requests in it, the stable's first requests of the attempt make
// the history, and the comparison begins after them.
//
// An error says which parameter or bound is out of range.
func New(p evidence.Params, bounds []float64, history []int64) (*Comparison, error) {
	if err := validate(p, bounds, history); err != nil {
		return nil, err
	}
	buckets := len(bounds) + 1
	c := &Comparison{
		params: p, bounds: slices.Clone(bounds), share: p.RestartShare(),
		learned: make(counts, buckets), block: newBlock(buckets), now: make(counts, buckets),
		canary: make(counts, buckets), stable: make(counts, buckets),
		failed: -1, passed: -1,
	}
	c.learn(history)
	return c, nil
}

// What a stretch can be.
const leastStretch, mostStretch = 0.1, 10

func validate(p evidence.Params, bounds []float64, history []int64) error {
	if !(p.MarginRelative >= leastStretch && p.MarginRelative <= mostStretch) {
		return fmt.Errorf("relative margin is %v: for latencies it must be from %v to %v (1.1 means: ten per cent slower is still as good)", p.MarginRelative, leastStretch, mostStretch)
	}
	if err := p.Validate(); err != nil {
		return err
	}
	if err := validateBounds(bounds); err != nil {
		return err
	}
	if len(history) != 0 && len(history) != len(bounds)+1 {
		return fmt.Errorf("the history has %d buckets: with %d bounds there are %d, the last for what took longer than all of them", len(history), len(bounds), len(bounds)+1)
	}
	return nil
}

// learn from what the stable does, until it is enough.
func (c *Comparison) learn(stable []int64) {
	c.learned.add(stable)
	if c.learned.requests() >= enoughHistory {
		c.judges = newJudges(c.params, c.bounds, c.learned)
	}
}

// Add takes the next tick in. Ticks come in the order of the grid, one for each of its intervals.
func (c *Comparison) Add(t Tick) {
	if t.Baseline != evidence.Measured {
		t.Stable = nil
	}
	c.baseline = t.Baseline
	switch {
	case c.judges == nil:
		c.learn(t.Stable)
	case t.WeightChanged && c.ticks > 0:
		c.changeWeight(t.Baseline)
		c.compare(t)
	default:
		c.compare(t)
	}
	c.ticks++
}

func (c *Comparison) compare(t Tick) {
	if t.Baseline == evidence.Measured {
		c.addCounts(t)
	} else {
		c.addAgainstHour(t)
	}
	c.decide()
}

// changeWeight: a Pass belongs to a weight, unless there is no traffic left to win another one with.
func (c *Comparison) changeWeight(b evidence.Baseline) {
	c.changed = true
	c.block.reset()
	if b == evidence.Gone {
		return
	}
	c.passed = -1
	c.judges.startWeight(c.params.IntervalSpansWeights)
	clear(c.canary)
	clear(c.stable)
}

// addCounts compares the arms as soon as both have requests.
func (c *Comparison) addCounts(t Tick) {
	complete := c.block.add(t.Canary, t.Stable)
	clear(c.now)
	c.now.add(t.Stable)
	c.judges.remember(c.now, c.params.TickSeconds)
	if !complete {
		return
	}
	c.judges.compare(c.block.canary, c.block.stable, c.placed())
	c.canary.add(c.block.canary)
	c.stable.add(c.block.stable)
	c.block.reset()
}

// addAgainstHour is for ticks without the stable's counts.
func (c *Comparison) addAgainstHour(t Tick) {
	c.block.reset()
	c.block.canary.add(t.Canary)
	c.judges.judge(c.block.canary, c.placed)
	c.block.reset()
}

// placed is the share of the reserve that the present block places.
func (c *Comparison) placed() float64 {
	if c.changed && c.share > 0 {
		c.changed = false
		return evidence.ChangedShare
	}
	return c.share
}

func (c *Comparison) decide() {
	if c.failed < 0 && c.LogE() >= c.params.LogThreshold() {
		c.failed = c.ticks
	}
	if c.passed < 0 && c.LogAccept() >= c.params.LogAcceptThreshold() {
		c.passed = c.ticks
	}
}

// Params of the comparison.
func (c *Comparison) Params() evidence.Params { return c.params }

// LogE is ln E of the evidence that the canary is slower than the margin.
func (c *Comparison) LogE() float64 {
	if c.judges == nil {
		return 0
	}
	return c.judges.reject.logE()
}

// LogAccept is ln E of the evidence, at this weight, that no more of the canary's requests take longer than
// the stable's p50 and p90 than the margin allows, and fewer than twice as many than its p99: of the
// three, the one that is proved least.
func (c *Comparison) LogAccept() float64 {
	if c.judges == nil {
		return 0
	}
	return c.judges.logAccept()
}

// Verdict so far. Looking does not change it, and any tick is a good one to look at.
func (c *Comparison) Verdict() evidence.Verdict {
	switch {
	case c.failed >= 0:
		return evidence.Fail
	case c.passed >= 0:
		return evidence.Pass
	}
	return evidence.Undecided
}
