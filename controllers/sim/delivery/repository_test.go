package delivery

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/belay-dev/belay/controllers/sim/schedule"
	"github.com/belay-dev/belay/gitops"
)

// inMemory is the revert in memory, without the time that it takes. What it would push is pushed.
func inMemory(t *testing.T, r *Repository, order gitops.Revert) gitops.Outcome {
	t.Helper()
	p, err := r.propose(gitops.Repository{URL: r.URL()}, order)
	if err != nil {
		t.Fatal(err)
	}
	if p.commit != nil {
		if pushed, err := r.receive(t.Context(), p.commit); err != nil || !pushed {
			t.Fatalf("pushed: %v, %v", pushed, err)
		}
	}
	return p.outcome
}

// agree plays a history in memory and on disk, and compares how the revert ends and what it leaves.
func agree(t *testing.T, d *disk, branch string, h history) gitops.Outcome {
	t.Helper()
	r, ids := h.play(t, schedule.New(1, noon, nil))
	onDisk, err := d.engine.Revert(t.Context(), d.repo(), h.order(branch, d.ids[branch]))
	if err != nil {
		t.Fatal(err)
	}
	got := inMemory(t, r, h.order("main", ids))
	if got.Result != onDisk.Result {
		t.Fatalf("in memory %s (%s), on disk %s (%s)\n%s", got.Result, got.Why, onDisk.Result, onDisk.Why, h)
	}
	place := func(ids []string, id string) int { return slices.Index(ids, id) }
	if got.Result != gitops.Committed && place(ids, got.Commit) != place(d.ids[branch], onDisk.Commit) {
		t.Errorf("in memory it is commit %d, on disk %d", place(ids, got.Commit), place(d.ids[branch], onDisk.Commit))
	}
	places := func(ids []string, culprits []gitops.Culprit) (out []int) {
		for _, c := range culprits {
			out = append(out, place(ids, c.Commit))
		}
		return out
	}
	if a, b := places(ids, got.Culprits), places(d.ids[branch], onDisk.Culprits); !slices.Equal(a, b) {
		t.Errorf("culprits in memory %v, on disk %v\n%s", a, b, h)
	}
	if got.Result == gitops.Committed && !slices.Equal(got.Files, onDisk.Files) {
		t.Errorf("files in memory %v, on disk %v", got.Files, onDisk.Files)
	}
	if a, b := r.Head().Files, d.files(t, branch); !reflect.DeepEqual(a, b) {
		t.Errorf("the head in memory has %v\non disk %v\n%s", a.Names(), b.Names(), h)
	}
	return got
}

func (h history) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d..%d, accepted %d\n", h.stable, h.failed, h.accepted)
	for i, p := range h.pushes {
		fmt.Fprintf(&b, "%d %s\n", i+1, p.message)
		for _, name := range slices.Sorted(maps.Keys(p.files)) {
			fmt.Fprintf(&b, "  %s %q\n", name, p.files[name])
		}
	}
	return b.String()
}

func TestRevertEndsAsOnDisk(t *testing.T) {
	t.Parallel()
	all := map[string]history{}
	for name, h := range histories() {
		all[name] = h.history
	}
	d := written(t, all)
	for name, h := range histories() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := agree(t, d, name, h.history); got.Result != h.want {
				t.Errorf("it ends with %s (%s), want %s", got.Result, got.Why, h.want)
			}
		})
	}
}

// drawn is a history by chance: releases, edits, files that come and go, and people who undo.
func drawn(r *rand.Rand) history {
	version, newest, replicas, level := 1, 1, 3, "info"
	state := func() map[string]string {
		return with(":v1", fmt.Sprint(":v", version), "replicas: 3", fmt.Sprint("replicas: ", replicas), "info", level)
	}
	h := history{pushes: []push{{"first", and(state(), "apps/checkout/README.md", "0")}}, stable: 1}
	add := func(message string, files map[string]string) {
		if r.IntN(12) == 0 {
			message += "\n\nNo-Auto-Revert: true"
		}
		h.pushes = append(h.pushes, push{message, files})
	}
	for range 2 + r.IntN(6) {
		switch r.IntN(9) {
		case 0, 1, 2, 8:
			if newest++; r.IntN(3) > 0 {
				version = newest
			} else {
				version = 1 + r.IntN(newest)
			}
			add("ship", state())
		case 3:
			replicas = 3 + r.IntN(3)
			add("scale", state())
		case 4:
			level = []string{"info", "debug"}[r.IntN(2)]
			add("level", state())
		case 5:
			add("note", map[string]string{"apps/checkout/README.md": fmt.Sprint(r.IntN(3))})
		case 6:
			add("elsewhere", map[string]string{"docs/a.md": fmt.Sprint(r.IntN(100))})
		case 7:
			add("config", map[string]string{"apps/checkout/config.yaml": fmt.Sprintf("kind: Config\nmetadata: {name: a}\na: %d\n", r.IntN(2))})
		}
	}
	// The failed one came early, so that something can have happened since.
	h.failed = 2 + r.IntN(max(1, len(h.pushes)-2))
	h.stable = 1 + r.IntN(h.failed-1)
	if r.IntN(3) > 0 {
		h.accepted = len(h.pushes)
	}
	return h
}

func TestDrawnHistoriesEndAsOnDisk(t *testing.T) {
	t.Parallel()
	const count = 20
	all := map[string]history{}
	for i := range count {
		all[fmt.Sprint("h", i)] = drawn(rand.New(rand.NewPCG(3, uint64(i))))
	}
	d := written(t, all)
	var mu sync.Mutex
	seen := map[gitops.Result]int{}
	t.Run("group", func(t *testing.T) {
		for i := range count {
			branch := fmt.Sprint("h", i)
			t.Run(branch, func(t *testing.T) {
				t.Parallel()
				h := all[branch]
				located := h.locatedAsOnDisk(t, d, branch)
				if i%2 == 0 { // what was located is reverted, else what was drawn
					h = located
				}
				got := agree(t, d, branch, h)
				mu.Lock()
				defer mu.Unlock()
				seen[got.Result]++
			})
		}
	})
	for _, result := range []gitops.Result{gitops.Committed, gitops.AlreadyReverted, gitops.NotFromGit, gitops.Superseded, gitops.HeadMoved, gitops.NoAutoRevert, gitops.Conflict} {
		if seen[result] == 0 {
			t.Errorf("no history ended with %s: %v", result, seen)
		}
	}
}

// locatedAsOnDisk compares what both engines locate, and returns the history with these bounds.
func (h history) locatedAsOnDisk(t *testing.T, d *disk, branch string) history {
	t.Helper()
	r, ids := h.play(t, schedule.New(1, noon, nil))
	real := d.ids[branch]
	onDisk, err := d.engine.Locate(t.Context(), d.repo(), h.source(branch), real[h.stable], real[h.failed])
	if err != nil {
		t.Fatal(err)
	}
	got := locate(h.source("main"), r.Commit(ids[h.stable]), r.Commit(ids[h.failed]))
	bounds := [2]int{slices.Index(ids, got.Stable), slices.Index(ids, got.Failed)}
	want := [2]int{slices.Index(real, onDisk.Stable), slices.Index(real, onDisk.Failed)}
	if bounds != want || got.Exact != onDisk.Exact || got.Why != onDisk.Why {
		t.Errorf("located in memory %v (%s), on disk %v (%s)\n%s", bounds, got.Why, want, onDisk.Why, h)
	}
	h.stable, h.failed = bounds[0], bounds[1]
	return h
}
