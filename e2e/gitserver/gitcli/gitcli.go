// Package gitcli runs git with nothing of the person or machine it runs on: no global or system configuration, no prompts,
// and an identity that the caller gives.
package gitcli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Identity signs commits.
type Identity struct{ Name, Email string }

// Git is a repository's directory with what to run git with.
type Git struct {
	Dir string
	// Env is added to the environment, as NAME=value.
	Env []string
}

// As returns the same repository for commits by somebody.
func (g Git) As(who Identity) Git {
	return g.With("GIT_AUTHOR_NAME="+who.Name, "GIT_AUTHOR_EMAIL="+who.Email,
		"GIT_COMMITTER_NAME="+who.Name, "GIT_COMMITTER_EMAIL="+who.Email)
}

// With returns the same repository with more environment.
func (g Git) With(env ...string) Git {
	g.Env = append(g.Env[:len(g.Env):len(g.Env)], env...)
	return g
}

// Run runs git and returns what it printed, without the last line's end.
func (g Git) Run(ctx context.Context, args ...string) (string, error) {
	return g.Feed(ctx, "", args...)
}

// Feed is Run with a standard input.
func (g Git) Feed(ctx context.Context, input string, args ...string) (string, error) {
	out, err := g.Raw(ctx, input, args...)
	return strings.TrimSuffix(out, "\n"), err
}

// Raw is Feed with the output to the byte. An error carries what git said.
func (g Git) Raw(ctx context.Context, input string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = g.Dir
	cmd.Env = append(Clean(), g.Env...)
	cmd.Stdin = strings.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), errors.Join(err, ctx.Err()), strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}

// Clean is the environment that git runs with.
func Clean() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + os.DevNull,
		"LC_ALL=C",
		"GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0",
	}
}
