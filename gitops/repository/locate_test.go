package repository_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/belay-dev/belay/gitops"
)

func TestLocate(t *testing.T) {
	for name, c := range map[string]struct {
		// make returns the record and the head to ask for, and what to expect.
		make func(w *world) (record, head, stable, failed string)
		wide string // in Why when the interval is not exact
		src  func(*gitops.Source)
	}{
		"one commit": {make: func(w *world) (string, string, string, string) {
			l := w.commit("v1", map[string]string{app: deployment})
			u := w.edit("v2", app, ":v1", ":v2")
			return l, u, l, u
		}},
		"edits while v1 was live belong to stable": {make: func(w *world) (string, string, string, string) {
			record := w.commit("v1", map[string]string{app: deployment})
			w.commit("docs", map[string]string{"docs/a.md": "1"})
			l := w.edit("scale", app, "replicas: 3", "replicas: 4")
			u := w.edit("v2", app, ":v1", ":v2")
			return record, u, l, u
		}},
		"edits while v2 is live belong to nobody": {make: func(w *world) (string, string, string, string) {
			l := w.commit("v1", map[string]string{app: deployment})
			u := w.edit("v2", app, ":v1", ":v2")
			head := w.edit("scale", app, "replicas: 3", "replicas: 4")
			return l, head, l, u
		}},
		"v2 and v3 failed one after the other": {make: func(w *world) (string, string, string, string) {
			l := w.commit("v1", map[string]string{app: deployment})
			w.edit("v2", app, ":v1", ":v2")
			u := w.edit("v3", app, ":v2", ":v3")
			return l, u, l, u
		}},
		"v2 was reverted, then came v3": {make: func(w *world) (string, string, string, string) {
			record := w.commit("v1", map[string]string{app: deployment})
			w.edit("v2", app, ":v1", ":v2")
			l := w.edit("back", app, ":v2", ":v1")
			u := w.edit("v3", app, ":v1", ":v3")
			return record, u, l, u
		}},
		"v2 came, went and came again": {make: func(w *world) (string, string, string, string) {
			record := w.commit("v1", map[string]string{app: deployment})
			w.edit("v2", app, ":v1", ":v2")
			l := w.edit("back", app, ":v2", ":v1")
			u := w.edit("v2 again", app, ":v1", ":v2")
			head := w.edit("scale", app, "replicas: 3", "replicas: 4")
			return record, head, l, u
		}},
		"the template is written differently and says the same": {make: func(w *world) (string, string, string, string) {
			record := w.commit("v1", map[string]string{app: deployment})
			l := w.edit("style", app, `{name: LEVEL, value: "info"}`, "name: LEVEL\n          value: info", "# the one that serves", "# it")
			u := w.edit("v2", app, ":v1", ":v2")
			return record, u, l, u
		}},
		"the document moved to another file": {make: func(w *world) (string, string, string, string) {
			record := w.commit("v1", map[string]string{app: deployment})
			l := w.commit("mv", map[string]string{app: gone, "apps/checkout/web/d.yml": deployment})
			u := w.commit("v2", map[string]string{"apps/checkout/web/d.yml": v(deployment, "v2")})
			return record, u, l, u
		}},
		"a merge brought it": {make: func(w *world) (string, string, string, string) {
			l := w.commit("v1", map[string]string{app: deployment})
			w.git(w.work, "checkout", "-q", "-b", "feature")
			w.write("v2", map[string]string{app: v(deployment, "v2")})
			w.git(w.work, "checkout", "-q", "main")
			w.git(w.work, "merge", "-q", "--no-ff", "-m", "merge", "feature")
			w.git(w.work, "push", "-q", "origin", "HEAD:main")
			return l, w.head(), l, w.head()
		}},
		"the template did not change": {make: func(w *world) (string, string, string, string) {
			l := w.commit("v1", map[string]string{app: deployment})
			u := w.edit("scale", app, "replicas: 3", "replicas: 4")
			return l, u, u, u
		}},
		"nothing of F changed": {make: func(w *world) (string, string, string, string) {
			l := w.commit("v1", map[string]string{app: deployment})
			u := w.commit("docs", map[string]string{"a": "1"})
			return l, u, l, u
		}},
		"two documents with the name, one in another namespace": {make: func(w *world) (string, string, string, string) {
			record := w.commit("v1", map[string]string{app: deployment, "apps/checkout/other.yaml": strings.ReplaceAll(deployment, "namespace: shop", "namespace: staging")})
			l := w.edit("staging v2", "apps/checkout/other.yaml", ":v1", ":v2")
			u := w.edit("v2", app, ":v1", ":v2")
			return record, u, l, u
		}},
		"declared twice": {wide: "more than once", make: func(w *world) (string, string, string, string) {
			l := w.commit("v1", map[string]string{app: deployment, "apps/checkout/copy.yaml": deployment})
			u := w.edit("v2", app, ":v1", ":v2")
			return l, u, l, u
		}},
		"a chart": {wide: "Deployment shop/checkout is not declared in plain YAML", make: func(w *world) (string, string, string, string) {
			l := w.commit("v1", map[string]string{"apps/checkout/values.yaml": "image: a:v1\n", "apps/checkout/templates/d.yaml": "{{ if }}\n"})
			w.commit("x", map[string]string{"apps/checkout/values.yaml": "image: a:v1\nx: 1\n"})
			u := w.commit("v2", map[string]string{"apps/checkout/values.yaml": "image: a:v2\nx: 1\n"})
			return l, u, l, u
		}},
		"the record was rewritten": {wide: "rewritten", make: func(w *world) (string, string, string, string) {
			l := w.commit("v1", map[string]string{app: deployment})
			w.git(w.dir, "update-ref", "refs/keep/l", l)
			w.git(w.work, "commit", "-q", "--amend", "-m", "other words")
			w.git(w.work, "push", "-q", "-f", "origin", "HEAD:main")
			u := w.edit("v2", app, ":v1", ":v2")
			return l, u, l, u
		}},
		"history longer than the first steps of deepening": {make: func(w *world) (string, string, string, string) {
			record := w.commit("v1", map[string]string{app: deployment})
			for i := range 120 {
				w.write(fmt.Sprint("docs ", i), map[string]string{"docs/a.md": fmt.Sprint(i)})
			}
			l := w.edit("scale", app, "replicas: 3", "replicas: 4")
			u := w.edit("v2", app, ":v1", ":v2")
			return record, u, l, u
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			record, head, stable, failed := c.make(w)
			src := source()
			if c.src != nil {
				c.src(&src)
			}
			got, err := newEngine(t).Locate(t.Context(), w.repo(), src, record, head)
			if err != nil {
				t.Fatal(err)
			}
			if got.Stable != stable || got.Failed != failed || got.Exact != (c.wide == "") || !strings.Contains(got.Why, c.wide) {
				t.Errorf("got %+v\nwant %s..%s\n%s", got, stable, failed, w.git(w.dir, "log", "--format=%H %s", "main"))
			}
		})
	}
}

// What Locate excludes from the interval, Revert leaves alone.
func TestLocateThenRevertKeepsUnrelatedEdits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	record := w.commit("v1", map[string]string{app: deployment})
	w.edit("scale", app, "replicas: 3", "replicas: 4")
	w.edit("v2", app, ":v1", ":v2")
	head := w.edit("port", app, "port: 80\n", "port: 81\n")
	e := newEngine(t)
	interval, err := e.Locate(t.Context(), w.repo(), source(), record, head)
	if err != nil {
		t.Fatal(err)
	}
	o := order(interval.Stable, interval.Failed)
	o.Accepted = head
	if outcome := revert(t, e, w.repo(), o); outcome.Result != gitops.Committed || len(outcome.Culprits) != 1 {
		t.Fatalf("%+v", outcome)
	}
	want := strings.NewReplacer("replicas: 3", "replicas: 4", "port: 80\n", "port: 81\n").Replace(deployment)
	if got := w.show(app); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The clone has no contents but those that were needed, and no history but that.
func TestCloneIsBloblessAndShallow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.commit("big", map[string]string{"big.bin": strings.Repeat("unlikely to be needed ", 1000)})
	for i := range 20 {
		w.write(fmt.Sprint("docs ", i), map[string]string{"docs/a.md": fmt.Sprint(i)})
	}
	l := w.commit("v1", map[string]string{app: deployment})
	u := w.edit("v2", app, ":v1", ":v2")
	dir := t.TempDir()
	e := newEngineIn(t, dir)
	if _, err := e.Tip(t.Context(), w.repo(), source()); err != nil {
		t.Fatal(err)
	}
	clones, err := filepath.Glob(filepath.Join(dir, "*.git"))
	if err != nil || len(clones) != 1 {
		t.Fatalf("clones %q (%v)", clones, err)
	}
	if n := w.git(clones[0], "rev-list", "--count", "refs/belay/head"); n != "1" {
		t.Errorf("the first fetch brought %s commits", n)
	}
	if outcome := revert(t, e, w.repo(), order(l, u)); outcome.Result != gitops.Committed {
		t.Fatalf("%+v", outcome)
	}
	big := w.git(w.dir, "rev-parse", "main:big.bin")
	have := w.git(clones[0], "cat-file", "--batch-all-objects", "--batch-check")
	if strings.Contains(have, big) {
		t.Error("the clone has a file that no revert needed")
	}
	if !strings.Contains(have, w.git(w.dir, "rev-parse", "main:"+app)) {
		t.Error("this test looks at the wrong place: the file that was read is not there either")
	}
	if entries, _ := os.ReadDir(filepath.Join(dir, "scratch")); len(entries) != 0 {
		t.Errorf("%d temporary directories are left", len(entries))
	}
	for _, name := range []string{"HEAD", "config"} {
		if _, err := os.Stat(filepath.Join(clones[0], name)); err != nil {
			t.Error(err)
		}
	}
	if strings.Contains(w.git(clones[0], "config", "--list", "--local"), "worktree") {
		t.Error("the clone has a work tree")
	}
}

// With the whole of a large repository as F, the workload is not searched for, and the revert works.
func TestTooManyManifests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	files := map[string]string{app: deployment}
	for i := range 2001 {
		files[fmt.Sprintf("many/%d.yaml", i)] = fmt.Sprintf("a: %d\n", i)
	}
	l := w.commit("v1", files)
	u := w.edit("v2", app, ":v1", ":v2")
	src := source()
	src.Paths = []string{"."}
	e := newEngine(t)
	got, err := e.Locate(t.Context(), w.repo(), src, l, u)
	if err != nil || got.Exact || !strings.Contains(got.Why, "too many") {
		t.Errorf("%+v %v", got, err)
	}
	o := order(l, u)
	o.Paths = src.Paths
	if outcome := revert(t, e, w.repo(), o); outcome.Result != gitops.Committed || w.show(app) != deployment {
		t.Errorf("%+v", outcome)
	}
}

// As long as the clone is shallow, a server believes that it has the files of its commits.
func TestLongHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.commit("v0", map[string]string{app: v(deployment, "v0"), "apps/checkout/logo.png": "\x89\x00"})
	for i := range 120 {
		w.write(fmt.Sprint("docs ", i), map[string]string{"docs/a.md": fmt.Sprint(i)})
	}
	l := w.commit("v1", map[string]string{app: deployment, "apps/checkout/logo.png": "\x89\x01"})
	u := w.commit("v2", map[string]string{app: v(deployment, "v2"), "apps/checkout/logo.png": "\x89\x02"})
	head := w.edit("scale", app, "replicas: 3", "replicas: 4")
	dir := t.TempDir()
	e := newEngineIn(t, dir)
	got, err := e.Locate(t.Context(), w.repo(), source(), l, head)
	if err != nil || got.Stable != l || got.Failed != u {
		t.Fatalf("%+v %v", got, err)
	}
	clones, _ := filepath.Glob(filepath.Join(dir, "*.git"))
	if _, err := os.Stat(filepath.Join(clones[0], "shallow")); err != nil {
		t.Errorf("this test needs a clone that is still shallow: %v", err)
	}
	o := order(l, u)
	o.Accepted = head
	repo := w.repo()
	repo.CommitsPerHour = 5
	if outcome := revert(t, e, repo, o); outcome.Result != gitops.Committed {
		t.Fatalf("%+v", outcome)
	}
	if got := w.show(app); got != strings.ReplaceAll(deployment, "replicas: 3", "replicas: 4") || w.show("apps/checkout/logo.png") != "\x89\x01" {
		t.Errorf("got\n%s", got)
	}
}

// A server that knows no partial clones sends everything, and it works all the same.
func TestServerWithoutFilter(t *testing.T) {
	t.Parallel()
	w, l, u := bumped(t)
	w.git(w.dir, "config", "uploadpack.allowFilter", "false")
	w.edit("scale", app, "replicas: 3", "replicas: 4")
	o := order(l, u)
	o.Accepted = w.head()
	if outcome := revert(t, newEngine(t), w.repo(), o); outcome.Result != gitops.Committed {
		t.Fatalf("%+v", outcome)
	}
}

// A clone that was cut off or damaged is made again.
func TestDamagedClone(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, clone string){
		"objects lost": func(t *testing.T, clone string) {
			packs, _ := filepath.Glob(filepath.Join(clone, "objects", "pack", "*.pack"))
			if len(packs) == 0 {
				t.Fatal("no packs")
			}
			for _, p := range packs {
				if err := os.Remove(p); err != nil {
					t.Fatal(err)
				}
			}
		},
		"half initialised": func(t *testing.T, clone string) {
			for _, f := range []string{"belay-ready", "HEAD"} {
				if err := os.Remove(filepath.Join(clone, f)); err != nil {
					t.Fatal(err)
				}
			}
		},
		"no HEAD": func(t *testing.T, clone string) {
			if err := os.Remove(filepath.Join(clone, "HEAD")); err != nil {
				t.Fatal(err)
			}
		},
		"locks left": func(t *testing.T, clone string) {
			for _, f := range []string{"shallow.lock", "refs/belay/head.lock", "config.lock"} {
				if err := os.WriteFile(filepath.Join(clone, f), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, l, u := bumped(t)
			dir := t.TempDir()
			if _, err := newEngineIn(t, dir).Tip(t.Context(), w.repo(), source()); err != nil {
				t.Fatal(err)
			}
			clones, _ := filepath.Glob(filepath.Join(dir, "*.git"))
			damage(t, clones[0])
			if outcome := revert(t, newEngineIn(t, dir), w.repo(), order(l, u)); outcome.Result != gitops.Committed {
				t.Fatalf("%+v", outcome)
			}
		})
	}
}
