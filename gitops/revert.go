package gitops

import (
	"context"
	"time"
)

// Revert is an order to take a change out of a branch.
type Revert struct {
	Source
	Interval
	// Accepted is a head that the cluster has applied and with which it still runs the failing
	// template, so that what changed in F since U is known not to be the fix. Empty: U.
	Accepted string
	// Failure is what the message tells.
	Failure Failure
	// Planned is called before every push with the key and the id of the commit about to be
	// pushed, so that they can be recorded first. An error stops the revert; it is returned as is.
	// Nil: nobody records.
	Planned func(key, commit string) error
}

// Failure is what a person who finds the commit needs to know.
type Failure struct {
	// Cluster, Namespace and Rollout name who failed.
	Cluster, Namespace, Rollout string
	// Stable is the short name of the revision that Git goes back to ("v1"); empty: "stable".
	Stable string
	// Headline is the reason in a few words ("error-rate 7.2% > 1%"): it ends the subject.
	Headline string
	// Reason is the same as a sentence, for failures without evidence lines. Optional.
	Reason string
	// Step is where it failed ("3/6 (25%)"). Optional.
	Step string
	// Evidence is one line per metric.
	Evidence []Evidence
	// At is when it failed, and the date of the commit: it must be the same at every retry.
	At time.Time
	// TrafficBack is when the traffic was back on stable; zero: not said.
	TrafficBack time.Time
}

// Evidence is one line of the table in the message: name, value, limit and a remark ("pass",
// "canary 361/5012, stable 48/15110"). All are free text.
type Evidence struct{ Name, Value, Limit, Remark string }

// Result says how a revert ended when nothing went wrong on the way.
type Result string

const (
	// Committed: our commit is on the branch.
	Committed Result = "Committed"
	// AlreadyReverted: the branch already has what the revert would write.
	AlreadyReverted Result = "AlreadyReverted"
	// NotFromGit: F is the same at L and U, so the change did not come from these files.
	NotFromGit Result = "NotFromGit"
	// Superseded: the branch has a newer value where the failing one was. Nothing written.
	Superseded Result = "Superseded"
	// HeadMoved: F changed since U (or since Accepted). Nothing written: let the cluster apply
	// Outcome.Head; if it still runs the failing template then, call again with Accepted set to it.
	HeadMoved Result = "HeadMoved"
	// Conflict: the change cannot be taken back without a person. Nothing written.
	Conflict Result = "Conflict"
	// NoAutoRevert: a culprit asks with a trailer "No-Auto-Revert: true" not to be reverted.
	NoAutoRevert Result = "NoAutoRevert"
	// OwnCommit: the culprit is itself a revert of ours. There is no revert of a revert.
	OwnCommit Result = "OwnCommit"
	// LimitReached: Repository.CommitsPerHour is used up.
	LimitReached Result = "LimitReached"
)

// Outcome is how a revert ended.
type Outcome struct {
	Result Result
	// Commit is ours (Committed), the one that did it before us, if known (AlreadyReverted), or
	// the one that forbids it (NoAutoRevert, OwnCommit).
	Commit string
	// Key is the identity of the revert; empty when it did not come to computing it.
	Key string
	// Culprits are the commits that are reverted, newest first.
	Culprits []Culprit
	// Head is the branch as it was seen last.
	Head Tip
	// Files are those that were written (Committed) or that stand in the way (Conflict, Superseded).
	Files []string
	// Why is one sentence for a condition. Stable text.
	Why string
}

// Culprit is a commit that brought the failing change.
type Culprit struct{ Commit, Author, Subject string }

// Engine finds and reverts changes in repositories. It is safe for concurrent use.
type Engine interface {
	// Tip reads the head of the branch. Cheap when it has not moved.
	Tip(ctx context.Context, repo Repository, src Source) (Tip, error)
	// Locate finds L and U on the first parents of record..head: record is the commit recorded
	// as stable (it may be older than the truth), head the newest one to look at.
	Locate(ctx context.Context, repo Repository, src Source, record, head string) (Interval, error)
	// Revert takes the change L..U out of the branch. Calling it again with the same order is
	// harmless and leads to the same commit. Errors are *Error, except what Planned returned.
	Revert(ctx context.Context, repo Repository, order Revert) (Outcome, error)
}
