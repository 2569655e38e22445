// Package evidence is the mathematics of the judges: counts go in, evidence comes out. It knows no
// API type, no client, no clock and no chance.
//
// # Vocabulary
//
//	Tick        what both arms did in one interval of a fixed grid: requests, and how many were bad
//	Comparison  canary against stable on one metric; fed with ticks, asked for a verdict at any time
//	evidence    ln E, where E is a bet against "the canary is not worse": one unit staked, E units
//	            won so far. If the canary is not worse, E reaches 1/α with probability at most α,
//	            however often one looks
//	margin      what still counts as "not worse": up to r times the stable's bad share, plus a
//	dispersion  φ, by how much errors come in clusters, and s, by how much equal pods differ
//
// # The way of a tick
//
//	block     ticks wait until both arms have requests (block.go)
//	term      the counts become ℓ(δ), the log of what a bet on the log-ratio δ wins (term.go)
//	reject    bets on "worse than the margin", with restarts and a cap (mixture.go, process.go, restart.go)
//	noise     keeps from winning by what pods of one version do to each other (noise.go)
//	accept    bets on "better than the margin", afresh at every weight
//	interval  bounds the excess of bad requests, for people and for the ramp (interval.go)
//	hard fail all requests bad: no statistics (hardfail.go)
//
// # Use
//
//	params := evidence.Defaults()
//	c, err := evidence.New(params)
//	for _, tick := range ticks {
//		c.Add(tick)
//	}
//	c.Verdict()             // Undecided, Pass or Fail; Fail stays, Pass belongs to a weight
//	c.LogE()                // ln E of the reject process; Fail at Params.LogThreshold()
//	lower, upper := c.Interval()
//	c.Report()              // all of it, with the counts that a sentence for people needs
//
//	evidence.Merge(parts)             // several metrics: one verdict, and the metric that led to it
//	evidence.EstimateDispersion(pods) // φ and s from the stable's own pods
//	evidence.NextWeight(upper, …)     // the ramp
//
// Judges of other metrics, such as analysis/latency, have the same life with bets of their own:
//
//	evidence.NewMixture(mass, params.Reserve())  // money on bets, with restarts (mixture.go, restart.go)
//	evidence.NoiseCells(params.Alpha, width)     // what noise must not win (noise.go)
//	evidence.NewInterval(alpha, phi)             // bounds of an excess (interval.go)
//
// # Laws
//
//   - The state is a function of the parameters and the ticks added so far. The same ticks give the
//     same bits on one architecture, so a controller that restarts reads history and arrives where
//     it was.
//   - No data moves nothing: a tick without requests of both arms neither accuses nor acquits.
//   - Nothing overflows or is lost with 10⁹ requests a tick or 10⁵ ticks (wide.go).
//   - Add does not allocate.
//   - Every formula is written at the function that computes them; the proofs are in
//     docs/analysis.md.
package evidence
