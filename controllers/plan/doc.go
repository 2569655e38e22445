// Package plan decides. Decide takes one value, Observed, and gives one value, Plan: no client, no context, no clock,
// no randomness, no logger. Time is Observed.Now.
//
// A plan either records (Progress) or acts (Effects), never both. What is recorded in one round is acted on in a later
// one, with the recorded sequence as fence, so a crash, a stale cache or a deposed leader can neither shorten a step nor
// make a weight rise after an abort.
//
// The rules stand in one ordered list (rules.go); the first that applies decides. What protects users stands before
// what makes progress, so the order is the safety policy. Laws that hold over every plan are numbered in check.go.
//
//	Adopting → Resting ⇄ Held
//	              ↓       ↑
//	           Pinning → Stepping → Unpinning → HandingOver → Completing → Clearing → Resting
//	              ↓          ↓          ↓            (no return once the workload has taken the canary over)
//	              Aborting → Draining → Retiring → Held or Resting
//
// An attempt that is to end in HandingOver is called off first (calledoff.go).
package plan
