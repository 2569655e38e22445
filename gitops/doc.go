// Package gitops is where a change came from, and how it is taken back.
//
// A failed revision that only leaves the traffic is not gone: the next sync, the next restart of
// the controller, the next cluster brings it back. So once traffic is on stable again, the commit
// that shipped the revision is reverted in Git, and Git and the cluster agree.
//
// # Vocabulary
//
//	F         the files that are inputs of one Rollout (Source.Paths)
//	L, U      Interval.Stable and Interval.Failed: the commit at which the stable template was
//	          live, and the one at which the failing template was first live
//	H         the head of the branch at this moment (Tip.Commit)
//	ΔF        the files of F that differ between L and U: what there is to revert
//	culprits  the commits of L..U, on first parents, that touched ΔF
//	key       the identity of a revert: repository, branch, ΔF and its contents at L and U. No
//	          cluster, no time: whoever reverts the same change arrives at the same key
//
// # Laws
//
//   - Traffic first, Git second. Nothing here is called before traffic is back on stable, and no
//     error from here changes what the traffic does.
//   - Only ΔF is written, and in it only what L..U changed. Edits made since are kept, or nothing
//     is written at all.
//   - Never a force push. The server's fast-forward check is the compare-and-swap; a beaten push
//     is computed again from the new head, not rebased.
//   - Exactly one commit per key, whoever crashes, retries or races.
//   - If F at the head is not what it was when the failing template went live (the head barrier), nothing is written
//     until the caller says that the cluster has applied that head and still runs the failing
//     template (Revert.Accepted).
//   - Errors say how they are to be handled (Error.Class), and their text is stable: it may stand
//     in a status without rewriting it at each attempt.
//
// The types are here; package repository is the engine that works on real repositories.
package gitops
