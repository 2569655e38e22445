package gitserver

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/belay-dev/belay/e2e/gitserver/gitcli"
)

// Change is what a person commits.
type Change struct {
	Author  gitcli.Identity // "Dev <dev@example.com>" unless set
	Message string
	Files   map[string]string // whole contents by path
	Delete  []string
}

// Commit puts a change on top of a branch, which it creates if need be, and returns the commit's id.
func (r *Repository) Commit(ctx context.Context, branch string, change Change) (string, error) {
	if change.Author == (gitcli.Identity{}) {
		change.Author = gitcli.Identity{Name: "Dev", Email: "dev@example.com"}
	}
	dir, err := os.MkdirTemp("", "index-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	git := r.git.As(change.Author).With("GIT_INDEX_FILE=" + filepath.Join(dir, "index"))
	ref := "refs/heads/" + branch
	parent, err := git.Run(ctx, "for-each-ref", "--format=%(objectname)", ref)
	if err != nil {
		return "", err
	}
	tree, err := writeTree(ctx, git, parent, change)
	if err != nil {
		return "", err
	}
	args := []string{"commit-tree", tree}
	if parent != "" {
		args = append(args, "-p", parent)
	}
	commit, err := git.Feed(ctx, change.Message, args...)
	if err != nil {
		return "", err
	}
	old := parent
	if old == "" {
		old = strings.Repeat("0", len(commit))
	}
	if _, err := git.Run(ctx, "update-ref", ref, commit, old); err != nil {
		return "", err
	}
	r.notify()
	return commit, nil
}

func writeTree(ctx context.Context, git gitcli.Git, parent string, change Change) (string, error) {
	if parent != "" {
		if _, err := git.Run(ctx, "read-tree", parent); err != nil {
			return "", err
		}
	}
	var index strings.Builder
	for _, path := range slices.Sorted(maps.Keys(change.Files)) {
		blob, err := git.Feed(ctx, change.Files[path], "hash-object", "-w", "--stdin")
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&index, "100644 %s\t%s\n", blob, path)
	}
	for _, path := range change.Delete {
		fmt.Fprintf(&index, "0 %s\t%s\n", strings.Repeat("0", 40), path)
	}
	if _, err := git.Feed(ctx, index.String(), "update-index", "--index-info"); err != nil {
		return "", err
	}
	return git.Run(ctx, "write-tree")
}
