package delivery

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/belay-dev/belay/gitops"
)

// proposal is one computation of a revert on one head.
type proposal struct {
	repo                 *Repository
	limit                int
	order                gitops.Revert
	head, stable, failed *Commit

	changed []string // ΔF
	merged  merged
	outcome gitops.Outcome
	commit  *Commit
}

// propose says how a revert ends on this head: Committed with a commit that is not pushed yet, or anything else.
func (r *Repository) propose(repo gitops.Repository, order gitops.Revert) (*proposal, error) {
	head, err := r.open(repo, order.Source)
	if err != nil {
		return nil, err
	}
	bounds, err := r.need(order.Stable, order.Failed)
	if err != nil {
		return nil, err
	}
	p := &proposal{repo: r, limit: repo.CommitsPerHour, order: order, head: head, stable: bounds[0], failed: bounds[1]}
	p.outcome.Head = tip(head, order.Source)
	steps := []func() error{
		p.delta,       // NotFromGit
		p.alreadyDone, // AlreadyReverted by key; Conflict if the branch was rewritten
		p.culprits,    // NoAutoRevert, OwnCommit
		p.merging,     // AlreadyReverted by content
		p.barrier,     // HeadMoved
		p.mergeable,   // Superseded, Conflict
		p.checked,     // Conflict
		p.limited,     // LimitReached
		p.committed(repo.Author),
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
		if p.outcome.Result != "" {
			break
		}
	}
	return p, nil
}

func (p *proposal) end(result gitops.Result, format string, args ...any) {
	p.outcome.Result, p.outcome.Why = result, fmt.Sprintf(format, args...)
}

func (p *proposal) delta() error {
	p.changed = differing(p.stable.Files, p.failed.Files, p.order.Paths)
	if len(p.changed) == 0 {
		p.end(gitops.NotFromGit, "the files are the same at the stable and at the failed revision, so the change did not come from them")
		return nil
	}
	parts := []string{p.repo.opts.URL, p.order.Branch}
	for _, name := range p.changed {
		parts = append(parts, name, idOf(p.stable.Files[name]), idOf(p.failed.Files[name]))
	}
	p.outcome.Key = digest(parts...)
	return nil
}

func (p *proposal) alreadyDone() error {
	if !p.head.reaches(p.failed) {
		p.end(gitops.Conflict, "the failed commit is not on the history of branch %q: it was rewritten", p.order.Branch)
		return nil
	}
	for _, c := range p.head.since(p.failed) {
		if c.Key == p.outcome.Key {
			p.outcome.Commit = c.ID
			p.end(gitops.AlreadyReverted, "a commit with the key of this revert is on the branch")
			break
		}
	}
	return nil
}

func (p *proposal) culprits() error {
	known := p.failed.reaches(p.stable)
	found := []*Commit{p.failed} // at least the commit that brought the failing revision has its say
	if known {
		found = p.failed.since(p.stable, p.changed...)
	}
	for _, c := range found {
		if c.NoAutoRevert {
			p.outcome.Commit = c.ID
			p.end(gitops.NoAutoRevert, "a commit of the failed change has the trailer No-Auto-Revert: true")
			return nil
		}
	}
	if len(found) > 0 && found[0].Key != "" {
		p.outcome.Commit = found[0].ID
		p.end(gitops.OwnCommit, "the failed change is itself a revert, and a revert is not reverted automatically")
		return nil
	}
	if known {
		for _, c := range found {
			p.outcome.Culprits = append(p.outcome.Culprits, gitops.Culprit{Commit: c.ID, Author: c.Author, Subject: c.Message})
		}
	}
	return nil
}

func (p *proposal) merging() error {
	p.merged = takeOut(p.stable.Files, p.failed.Files, p.head.Files, p.changed)
	if !p.merged.clean() || p.merged.files.identity() != p.head.Files.identity() {
		return nil
	}
	p.end(gitops.AlreadyReverted, "the branch has the stable contents again")
	if since := p.head.since(p.failed, p.changed...); len(since) > 0 {
		p.outcome.Commit = since[0].ID
	}
	return nil
}

// barrier stops when somebody changed our inputs after the failing revision went live: it may be the fix.
func (p *proposal) barrier() error {
	known := p.failed
	if p.order.Accepted != "" {
		accepted, err := p.repo.need(p.order.Accepted)
		if err != nil {
			return err
		}
		known = accepted[0]
	}
	if tip(known, p.order.Source).Inputs != p.outcome.Head.Inputs {
		p.end(gitops.HeadMoved, "the files changed on branch %q after the failed revision", p.order.Branch)
	}
	return nil
}

func (p *proposal) mergeable() error {
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

// checked proves that the workload gets the stable template.
func (p *proposal) checked() error {
	p.outcome.Files = differing(p.head.Files, p.merged.files, []string{"."})
	stable, us := templateOf(p.stable.Files, p.order.Source), templateOf(p.merged.files, p.order.Source)
	switch {
	case stable.why != "":
	case us.why != "":
		p.end(gitops.Conflict, "the revert would not do what it should: %s", us.why)
	case !us.same(stable):
		p.end(gitops.Conflict, "the revert would not do what it should: the workload would not get the stable template")
	}
	return nil
}

func (p *proposal) limited() error {
	if p.limit <= 0 {
		return nil
	}
	hourAgo, spent := p.repo.opts.Schedule.Now().Add(-time.Hour), 0
	for _, c := range p.head.since(nil) {
		if c.Key != "" && c.When.After(hourAgo) {
			spent++
		}
	}
	if spent >= p.limit {
		p.end(gitops.LimitReached, "branch %q has had its %d reverts of this hour: look for a cause that the failures have in common", p.order.Branch, p.limit)
	}
	return nil
}

func (p *proposal) committed(author gitops.Identity) func() error {
	return func() error {
		reverts := []string{p.failed.ID}
		for _, c := range p.outcome.Culprits {
			if c.Commit != p.failed.ID {
				reverts = append(reverts, c.Commit)
			}
		}
		f := p.order.Failure
		c := &Commit{
			Author: author.Name, When: f.At, Files: maps.Clone(p.merged.files), Key: p.outcome.Key, Reverts: reverts, parent: p.head,
			Message: fmt.Sprintf("Revert %s/%s/%s to %s: %s %s %s", f.Cluster, f.Namespace, f.Rollout, f.Stable, f.Headline, f.Step, f.Reason),
		}
		p.commit = c.sealed()
		p.outcome.Commit = p.commit.ID
		p.end(gitops.Committed, "reverted %s on branch %q", strings.Join(p.outcome.Files, ", "), p.order.Branch)
		return nil
	}
}
