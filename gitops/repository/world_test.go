package repository_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/belay-dev/belay/gitops"
	"github.com/belay-dev/belay/gitops/repository"
)

// failedAt is when all failures of these tests happened; commits of the histories are a minute apart before it.
func failedAt() time.Time { return time.Date(2026, 11, 22, 5, 1, 33, 0, time.UTC) }

// world is a Git server with one bare repository, and a person with a work tree who pushes to it.
type world struct {
	t    *testing.T
	dir  string // the bare repository
	work string
	tick int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	root := t.TempDir()
	w := &world{t: t, dir: filepath.Join(root, "apps.git"), work: filepath.Join(root, "work")}
	w.git(root, "init", "-q", "--bare", "-b", "main", w.dir)
	w.git(w.dir, "config", "uploadpack.allowFilter", "true")
	w.git(root, "init", "-q", "-b", "main", w.work)
	w.git(w.work, "remote", "add", "origin", w.dir)
	return w
}

func (w *world) git(dir string, args ...string) string {
	w.t.Helper()
	out, err := w.tryGit(dir, args...)
	if err != nil {
		w.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (w *world) tryGit(dir string, args ...string) (string, error) {
	w.tick++
	date := fmt.Sprintf("@%d +0000", failedAt().Add(-time.Hour).Add(time.Duration(w.tick)*time.Second).Unix())
	cmd := exec.CommandContext(w.t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Ada Example", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_AUTHOR_DATE="+date,
		"GIT_COMMITTER_NAME=Ada Example", "GIT_COMMITTER_EMAIL=ada@example.com", "GIT_COMMITTER_DATE="+date)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return strings.TrimSpace(out.String()), err
}

const gone = "\x00gone"

// commit writes files (gone deletes one), commits and pushes. It returns the commit's id.
func (w *world) commit(message string, files map[string]string) string {
	w.t.Helper()
	w.write(message, files)
	w.git(w.work, "push", "-q", "origin", "HEAD:main")
	return w.git(w.work, "rev-parse", "HEAD")
}

func (w *world) write(message string, files map[string]string) {
	w.t.Helper()
	for name, content := range files {
		full := filepath.Join(w.work, name)
		if content == gone {
			if err := os.Remove(full); err != nil {
				w.t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
	w.git(w.work, "add", "-A")
	w.git(w.work, "commit", "-q", "--allow-empty", "-m", message)
}

// edit is commit with one file in which some text is replaced.
func (w *world) edit(message, name string, oldnew ...string) string {
	w.t.Helper()
	return w.commit(message, map[string]string{name: w.replaced(name, oldnew...)})
}

func (w *world) replaced(name string, oldnew ...string) string {
	w.t.Helper()
	content, err := os.ReadFile(filepath.Join(w.work, name))
	if err != nil {
		w.t.Fatal(err)
	}
	text := string(content)
	for i := 0; i < len(oldnew); i += 2 {
		if !strings.Contains(text, oldnew[i]) {
			w.t.Fatalf("%s has no %q", name, oldnew[i])
		}
		text = strings.ReplaceAll(text, oldnew[i], oldnew[i+1])
	}
	return text
}

func (w *world) head() string { return w.git(w.dir, "rev-parse", "main") }

// show returns a file at the head of the server, or gone.
func (w *world) show(name string) string {
	cmd := exec.CommandContext(w.t.Context(), "git", "-C", w.dir, "show", "main:"+name)
	out, err := cmd.Output()
	if err != nil {
		return gone
	}
	return string(out)
}

// ours counts the reverts on the branch.
func (w *world) ours() int {
	return strings.Count(w.git(w.dir, "log", "--format=%(trailers:key=Belay-Revert-Key)", "main"), "Belay-Revert-Key:")
}

// hook installs a hook of the server.
func (w *world) hook(name, script string) {
	w.t.Helper()
	file := filepath.Join(w.dir, "hooks", name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) repo() gitops.Repository {
	return gitops.Repository{URL: "file://" + w.dir, Author: gitops.Identity{Name: "belay", Email: "belay@example.com"}}
}

func newEngine(t *testing.T) *repository.Engine {
	t.Helper()
	return newEngineIn(t, t.TempDir())
}

func newEngineIn(t *testing.T, dir string) *repository.Engine {
	t.Helper()
	e, err := repository.New(t.Context(), repository.Options{
		Dir: dir, AllowProtocols: []string{"file", "http"}, Now: failedAt, Log: func(text string) { t.Log(text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// app is where most histories put the workload.
const app = "apps/checkout/app.yaml"

func source() gitops.Source {
	return gitops.Source{Branch: "main", Paths: []string{"apps/checkout"},
		Workload: gitops.ObjectRef{Kind: "Deployment", Namespace: "shop", Name: "checkout"}}
}

// order is the revert of stable..failed.
func order(stable, failed string) gitops.Revert {
	return gitops.Revert{
		Source:   source(),
		Interval: gitops.Interval{Stable: stable, Failed: failed},
		Failure: gitops.Failure{
			Cluster: "prod-eu", Namespace: "shop", Rollout: "checkout", Stable: "v1",
			Headline: "error-rate 7.2% > 1%", Step: "3/6 (25%)",
			Evidence: []gitops.Evidence{
				{Name: "error-rate", Value: "7.2%", Limit: "1%", Remark: "canary 361/5012, stable 48/15110"},
				{Name: "p99 latency", Value: "0.81s", Limit: "1s", Remark: "pass"},
			},
			At: failedAt(), TrafficBack: failedAt().Add(time.Second),
		},
	}
}

func revert(t *testing.T, e gitops.Engine, repo gitops.Repository, order gitops.Revert) gitops.Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	outcome, err := e.Revert(ctx, repo, order)
	if err != nil {
		var detail *gitops.Error
		if errors.As(err, &detail) {
			t.Fatalf("Revert: %v (%s)\n%s", err, detail.Class, detail.Detail)
		}
		t.Fatalf("Revert: %v", err)
	}
	return outcome
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: checkout
  namespace: shop
spec:
  replicas: 3
  selector:
    matchLabels: {app: checkout}
  template:
    metadata:
      labels: {app: checkout}
    spec:
      containers:
      # the one that serves
      - name: checkout
        image: registry.example.com/checkout:v1 # {"$imagepolicy": "flux-system:checkout"}
        env:
        - {name: LEVEL, value: "info"}
        ports:
        - containerPort: 8080
---
apiVersion: v1
kind: Service
metadata:
  name: checkout
  namespace: shop
spec:
  selector: {app: checkout}
  ports:
  - port: 80
`
