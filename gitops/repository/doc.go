// Package repository is the gitops.Engine on real repositories, by the git command line.
//
// It keeps one bare clone without blobs per repository and branch, warm on disk, and never checks
// anything out: what costs in Git is the work tree, and a revert does not need one. The clone is
// shallow; history is fetched only as far back as a question needs it. A clone is a cache: it is
// thrown away and made again whenever it is damaged or has grown too much.
//
// # How a revert is made
//
//	fetch H ── ΔF(L,U) empty? ─────────────────────────► NotFromGit
//	  ▲   └─── key already in U..H? ───────────────────► AlreadyReverted
//	  │   └─── a culprit forbids it, or is ours? ──────► NoAutoRevert, OwnCommit
//	  │   └─── merge(base U, ours H, theirs U with ΔF of L)
//	  │          same tree as H? ──────────────────────► AlreadyReverted
//	  │          F changed since U (or Accepted)? ─────► HeadMoved
//	  │          conflict: field by field, else ───────► Superseded, Conflict
//	  │   └─── checks of the new tree fail? ───────────► Conflict
//	  │   └─── too many commits this hour? ────────────► LimitReached
//	  └─ beaten ── push, never forced ─────────────────► Committed
//
// # Laws
//
//   - Every access to the network is explicit: missing objects are never fetched behind our back,
//     so a forgotten prefetch is an error in a test and not a slow revert in production.
//   - git reads no configuration but ours, runs no hook, asks nobody, speaks only the protocols
//     that were allowed, and dies with its children at the deadline.
//   - Credentials reach git in its environment or in files that only we can read and that are
//     gone when the call returns. They are never in an argument, a remote's URL or an error.
package repository
