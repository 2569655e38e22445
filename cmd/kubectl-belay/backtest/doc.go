// Package backtest runs the analysis of a Rollout over history: how often it would have stopped a healthy release, and how
// soon it would have seen one with a known fault.
//
// Vocabulary: a frame is what stable's pods did in one tick, for every compare metric. An attempt that is replayed takes a
// random half of the pods for the canary and the other half for stable, climbs the Rollout's ladder, and ends as a real
// one would; the next one begins where it ended.
//
// Laws:
//   - the judges, the reading of samples and the limits are those of the controller;
//   - the same history and the same seed give the same report, byte by byte;
//   - memory does not grow with the length of history, but for the outcomes.
package backtest
