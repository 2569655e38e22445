package repository_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/belay-dev/belay/gitops"
)

// bumped is a world with v1 (L) and v2 (U) on the branch.
func bumped(t *testing.T) (w *world, stable, failed string) {
	t.Helper()
	w = newWorld(t)
	stable = w.commit("v1", map[string]string{app: deployment, "docs/a.md": "0\n"})
	return w, stable, w.edit("v2", app, ":v1", ":v2")
}

func TestPushBeatenThreeTimes(t *testing.T) {
	t.Parallel()
	w, l, u := bumped(t)
	o := order(l, u)
	var planned []string
	o.Planned = func(key, commit string) error {
		planned = append(planned, key+" "+commit)
		if n := len(planned); n <= 3 {
			w.commit("docs", map[string]string{"docs/a.md": strings.Repeat("x", n)})
		}
		return nil
	}
	outcome := revert(t, newEngine(t), w.repo(), o)
	if outcome.Result != gitops.Committed || outcome.Commit != w.head() || w.ours() != 1 {
		t.Fatalf("%+v, %d reverts on the branch", outcome, w.ours())
	}
	if len(planned) != 4 || planned[3] != outcome.Key+" "+outcome.Commit {
		t.Errorf("planned %q", planned)
	}
	if w.show(app) != deployment || w.show("docs/a.md") != "xxx" {
		t.Error("the branch does not have both changes")
	}
	if merges := w.git(w.dir, "rev-list", "--merges", "main"); merges != "" {
		t.Errorf("merges: %s", merges)
	}
}

func TestPushBeatenByTheFix(t *testing.T) {
	t.Parallel()
	w, l, u := bumped(t)
	o := order(l, u)
	var fix string
	o.Planned = func(string, string) error {
		fix = w.edit("fix", app, ":v2", ":v3")
		return nil
	}
	outcome := revert(t, newEngine(t), w.repo(), o)
	if outcome.Result != gitops.HeadMoved || outcome.Head.Commit != fix || w.head() != fix {
		t.Fatalf("%+v", outcome)
	}
	tip, err := newEngine(t).Tip(t.Context(), w.repo(), source())
	if err != nil || tip != outcome.Head {
		t.Errorf("Tip is %+v (%v), the outcome says %+v", tip, err, outcome.Head)
	}
}

func TestBranchFasterThanUs(t *testing.T) {
	t.Parallel()
	w, l, u := bumped(t)
	o := order(l, u)
	n := 0
	o.Planned = func(string, string) error {
		n++
		w.commit("docs", map[string]string{"docs/a.md": strings.Repeat("x", n)})
		return nil
	}
	_, err := newEngine(t).Revert(t.Context(), w.repo(), o)
	wantClass(t, err, gitops.ClassTransient)
	if n < 5 || n > 20 || w.ours() != 0 {
		t.Errorf("%d attempts, %d reverts", n, w.ours())
	}
}

func TestPlannedErrorStops(t *testing.T) {
	t.Parallel()
	w, l, u := bumped(t)
	o := order(l, u)
	broken := errors.New("the API server is away")
	o.Planned = func(string, string) error { return broken }
	if _, err := newEngine(t).Revert(t.Context(), w.repo(), o); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if w.head() != u {
		t.Error("pushed all the same")
	}
}

// A crash between the push and the record of it: the next process asks again, with or without the
// clone of the one before, and with the branch moved on or not.
func TestCrashAfterPush(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ keepClone, moved bool }{
		"same clone": {true, false}, "new clone": {false, false}, "same clone, moved": {true, true}, "new clone, moved": {false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, l, u := bumped(t)
			dir := t.TempDir()
			first := revert(t, newEngineIn(t, dir), w.repo(), order(l, u))
			if c.moved {
				w.git(w.work, "pull", "-q", "origin", "main")
				w.commit("v3", map[string]string{app: v(deployment, "v3")})
			}
			if !c.keepClone {
				dir = t.TempDir()
			}
			second := revert(t, newEngineIn(t, dir), w.repo(), order(l, u))
			if second.Result != gitops.AlreadyReverted || second.Commit != first.Commit || second.Key != first.Key || w.ours() != 1 {
				t.Fatalf("first %+v\nsecond %+v", first, second)
			}
		})
	}
}

// A crash before the push: the retry makes the very same commit.
func TestCrashBeforePush(t *testing.T) {
	t.Parallel()
	w, l, u := bumped(t)
	o := order(l, u)
	var plans []string
	crash := errors.New("killed")
	o.Planned = func(_, commit string) error {
		plans = append(plans, commit)
		if len(plans) == 1 {
			return crash
		}
		return nil
	}
	if _, err := newEngine(t).Revert(t.Context(), w.repo(), o); !errors.Is(err, crash) {
		t.Fatal(err)
	}
	outcome := revert(t, newEngine(t), w.repo(), o)
	if plans[0] != plans[1] || outcome.Commit != plans[0] {
		t.Errorf("plans %q, outcome %s", plans, outcome.Commit)
	}
}

func TestTwoEnginesAtOnce(t *testing.T) {
	t.Parallel()
	w, l, u := bumped(t)
	const clusters = 4
	var start, done sync.WaitGroup
	start.Add(clusters)
	outcomes := make([]gitops.Outcome, clusters)
	failures := make([]error, clusters)
	for i := range clusters {
		e := newEngine(t)
		done.Go(func() {
			o := order(l, u)
			o.Failure.Cluster = "cluster-" + string(rune('a'+i))
			var once sync.Once
			o.Planned = func(string, string) error {
				once.Do(func() { start.Done(); start.Wait() }) // all have computed, none has pushed
				return nil
			}
			outcomes[i], failures[i] = e.Revert(t.Context(), w.repo(), o)
		})
	}
	done.Wait()
	committed := 0
	for i, o := range outcomes {
		if failures[i] != nil {
			t.Fatal(failures[i])
		}
		if o.Result == gitops.Committed {
			committed++
		} else if o.Result != gitops.AlreadyReverted {
			t.Errorf("%+v", o)
		}
		if o.Commit != w.head() || o.Key != outcomes[0].Key {
			t.Errorf("%+v, the branch is at %s", o, w.head())
		}
	}
	if committed != 1 || w.ours() != 1 {
		t.Errorf("%d engines committed, %d reverts on the branch", committed, w.ours())
	}
}

// Many Rollouts of one repository through one engine: each gets its commit.
func TestManyRolloutsOneEngine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := []string{"a", "b", "c", "d"}
	good, bad := map[string]string{}, map[string]string{}
	for _, n := range names {
		good["apps/"+n+"/app.yaml"] = strings.ReplaceAll(deployment, "name: checkout", "name: "+n)
		bad["apps/"+n+"/app.yaml"] = v(good["apps/"+n+"/app.yaml"], "v2")
	}
	l := w.commit("v1", good)
	u := w.commit("v2", bad)
	e := newEngine(t)
	var done sync.WaitGroup
	for _, n := range names {
		done.Go(func() {
			o := order(l, u)
			o.Paths, o.Workload.Name, o.Failure.Rollout = []string{"apps/" + n}, n, n
			outcome, err := e.Revert(t.Context(), w.repo(), o)
			if err != nil || outcome.Result != gitops.Committed {
				t.Errorf("%+v %v", outcome, err)
			}
		})
	}
	done.Wait()
	for name, content := range good {
		if w.show(name) != content {
			t.Errorf("%s is not reverted", name)
		}
	}
	if w.ours() != len(names) {
		t.Errorf("%d reverts", w.ours())
	}
}

func TestDenied(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ hook, script, want string }{
		"pre-receive": {"pre-receive", "echo 'GH006: Protected branch update failed for refs/heads/main.' >&2; exit 1\n",
			`the Git server refuses the push to branch "main": GH006: Protected branch update failed for refs/heads/main.`},
		"update, silent": {"update", "exit 1\n", `the Git server refuses the push to branch "main": hook declined to update refs/heads/main`},
		"ids and controls": {"pre-receive", "printf '\\033[31mno %s at 0123456789abcdef\\n' >&2; exit 1\n",
			`the Git server refuses the push to branch "main": [31mno at …`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, l, u := bumped(t)
			w.hook(c.hook, c.script)
			e := newEngine(t)
			for range 2 {
				_, err := e.Revert(t.Context(), w.repo(), order(l, u))
				wantClass(t, err, gitops.ClassDenied)
				if err.Error() != c.want {
					t.Errorf("got  %s\nwant %s", err, c.want)
				}
			}
			if w.head() != u {
				t.Error("the branch moved")
			}
		})
	}
}

// The server takes longer than the command may: git and its children end, and the next call works.
func TestDeadline(t *testing.T) {
	t.Parallel()
	w, l, u := bumped(t)
	marker := filepath.Join(t.TempDir(), "ran")
	w.hook("pre-receive", "echo $$ > '"+marker+"'; exec sleep 60\n")
	e := newEngine(t)
	ctx, cancel := context.WithCancel(t.Context())
	o := order(l, u)
	o.Planned = func(string, string) error {
		time.AfterFunc(300*time.Millisecond, cancel)
		return nil
	}
	began := time.Now()
	_, err := e.Revert(ctx, w.repo(), o)
	wantClass(t, err, gitops.ClassCanceled)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not context.Canceled", err)
	}
	if pid, err := os.ReadFile(marker); err == nil { // on a slow machine the hook was never reached
		waitGone(t, strings.TrimSpace(string(pid)))
	}
	w.hook("pre-receive", "exit 0\n")
	if outcome := revert(t, e, w.repo(), order(l, u)); outcome.Result != gitops.Committed && outcome.Result != gitops.AlreadyReverted {
		t.Errorf("%+v", outcome)
	}
	if w.ours() != 1 {
		t.Errorf("%d reverts", w.ours())
	}
}

// waitGone waits until a process has ended (a zombie has).
func waitGone(t *testing.T, pid string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for {
		status, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(status), ") Z ") {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Errorf("process %s lives: %s", pid, status)
			return
		}
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.commit("v1", map[string]string{app: deployment})
	// One an hour and more ago, which does not count, and two that do.
	w.tick -= 7200
	w.commit("Revert a\n\nBelay-Revert-Key: a", map[string]string{"a": "1"})
	w.tick += 7200
	w.commit("Revert b\n\nBelay-Revert-Key: b", map[string]string{"a": "2"})
	w.commit("talk\n\nBelay-Revert-Key: b\n\nis not a trailer here", map[string]string{"a": "3"})
	l := w.commit("Revert c\n\nBelay-Revert-Key: c", map[string]string{"a": "4"})
	u := w.edit("v2", app, ":v1", ":v2")
	repo := w.repo()
	repo.CommitsPerHour = 2
	outcome := revert(t, newEngine(t), repo, order(l, u))
	if outcome.Result != gitops.LimitReached || w.head() != u {
		t.Fatalf("%+v", outcome)
	}
	repo.CommitsPerHour = 3
	if outcome = revert(t, newEngine(t), repo, order(l, u)); outcome.Result != gitops.Committed {
		t.Fatalf("%+v", outcome)
	}
}

func wantClass(t *testing.T, err error, class gitops.Class) {
	t.Helper()
	var e *gitops.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an error of class %s", err, class)
	}
	if e.Class != class {
		t.Fatalf("got class %s, want %s: %s\n%s", e.Class, class, e.Text, e.Detail)
	}
}
