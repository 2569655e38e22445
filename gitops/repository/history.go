package repository

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/belay-dev/belay/gitops"
)

const (
	deepenBy   = 1000 // commits, when dates did not lead back far enough
	maxCommits = 2000 // looked at in one question
)

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
	when, err := s.date(ctx, ancestor)
	if err != nil {
		return false, err
	}
	since := when - 1
	if s.clone.covered != 0 {
		since = min(since, s.clone.covered) // a later date would cut off what is here
	}
	for _, how := range []string{fmt.Sprintf("--shallow-since=%d", since), fmt.Sprintf("--deepen=%d", deepenBy), "--unshallow"} {
		if !s.clone.shallow() {
			return false, nil // all of the history is here, and it is not in it
		}
		if err := s.fetch(ctx, []string{how}, s.branchSpec()); err != nil && !isNothingSelected(err) {
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

func (s *session) date(ctx context.Context, id string) (int64, error) {
	out, err := s.text(ctx, "show", "--no-patch", "--format=%ct", "--end-of-options", id)
	if err != nil {
		return 0, err
	}
	when, err := strconv.ParseInt(out, 10, 64)
	if err != nil {
		return 0, &damaged{detail: fmt.Sprintf("the date of a commit is %q", out)}
	}
	return when, nil
}

// log lists commits, newest first. extra are options, span a commit or from..to.
func (s *session) log(ctx context.Context, span string, extra []string, paths ...string) ([]commit, error) {
	args := append([]string{"log", "-z", "--no-show-signature", "--no-color", fmt.Sprintf("--max-count=%d", maxCommits),
		"--format=%H%x01%ct%x01%an%x01%s%x01%B"}, extra...)
	args = append(append(args, "--end-of-options", span, "--"), paths...)
	a, err := s.run(ctx, call{args: args})
	if err != nil {
		return nil, err
	}
	var commits []commit
	for _, record := range fields(a.out) {
		p := strings.SplitN(record, "\x01", 5)
		if len(p) != 5 {
			return nil, &damaged{detail: fmt.Sprintf("log answers %q", record)}
		}
		when, _ := strconv.ParseInt(p[1], 10, 64)
		commits = append(commits, commit{id: p[0], when: when, author: p[2], subject: p[3], message: p[4]})
	}
	return commits, nil
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
// the range.
const culpritBudget = time.Second

// spent counts the reverts on the branch since a moment, by their trailers: a restart of the
// controller does not forget them, and those of other clusters count.
func (s *session) spent(ctx context.Context, head string, since time.Time) (int, error) {
	recent := []string{fmt.Sprintf("--since=%d", since.Unix())}
	commits, err := s.log(ctx, head, recent)
	if err != nil {
		return 0, err
	}
	if !s.covers(commits, since) {
		// An hour more, so that the commit at which the history is cut is older than since.
		cut := since.Add(-time.Hour).Unix()
		err := s.fetch(ctx, []string{fmt.Sprintf("--shallow-since=%d", cut)}, s.branchSpec())
		if err != nil && !isNothingSelected(err) {
			return 0, err
		}
		s.clone.covered = cut
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

// covers says whether all commits since then are here: none of those found is where the history
// was cut, or it was fetched up to there before.
func (s *session) covers(found []commit, since time.Time) bool {
	if s.clone.covered != 0 && s.clone.covered <= since.Unix() {
		return true
	}
	cut, err := os.ReadFile(filepath.Join(s.clone.dir, "shallow"))
	if err != nil {
		return true
	}
	for _, c := range found {
		if strings.Contains(string(cut), c.id) {
			return false
		}
	}
	return true
}

// isNothingSelected recognises a server's answer to --shallow-since when no commit is that young.
func isNothingSelected(err error) bool {
	var e *gitops.Error
	return errors.As(err, &e) && strings.Contains(e.Detail, "no commits selected")
}

func (s *session) branchSpec() string { return "+refs/heads/" + s.src.Branch + ":" + headRef }
