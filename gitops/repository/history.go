package repository

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/belay-dev/belay/gitops"
)

const maxCommits = 2000 // looked at in one question

// deepening are the steps in which more history is fetched. By number and not by date
// (--shallow-since): dates need not grow along a history, and where they do not, git cuts holes
// into it. By name (--shallow-exclude) it takes branches and tags only.
func deepening() []string {
	return []string{"--deepen=50", "--deepen=500", "--deepen=5000", "--unshallow"}
}

// commit is what a listing of the history says.
type commit struct {
	id, author, subject, message string
	when                         int64 // committer date, unix time
}

// reaches says whether ancestor is on the history of head, and fetches more of the branch's
// history until that is known.
func (s *session) reaches(ctx context.Context, ancestor, head string) (bool, error) {
	here, err := s.isAncestor(ctx, ancestor, head)
	if err != nil || here {
		return here, err
	}
	for _, how := range deepening() {
		if !s.clone.shallow() {
			return false, nil // all of the history is here, and it is not in it
		}
		if err := s.fetch(ctx, []string{how}, s.branchSpec()); err != nil {
			return false, err
		}
		if here, err = s.isAncestor(ctx, ancestor, head); err != nil || here {
			return here, err
		}
	}
	return false, nil
}

func (c *clone) shallow() bool {
	_, err := os.Stat(filepath.Join(c.dir, "shallow"))
	return err == nil
}

func (s *session) isAncestor(ctx context.Context, ancestor, head string) (bool, error) {
	a, err := s.run(ctx, call{args: []string{"merge-base", "--is-ancestor", ancestor, head}, exits: []int{1}})
	return err == nil && a.exit == 0, err
}

// log lists commits, newest first. extra are options, span a commit or from..to.
func (s *session) log(ctx context.Context, span string, extra []string, paths ...string) ([]commit, error) {
	args := append([]string{"log", "-z", "--no-show-signature", "--no-color", fmt.Sprintf("--max-count=%d", maxCommits),
		logFormat}, extra...)
	args = append(append(args, "--end-of-options", span, "--"), paths...)
	a, err := s.run(ctx, call{args: args})
	if err != nil {
		return nil, err
	}
	return commitsOf(a.out)
}

// carrier finds the commit that carries the key, whoever wrote it.
func (s *session) carrier(ctx context.Context, span, key string) (string, error) {
	commits, err := s.log(ctx, span, nil)
	if err != nil {
		return "", err
	}
	for _, c := range commits {
		for _, value := range trailers(c.message)[trailerKey] {
			if value == key {
				return c.id, nil
			}
		}
	}
	return "", nil
}

// span returns the commits of L..U that touched the paths: those on first parents, and all. ok is
// false when the history does not reach from one to the other, or not within the budget.
func (s *session) span(ctx context.Context, interval gitops.Interval, paths []string) (first, all []commit, ok bool, err error) {
	limit, cancel := context.WithTimeout(ctx, culpritBudget)
	defer cancel()
	ok, err = s.reaches(limit, interval.Stable, interval.Failed)
	if err != nil && limit.Err() != nil && ctx.Err() == nil {
		return nil, nil, false, nil
	}
	if err != nil || !ok {
		return nil, nil, false, err
	}
	between := interval.Stable + ".." + interval.Failed
	if first, err = s.log(ctx, between, []string{"--first-parent"}, paths...); err != nil {
		return nil, nil, false, err
	}
	all, err = s.log(ctx, between, []string{"--full-history"}, paths...)
	return first, all, err == nil, err
}

// culpritBudget bounds what the names of the culprits may cost; without them the message names
// the range, and only the failed commit itself can forbid its revert. So it is generous: usually
// Locate has brought the history long before.
const culpritBudget = 5 * time.Second

// spent counts the reverts on the branch since a moment, by their trailers: a restart of the
// controller does not forget them, and those of other clusters count.
func (s *session) spent(ctx context.Context, head string, since time.Time) (int, error) {
	recent := []string{fmt.Sprintf("--since=%d", since.Unix())}
	commits, err := s.log(ctx, head, recent)
	if err != nil {
		return 0, err
	}
	for _, how := range deepening() {
		if !s.cut(commits) {
			break
		}
		if err := s.fetch(ctx, []string{how}, s.branchSpec()); err != nil {
			return 0, err
		}
		if commits, err = s.log(ctx, head, recent); err != nil {
			return 0, err
		}
	}
	n := 0
	for _, c := range commits {
		if c.when > since.Unix() && isOurs(c.message) {
			n++
		}
	}
	return n, nil
}

// cut says whether the history ends at one of these commits only because no more was fetched.
func (s *session) cut(commits []commit) bool {
	ends, err := os.ReadFile(filepath.Join(s.clone.dir, "shallow"))
	if err != nil {
		return false // not shallow
	}
	for _, c := range commits {
		if strings.Contains(string(ends), c.id) {
			return true
		}
	}
	return false
}

func (s *session) branchSpec() string { return "+refs/heads/" + s.src.Branch + ":" + headRef }
