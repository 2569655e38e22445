package repository

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/belay-dev/belay/gitops"
)

// maxPushes bounds how often one call pushes. A branch that is faster than that is left to the
// next call.
const maxPushes = 10

// Revert implements gitops.Engine.
func (e *Engine) Revert(ctx context.Context, repo gitops.Repository, order gitops.Revert) (gitops.Outcome, error) {
	if err := e.validateOrder(repo, order); err != nil {
		return gitops.Outcome{}, err
	}
	var outcome gitops.Outcome
	err := e.with(ctx, repo, order.Source, func(s *session) error {
		var err error
		outcome, err = s.revert(ctx, order)
		return err
	})
	if err != nil {
		return gitops.Outcome{}, err
	}
	return outcome, nil
}

func (e *Engine) validateOrder(repo gitops.Repository, order gitops.Revert) error {
	if err := validateID("the stable commit", order.Stable); err != nil {
		return err
	}
	if err := validateID("the failed commit", order.Failed); err != nil {
		return err
	}
	if order.Accepted != "" {
		if err := validateID("the accepted head", order.Accepted); err != nil {
			return err
		}
	}
	if order.Failure.At.IsZero() {
		return unsupported("the time of the failure is missing: it is the date of the commit")
	}
	if repo.CommitsPerHour > 0 && e.options.Now == nil {
		return unsupported("a limit of commits per hour needs a clock")
	}
	return nil
}

// revert computes and pushes until the push is not beaten by another one.
func (s *session) revert(ctx context.Context, order gitops.Revert) (gitops.Outcome, error) {
	for range maxPushes {
		head, err := s.fetchHead(ctx)
		if err != nil {
			return gitops.Outcome{}, err
		}
		p := &proposal{session: s, order: order, head: head}
		outcome, err := p.compute(ctx)
		if err != nil || outcome.Result != gitops.Committed {
			return outcome, err
		}
		if order.Planned != nil {
			if err := order.Planned(outcome.Key, outcome.Commit); err != nil {
				return gitops.Outcome{}, err
			}
		}
		verdict, err := s.push(ctx, outcome.Commit)
		if err != nil {
			return gitops.Outcome{}, err
		}
		if verdict == pushed {
			outcome.Head, err = s.tip(ctx, outcome.Commit)
			return outcome, err
		}
	}
	return gitops.Outcome{}, &gitops.Error{Class: gitops.ClassTransient,
		Text: fmt.Sprintf("branch %q moved at each of %d attempts to push", order.Branch, maxPushes)}
}

// push never forces: the server refuses what does not follow its head.
func (s *session) push(ctx context.Context, commit string) (pushVerdict, error) {
	c := call{
		args:    []string{"push", "--porcelain", "--no-verify", "--no-signed", "--no-follow-tags", "--end-of-options", "origin", commit + ":refs/heads/" + s.src.Branch},
		network: true,
		exits:   []int{1},
	}
	a, err := s.run(ctx, c)
	if err != nil {
		return failed, err
	}
	if a.exit == 0 {
		return pushed, nil
	}
	verdict, reason := readPush(string(a.out))
	switch verdict {
	case beaten:
		return beaten, nil
	case denied:
		return denied, &gitops.Error{Class: gitops.ClassDenied, Text: deniedText(s.src.Branch, reason, a.stderr), Detail: a.stderr}
	default:
		return failed, classify(c, string(a.out), a.stderr)
	}
}

// proposal is one computation of the revert on one head.
type proposal struct {
	*session
	order gitops.Revert
	head  string

	changes []change // ΔF, from U to L being to and from
	outcome gitops.Outcome
	merged  merged
}

// compute says how the revert ends on this head: Committed with a commit that is not pushed yet,
// or anything else. The order of the steps is part of the promise, see the package's picture.
func (p *proposal) compute(ctx context.Context) (gitops.Outcome, error) {
	steps := []func(context.Context) error{
		p.delta,       // NotFromGit
		p.alreadyDone, // AlreadyReverted by key; Conflict if the branch was rewritten
		p.culprits,    // NoAutoRevert, OwnCommit
		p.merging,     // AlreadyReverted by content
		p.barrier,     // HeadMoved
		p.mergeable,   // Superseded, Conflict
		p.checked,     // Conflict
		p.limited,     // LimitReached
		p.committed,   // Committed
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return gitops.Outcome{}, err
		}
		if p.outcome.Result != "" {
			break
		}
	}
	return p.outcome, nil
}

func (p *proposal) end(result gitops.Result, format string, args ...any) {
	p.outcome.Result, p.outcome.Why = result, fmt.Sprintf(format, args...)
}

func (p *proposal) delta(ctx context.Context) error {
	var err error
	if p.outcome.Head, err = p.tip(ctx, p.head); err != nil {
		return err
	}
	if err := p.need(ctx, "the stable or the failed revision", p.order.Stable, p.order.Failed); err != nil {
		return err
	}
	if p.changes, err = p.diff(ctx, p.order.Stable, p.order.Failed, p.pathspecs()); err != nil {
		return err
	}
	if len(p.changes) == 0 {
		p.end(gitops.NotFromGit, "the files are the same at the stable and at the failed revision, so the change did not come from them")
		return nil
	}
	p.outcome.Key = revertKey(p.repo.URL, p.order.Branch, p.changes)
	return nil
}

func (p *proposal) alreadyDone(ctx context.Context) error {
	reaches, err := p.reaches(ctx, p.order.Failed, p.head)
	if err != nil {
		return err
	}
	if !reaches {
		p.end(gitops.Conflict, "the failed commit is not on the history of branch %q: it was rewritten", p.order.Branch)
		return nil
	}
	p.outcome.Commit, err = p.carrier(ctx, p.order.Failed+".."+p.head, p.outcome.Key)
	if err == nil && p.outcome.Commit != "" {
		p.end(gitops.AlreadyReverted, "a commit with the key of this revert is on the branch")
	}
	return err
}

func (p *proposal) culprits(ctx context.Context) error {
	first, all, known, err := p.span(ctx, p.order.Interval, paths(p.changes))
	if err != nil {
		return err
	}
	if !known {
		// At least the commit that brought the failing revision has its say.
		if first, err = p.log(ctx, p.order.Failed, []string{"--no-walk"}); err != nil {
			return err
		}
		all = first
	}
	for _, c := range all {
		if forbidsRevert(c.message) {
			p.outcome.Commit = c.id
			p.end(gitops.NoAutoRevert, "a commit of the failed change has the trailer %s: true", trailerNoAuto)
			return nil
		}
	}
	if len(first) > 0 && isOurs(first[0].message) {
		p.outcome.Commit = first[0].id
		p.end(gitops.OwnCommit, "the failed change is itself a revert, and a revert is not reverted automatically")
		return nil
	}
	if !known {
		return nil
	}
	for _, c := range first {
		p.outcome.Culprits = append(p.outcome.Culprits, gitops.Culprit{Commit: c.id, Author: clean(c.author), Subject: clean(c.subject)})
	}
	return nil
}

func (p *proposal) merging(ctx context.Context) error {
	var err error
	p.merged, err = p.merge(ctx, p.head, p.changes)
	if err != nil || !p.merged.clean() {
		return err
	}
	tree, err := p.text(ctx, "rev-parse", "--verify", p.head+"^{tree}")
	if err != nil || tree != p.merged.tree {
		return err
	}
	p.end(gitops.AlreadyReverted, "the branch has the stable contents again")
	since, err := p.log(ctx, p.order.Failed+".."+p.head, []string{"--first-parent"}, paths(p.changes)...)
	if err == nil && len(since) > 0 {
		p.outcome.Commit = since[0].id
	}
	return err
}

// barrier stops when somebody changed our inputs after the failing revision went live: it may be the fix.
func (p *proposal) barrier(ctx context.Context) error {
	known := p.order.Failed
	if p.order.Accepted != "" {
		known = p.order.Accepted
		if err := p.need(ctx, "the accepted head", known); err != nil {
			return err
		}
	}
	judged, err := p.tip(ctx, known)
	if err == nil && judged.Inputs != p.outcome.Head.Inputs {
		p.end(gitops.HeadMoved, "the files changed on branch %q after the failed revision", p.order.Branch)
	}
	return err
}

func (p *proposal) mergeable(context.Context) error {
	switch {
	case len(p.merged.blocked) > 0:
		p.outcome.Files = p.merged.blocked
		p.end(gitops.Conflict, "the change cannot be taken back automatically: %s", p.merged.blocked[0])
	case len(p.merged.superseded) > 0:
		p.outcome.Files = p.merged.superseded
		p.end(gitops.Superseded, "branch %q has newer values where the failed ones were: %s", p.order.Branch, p.merged.superseded[0])
	}
	return nil
}

func (p *proposal) checked(ctx context.Context) error {
	written, problem, err := p.check(ctx)
	if err != nil {
		return err
	}
	p.outcome.Files = written
	if problem != "" {
		p.end(gitops.Conflict, "the revert would not do what it should: %s", problem)
	}
	return nil
}

func (p *proposal) limited(ctx context.Context) error {
	if p.repo.CommitsPerHour <= 0 {
		return nil
	}
	n, err := p.spent(ctx, p.head, p.engine.options.Now().Add(-time.Hour))
	if err == nil && n >= p.repo.CommitsPerHour {
		p.end(gitops.LimitReached, "branch %q has had its %d reverts of this hour: look for a cause that the failures have in common", p.order.Branch, p.repo.CommitsPerHour)
	}
	return err
}

func (p *proposal) committed(ctx context.Context) error {
	commit, err := p.revertCommit(ctx, p.merged.tree, p.head, facts{
		key: p.outcome.Key, files: p.outcome.Files, culprits: p.outcome.Culprits,
		interval: p.order.Interval, author: p.repo.Author, failure: p.order.Failure,
	})
	if err != nil {
		return err
	}
	p.outcome.Commit = commit
	p.end(gitops.Committed, "reverted %s on branch %q", strings.Join(p.outcome.Files, ", "), p.order.Branch)
	return nil
}
