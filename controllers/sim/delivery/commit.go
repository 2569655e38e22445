package delivery

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Commit is one state of the branch and where it came from. It never changes.
type Commit struct {
	ID, Author, Message string
	When                time.Time
	// Files are shared: never change them.
	Files Files
	// NoAutoRevert is the trailer that asks to be left alone.
	NoAutoRevert bool
	// Key of the revert that it is; empty: a person's commit.
	Key string
	// Reverts are the commits that it takes out.
	Reverts []string

	parent *Commit
}

func (c *Commit) sealed() *Commit {
	parent := ""
	if c.parent != nil {
		parent = c.parent.ID
	}
	c.ID = digest("commit", parent, c.Author, c.Message, fmt.Sprint(c.When.Unix(), c.NoAutoRevert), c.Key,
		strings.Join(c.Reverts, " "), c.Files.identity())
	return c
}

// reaches says whether a commit is on the history of this one.
func (c *Commit) reaches(ancestor *Commit) bool {
	for at := c; at != nil; at = at.parent {
		if at == ancestor {
			return true
		}
	}
	return false
}

// since lists the commits after another one up to this one, newest first. Without paths all, else those that changed one of
// the files at the paths.
func (c *Commit) since(from *Commit, paths ...string) []*Commit {
	var out []*Commit
	for at := c; at != nil && at != from; at = at.parent {
		if len(paths) == 0 || at.touches(paths) {
			out = append(out, at)
		}
	}
	return out
}

func (c *Commit) touches(paths []string) bool {
	var before Files
	if c.parent != nil {
		before = c.parent.Files
	}
	return len(differing(before, c.Files, paths)) > 0
}

// takesOut says whether this is a commit of ours that takes another one out.
func (c *Commit) takesOut(failed string) bool {
	return c.Key != "" && slices.Contains(c.Reverts, failed)
}
