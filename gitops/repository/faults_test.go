package repository_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/belay-dev/belay/gitops"
)

// failing makes a program that is git, but that one of its runs fails: with what git says then, before or after git did it.
func failing(t *testing.T, at int, says, when string) (program string, runs func() int) {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	counter, program := filepath.Join(dir, "runs"), filepath.Join(dir, "git")
	script := fmt.Sprintf(`#!/bin/sh
echo run >>%[1]s
[ $(wc -l <%[1]s) -eq %[2]d ] || exec %[3]s "$@"
[ '%[4]s' = before ] || %[3]s "$@" >/dev/null 2>&1
echo '%[5]s' >&2
exit 128
`, counter, at, git, when, says)
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return program, func() int {
		text, err := os.ReadFile(counter)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), "\n")
	}
}

// release is what the controller asks of Git in one release that fails, up to the revert.
func release(t *testing.T, e gitops.Engine, repo gitops.Repository, o gitops.Revert) (gitops.Outcome, error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := e.Tip(ctx, repo, o.Source); err != nil {
		return gitops.Outcome{}, err
	}
	if _, err := e.Locate(ctx, repo, o.Source, o.Stable, o.Failed); err != nil {
		return gitops.Outcome{}, err
	}
	return e.Revert(ctx, repo, o)
}

var every = flag.Bool("every", false, "let every single run of git fail in every way, which takes some minutes")

// Whichever run of git fails, and however: it is tried again, and there is one commit in the end that says what it should.
func TestRunsOfGitFail(t *testing.T) {
	t.Parallel()
	faults := []struct{ says, when string }{
		{"fatal: unable to read tree 3f3f3f3f", "before"},              // the clone is at fault
		{"fatal: out of memory", "before"},                             // the machine is
		{"fatal: the remote end hung up unexpectedly", "after it ran"}, // done, but not known to be
	}
	w := newWorld(t)
	l := kustomized(w)
	u := w.edit("v2", prodFile, "newTag: v1", "newTag: v2")
	head := w.edit("note", prodFile, "- name: registry.example.com/checkout\n", "- name: registry.example.com/checkout # ours\n")
	want := strings.ReplaceAll(w.show(prodFile), "newTag: v2", "newTag: v1")
	o := order(l, u)
	o.Source, o.Accepted = prodSource(), head
	repo := w.repo()
	repo.CommitsPerHour = 5
	// A release runs git about 150 times.
	at, step := 1, 8
	if *every {
		step = 1
	}
	for turn, reached := 0, true; reached; turn++ {
		for i, fault := range faults {
			if !*every && i != turn%len(faults) {
				continue
			}
			w.git(w.dir, "update-ref", "refs/heads/main", head)
			e := newEngine(t)
			program, runs := failing(t, at, fault.says, fault.when)
			e.UseGit(program)
			outcome, err := release(t, e, repo, o)
			reached = runs() >= at
			if err != nil {
				wantClass(t, err, gitops.ClassTransient)
				outcome, err = release(t, e, repo, o)
			}
			if err != nil || outcome.Result != gitops.Committed && outcome.Result != gitops.AlreadyReverted {
				t.Errorf("run %d, %s: %+v, %v", at, fault.says, outcome, err)
			}
			if got := w.show(prodFile); got != want || w.ours() != 1 || w.head() != outcome.Commit {
				t.Errorf("run %d, %s: %d reverts, the file is\n%s", at, fault.says, w.ours(), got)
			}
		}
		at += step
	}
	if at < 60 {
		t.Errorf("only %d runs of git", at)
	}
}
