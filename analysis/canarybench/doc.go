// Package canarybench measures judges of canaries: Belay's own, and rules that others document, on
// streams whose truth is known. Its tables are in docs/analysis.md; `make bench-analysis` prints them.
//
// # Vocabulary
//
//	Truth     what a service does: its traffic, its bad share, the canary's, how pods differ
//	Stream    one course of it, drawn from a seed: a tick at a time, as the controller would read it
//	Rule      a way to judge, by name; New makes a Judge for one stream
//	Judge     sees ticks, says at any time whether it rolls back
//	bound     requests that no test needs fewer of on average, at this truth and this α
//	Check     a target of the design, what was measured, and whether it is met
//
// # Laws
//
//   - Chance comes from the seed: every replication has its own generator, made from the seed and its
//     number, and all judges of a cell see the same streams. The same seed prints the same tables on one
//     architecture, the cost of a tick aside.
//   - A rule of others is written down as its documentation has it, cited at its type, with the values
//     that the documentation shows.
//   - A rate is printed with its upper limit of 95 % confidence (Clopper and Pearson), and what is
//     compared with a target is the limit.
package canarybench
