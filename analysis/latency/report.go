package latency

import (
	"math"

	"github.com/belay-dev/belay/analysis/evidence"
)

// Arm is what one arm did since the weight changed, over the ticks that were compared. The quantiles are
// interpolated within buckets, and one that lies beyond the last bound is that bound. They are estimates, for
// the eye; what is proved is in Excess. 0 without requests.
type Arm struct {
	Requests int64
	// Beyond is how many took longer than the last bound.
	Beyond        int64
	P50, P90, P99 float64
}

// Excess is the share of requests that took longer than a bound.
type Excess struct {
	// Quantile of the stable, by its history, that the bound is nearest to: 0.5, 0.9 or 0.99. 0: this entry
	// says nothing, as the histogram has too few bounds where the stable's requests are, or there is no
	// history yet.
	Quantile float64
	// Bound is one of the histogram's own, so that who took longer was counted and not interpolated.
	Bound float64
	// Canary and Stable since the weight changed. Bad is how many took longer than Bound.
	Canary, Stable evidence.Counts
	// Lower and Upper bound by how much the canary's share that took longer exceeds the stable's. All entries
	// together hold the truth at every look with probability 1 - Alpha. From nothing they are -1 and 1.
	Lower, Upper float64
}

// Report is everything that a comparison has to say.
type Report struct {
	Verdict evidence.Verdict
	// Tick is the 0-based index of the tick that brought the verdict, -1 while undecided.
	Tick int
	// Ticks is how many were added.
	Ticks int
	// LogE and LogAccept are the logarithms of the evidence against and for the canary.
	LogE, LogAccept float64
	Canary, Stable  Arm
	// Excess over the stable's p50, p90 and p99, and which of them is the best proof that the canary is
	// slower: an index into Excess, -1 while nothing was compared.
	Excess    [3]Excess
	Strongest int
	// Learning: there was no history, and the stable's requests do not yet make one.
	Learning bool
	// Frozen: the stable has no traffic, and verdict and intervals are those of the last weight.
	Frozen bool
}

func (c *Comparison) arm(of counts) Arm {
	all := of.requests()
	return Arm{
		Requests: all, Beyond: of.above(len(c.bounds) - 1),
		P50: c.quantile(of, all, 0.50), P90: c.quantile(of, all, 0.90), P99: c.quantile(of, all, 0.99),
	}
}

// quantile of counts that are so many together, geometrically interpolated within a bucket, and linearly from 0 in the first.
func (c *Comparison) quantile(of counts, all int64, q float64) float64 {
	if all == 0 {
		return 0
	}
	rank, below := q*float64(all), 0.0
	for j, high := range c.bounds {
		here := float64(of[j])
		if below+here >= rank {
			part := (rank - below) / here
			if j == 0 {
				return high * part
			}
			low := c.bounds[j-1]
			return low * math.Pow(high/low, part)
		}
		below += here
	}
	return c.bounds[len(c.bounds)-1]
}

// Report is all of it.
func (c *Comparison) Report() Report {
	r := Report{
		Verdict: c.Verdict(), Tick: c.passed, Ticks: c.ticks,
		LogE: c.LogE(), LogAccept: c.LogAccept(),
		Canary: c.arm(c.canary), Stable: c.arm(c.stable),
		Strongest: -1, Learning: c.judges == nil, Frozen: c.baseline == evidence.Gone,
	}
	if c.failed >= 0 {
		r.Tick = c.failed
	}
	for i := range r.Excess {
		r.Excess[i].Lower, r.Excess[i].Upper = -1, 1
	}
	if c.judges == nil {
		return r
	}
	most := math.Inf(-1)
	for i := range c.judges.excess {
		one, log := c.judges.excess[i].report()
		r.Excess[i] = one
		if one.Canary.Requests > 0 && log > most {
			r.Strongest, most = i, log
		}
	}
	return r
}
