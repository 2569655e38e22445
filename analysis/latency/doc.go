// Package latency judges whether a canary is slower than stable, from the buckets of their histograms. It is
// to latencies what a Comparison of package evidence is to bad requests, with the same life: a verdict that
// may be looked at at every tick, restarts, a cap, dispersion, noise, weights. It knows no API type, no
// client, no clock and no chance.
//
// # Vocabulary
//
//	bucket      requests whose latency was between two bounds; classic and native histograms are the same here
//	history     the stable's buckets before the attempt: where its latencies lie
//	shift       how a release gets slower: the whole of it, the slowest 30 %, the slowest 7 %, by so much
//	step        more requests take longer than one bound, whatever happens above and below
//	dictionary  the shifts and steps that are bet on
//	stretch     the margin: up to so many times as long is not slower
//	exceedance  the share of requests that take longer than a bound
//
// # The way of a tick
//
//	block     ticks wait until both arms have requests (block.go)
//	groups    buckets become two dozen groups at most (groups.go)
//	bet       the counts become ℓ, the log of what each entry of the dictionary wins (bet.go, dictionary.go)
//	kernel    the margin: where stable's requests would be if they were stretched (kernel.go, curve.go)
//	side      the bets together, guarded against noise (side.go)
//	level     the stable's last hour, for when it has no traffic left (level.go)
//	excess    bounds of the exceedance over stable's, for people (excess.go)
//
// # Use
//
//	c, err := latency.New(latency.Defaults(), bounds, history)
//	for _, tick := range ticks {
//		c.Add(tick)
//	}
//	c.Verdict()   // Undecided, Pass or Fail; Fail stays, Pass belongs to a weight
//	c.LogE()      // ln E of the reject side, for evidence.Merge with other metrics
//	c.Report()    // all of it: counts, quantiles of both arms, exceedances with their bounds
//
// # What a verdict says
//
// Fail: not all quantiles of the canary are within the margin. Formally, E bets against "at every bound, the
// canary's exceedance is at most that of stable stretched by r, plus a", and reaches 1/α with probability
// at most α if that is so. Pass: at this weight, the exceedances at stable's p50 and p90 are within the
// margin, and that at its p99 within the margin and as many again; if one of them is not, a Pass has a
// probability of at most β.
//
// Where in a bucket its requests lie is not known, so with r above 1 the margin rests on an interpolation.
// A canary that is just as fast as stable fails with probability at most α, whatever the buckets are.
//
// # Laws
//
//   - A request of the canary that moves to a slower bucket never lowers the evidence against it.
//   - No data moves nothing. The same ticks give the same bits. Nothing overflows.
//   - Add does not allocate, once there is a history.
//   - Every formula is written at the function that computes it; the proofs are in docs/analysis.md.
package latency
