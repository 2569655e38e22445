// Package gauge judges whether a quantity that every pod reports at all times (CPU, memory, the depth of a
// queue) is higher at the canary than at stable. There are no requests to count here, and a sample is nearly
// the one before it, so this is another test than those of evidence and latency: a rank test that knows how
// much its samples are worth, at few looks. It knows no API type, no client, no clock and no chance.
//
// # Vocabulary
//
//	sample      what one pod reported in one tick
//	slot        the place of a pod in the samples of its arm; it stays the same for all its life
//	margin      what still counts as "not higher": up to r times what stable has, plus a
//	preference  the probability that a sample of the canary is above the margin over a sample of stable; ½ at
//	            the margin
//	inflation   τ: of so many samples of a pod in a row, one is news
//	look        a moment at which the test is made: after 12, 24, 48 … ticks of a weight, and every 96 ticks
//	            on these alone
//
// # The way of a tick
//
//	arm         samples are kept by slot until the weight changes (arm.go)
//	look        when it is time: preference, its standard error, α spent (look.go, spending.go)
//	ranks       placements of the samples of one arm among the other's (ranks.go)
//	inflation   the integrated autocorrelation of the ranks (inflation.go)
//	noise       how much pods of one version differ for good, and by how much that widens the margin (noise.go)
//	effect      by how much the canary is higher, for people (effect.go)
//
// # Use
//
//	c, err := gauge.New(gauge.Defaults())
//	for _, tick := range ticks {
//		c.Add(tick)
//	}
//	c.Verdict()   // Undecided, Pass or Fail; Fail stays, Pass belongs to a weight
//	c.Report()    // medians of both arms, by how much the canary is higher, and what the samples were worth
//
// # What a verdict says
//
// Fail: the canary is higher by more than the margin and by more than pods of one version differ, and both
// together are not chance. A difference that is certain but within the margin never fails, nor does a large
// one that is not certain. Pass: at this weight, the canary is within the margin. Undecided otherwise, and
// always with fewer than 12 ticks, 20 samples of an arm, or 8 samples' worth of news of an arm.
//
// A Fail has a probability of α at most if the canary is within the margin; a Pass of β at each weight if it
// is beyond. Other than in evidence, that is not exact: the test is one for many samples, and their
// inflation is estimated.
package gauge
