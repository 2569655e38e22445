package delivery

import (
	"fmt"
	"maps"
	"time"

	"github.com/belay-dev/belay/controllers/sim/schedule"
	"github.com/belay-dev/belay/gitops"
)

// RepositoryOptions of NewRepository. Schedule is required.
type RepositoryOptions struct {
	Schedule *schedule.Schedule
	// URL and Branch under which it is found; empty: "https://git.example.com/apps.git" and "main".
	URL, Branch string
	// Through has a process do something: now, later when it is halted, never when it is dead. Nil: always now.
	Through func(owner string, do func())
	// Race is what somebody pushes who is faster than a push of ours (Faults.Racing). Nil: a file that nobody declares
	// anything in.
	Race func()
}

// Repository is Git in memory: one branch. Its methods, and its Faults, are for the schedule's goroutine only; engines are for
// every other.
type Repository struct {
	// Faults of the server, at this moment.
	Faults Faults

	opts    RepositoryOptions
	head    *Commit
	commits map[string]*Commit
	ours    []*Commit
	pushed  []func(*Commit)
	calls   int
}

// Faults of a Git server. The zero value is a good day.
type Faults struct {
	// Least and Most that one trip to the server takes, there and back. Zero: 10 ms to 80 ms. Beyond a minute the call fails.
	Least, Most time.Duration
	// Down is the share of trips that fail and may succeed later.
	Down float64
	// Unanswered is the share of trips that arrive, and whose answer is lost.
	Unanswered float64
	// Racing is the share of pushes that somebody else beats.
	Racing float64
	// Locked: the credentials are not accepted. Denied: pushes are refused.
	Locked, Denied bool
}

// NewRepository makes a repository without a commit.
func NewRepository(o RepositoryOptions) *Repository {
	if o.URL == "" {
		o.URL = "https://git.example.com/apps.git"
	}
	if o.Branch == "" {
		o.Branch = "main"
	}
	if o.Through == nil {
		o.Through = straight
	}
	return &Repository{opts: o, commits: map[string]*Commit{}}
}

// URL of the repository.
func (r *Repository) URL() string { return r.opts.URL }

// Branch that exists.
func (r *Repository) Branch() string { return r.opts.Branch }

// Head of the branch; nil: nothing was pushed yet.
func (r *Repository) Head() *Commit { return r.head }

// Commit of an id, also one that is no longer on the branch; nil: it is not known.
func (r *Repository) Commit(id string) *Commit { return r.commits[id] }

// OnBranch says whether a commit is on the branch now.
func (r *Repository) OnBranch(id string) bool {
	c := r.commits[id]
	return c != nil && r.head != nil && r.head.reaches(c)
}

// Log lists the branch, newest first.
func (r *Repository) Log() []*Commit {
	if r.head == nil {
		return nil
	}
	return r.head.since(nil)
}

// Ours lists the commits that engines ever pushed, oldest first, also those that a person removed from the branch.
func (r *Repository) Ours() []*Commit { return r.ours }

// Reverts lists the commits of ours that took a failed one out (I7: at most one).
func (r *Repository) Reverts(failed string) []*Commit {
	var out []*Commit
	for _, c := range r.ours {
		if c.takesOut(failed) {
			out = append(out, c)
		}
	}
	return out
}

// Calls counts what engines asked so far.
func (r *Repository) Calls() int { return r.calls }

// OnPush has a function told of every new head.
func (r *Repository) OnPush(told func(*Commit)) { r.pushed = append(r.pushed, told) }

// Change is what a person pushes.
type Change struct {
	Message string
	// NoAutoRevert forbids its revert.
	NoAutoRevert bool
	// Edit changes the files of the head; it gets a copy. Nil: an empty commit.
	Edit func(Files)
}

// Push puts a person's change on the branch.
func (r *Repository) Push(author string, change Change) *Commit {
	files := Files{}
	if r.head != nil {
		files = maps.Clone(r.head.Files)
	}
	if change.Edit != nil {
		change.Edit(files)
	}
	c := &Commit{Author: author, Message: change.Message, When: r.opts.Schedule.Now(), Files: files, NoAutoRevert: change.NoAutoRevert, parent: r.head}
	return r.land(c.sealed())
}

// Undo pushes what git revert makes: every file of a commit that is still as it left it is as it was before. nil: there is
// nothing to undo.
func (r *Repository) Undo(author, id string) *Commit {
	c := r.commits[id]
	if c == nil || c.parent == nil {
		return nil
	}
	files := maps.Clone(r.head.Files)
	for _, name := range differing(c.parent.Files, c.Files, []string{"."}) {
		if idOf(files[name]) != idOf(c.Files[name]) {
			continue
		}
		if before := c.parent.Files[name]; before != nil {
			files[name] = before
		} else {
			delete(files, name)
		}
	}
	if files.identity() == r.head.Files.identity() {
		return nil
	}
	return r.Push(author, Change{Message: "Revert " + c.Message, Edit: func(f Files) { clear(f); maps.Copy(f, files) }})
}

// Amend replaces the newest commit by one with the same files and another message, as a forced push does.
func (r *Repository) Amend(author, message string) *Commit {
	c := &Commit{Author: author, Message: message, When: r.opts.Schedule.Now(), Files: r.head.Files, parent: r.head.parent}
	return r.land(c.sealed())
}

// land makes a commit the head.
func (r *Repository) land(c *Commit) *Commit {
	if known := r.commits[c.ID]; known != nil {
		c = known
	} else if c.Key != "" {
		r.ours = append(r.ours, c)
	}
	r.commits[c.ID], r.head = c, c
	for _, told := range r.pushed {
		told(c)
	}
	return c
}

// race is somebody who pushes at the same time.
func (r *Repository) race() {
	if r.opts.Race != nil {
		r.opts.Race()
		return
	}
	r.Push("somebody", Change{Message: "notes", Edit: func(f Files) {
		f["notes.md"] = Text(fmt.Sprint(len(r.commits)))
	}})
}

// fate of a trip to the server.
func (r *Repository) fate() journey {
	s, f := r.opts.Schedule, r.Faults
	r.calls++
	if f.Most == 0 {
		f.Least, f.Most = 10*time.Millisecond, 80*time.Millisecond
	}
	whole := s.Between(f.Least, f.Most)
	j := journey{there: whole / 2, back: whole - whole/2}
	switch {
	case f.Locked:
		j.refused = &gitops.Error{Class: gitops.ClassAuth, Text: "the Git server does not accept the credentials"}
	case s.Chance(f.Down):
		j.refused = &gitops.Error{Class: gitops.ClassTransient, Text: unreachable}
	case s.Chance(f.Unanswered):
		j.deaf = true
	}
	return j
}

const unreachable = "the Git server cannot be reached or does not answer as it should"
