// Package samples turns raw samples of cumulative counters into counts on a fixed grid of ticks, such
// as package evidence judges. It asks nobody, knows no clock, and what it returns is a function of the
// grid and the samples.
//
// # Vocabulary
//
//	Series     what a source keeps under one set of labels: samples in the order of time
//	Grid       ticks of one length, anchored at the start of an attempt; both arms are counted over
//	           the same ticks
//	increase   what a counter gained between two samples that follow each other; it belongs to the tick
//	           in which the later of them lies
//	target     what was scraped: a pod or an instance. Its series have their samples at the same moments
//	birth      the moment before which a counter did not exist and therefore was zero
//	problem    what is wrong with the samples, with the metric, the arm, a series and the way out
//
// # The rules
//
//   - A counter at the end of a tick has the value of its last sample at or before it. Nothing is
//     extrapolated. A scrape that failed moves an increase to the tick in which the series is seen again.
//   - A counter that fell was reset: it gained what it shows after that. Every sample is looked at, so
//     resets inside of a tick are seen.
//   - A series that was not seen for Grid.Gap is another one: nobody knows what happened meanwhile, and
//     what gathered over a long time must not be counted as if it had happened in one tick.
//   - The first sample of a series counts from zero only if the counter was born in that tick: its pod
//     was, or its created timestamp says so, or its target was scraped before, within Gap, and did not have
//     it yet. Otherwise the first sample is where counting begins.
//   - A series that ends is counted up to its last sample. Errors without any series are 0 errors.
//   - What is no count (NaN, infinite, negative, out of order) is left out and told.
//
// Nothing is counted twice, and nothing is lost but what lies before a first sample or in a gap.
//
// # Reading in pieces
//
// The increases of a tick depend on samples of the tick and of Grid.Gap before it, and on nothing else.
// So whoever reads from Grid.ReadFrom of the first tick that is wanted gets the same bits, whether history
// is read at once or piece by piece, before a restart or after. The other half is not to read a tick before
// all its samples have arrived: Grid.Complete.
package samples
