package gitserver

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Commit is one commit as the log shows it.
type Commit struct {
	SHA, Parent  string // Parent is empty for the first commit
	Name, Email  string // of the author
	When         time.Time
	Subject      string
	Message      string // subject and body
	ChangedFiles []string
}

// Head is the id of a branch's last commit, empty if there is no such branch.
func (r *Repository) Head(ctx context.Context, branch string) (string, error) {
	return r.git.Run(ctx, "for-each-ref", "--format=%(objectname)", "refs/heads/"+branch)
}

// File is the content of a file at a revision: a branch or a commit.
func (r *Repository) File(ctx context.Context, revision, path string) (string, error) {
	return r.git.Raw(ctx, "", "cat-file", "blob", revision+":"+path)
}

// Files lists the paths at a revision.
func (r *Repository) Files(ctx context.Context, revision string) ([]string, error) {
	out, err := r.git.Run(ctx, "ls-tree", "-r", "--name-only", revision)
	if err != nil || out == "" {
		return nil, err
	}
	return strings.Split(out, "\n"), nil
}

// Log lists up to limit commits from a revision back, the newest first.
func (r *Repository) Log(ctx context.Context, revision string, limit int) ([]Commit, error) {
	out, err := r.git.Run(ctx, "log", fmt.Sprintf("--max-count=%d", limit), "--name-only", "--no-renames",
		"--format=%x1e%H%x1f%P%x1f%an%x1f%ae%x1f%aI%x1f%s%x1f%B%x1f", revision)
	if err != nil {
		return nil, err
	}
	var commits []Commit
	for _, record := range strings.Split(out, "\x1e")[1:] {
		f := strings.Split(record, "\x1f")
		when, err := time.Parse(time.RFC3339, f[4])
		if err != nil {
			return nil, err
		}
		commits = append(commits, Commit{
			SHA: f[0], Parent: f[1], Name: f[2], Email: f[3], When: when, Subject: f[5], Message: strings.TrimSpace(f[6]),
			ChangedFiles: strings.FieldsFunc(f[7], func(c rune) bool { return c == '\n' }),
		})
	}
	return commits, nil
}
