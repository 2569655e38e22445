package repository_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/belay-dev/belay/gitops"
)

// values are the fields of a generated file, all of them scalars.
type values map[string]string

// want is what a revert must make of three states of a file, worked out without Git and without
// YAML: what L..U changed goes back where the head still has it; everything else is the head's.
func want(l, u, h values) (values, gitops.Result) {
	result, changed, already := maps.Clone(h), false, true
	for name := range h {
		if l[name] == u[name] {
			continue
		}
		changed = true
		switch h[name] {
		case u[name]:
			result[name], already = l[name], false
		case l[name]:
		default:
			return h, gitops.Superseded
		}
	}
	switch {
	case !changed:
		return h, gitops.NotFromGit
	case already:
		return h, gitops.AlreadyReverted
	}
	return result, gitops.Committed
}

// render writes the fields as a person might: quoted or not, with comments or without, and in an
// order of their own.
func (v values) render(r *rand.Rand) string {
	names := slices.Sorted(maps.Keys(v))
	if r.IntN(3) == 0 {
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	}
	var b strings.Builder
	b.WriteString("kind: Thing\nmetadata: {name: x}\nspec:\n")
	for _, name := range names {
		quote := []string{"", "'", `"`}[r.IntN(3)]
		fmt.Fprintf(&b, "  %s:%s%s%s%s%s\n", name, strings.Repeat(" ", 1+r.IntN(2)), quote, v[name], quote, []string{"", " # " + name, "   # {\"$x\": \"y\"}"}[r.IntN(3)])
		if r.IntN(6) == 0 {
			fmt.Fprintf(&b, "  # about %s\n", name)
		}
	}
	return b.String()
}

func (v values) mutate(r *rand.Rand, likely float64) values {
	m := maps.Clone(v)
	for _, name := range slices.Sorted(maps.Keys(v)) { // in one order, so that a seed means one case
		if r.Float64() < likely {
			m[name] = fmt.Sprintf("v%d", r.IntN(3))
		}
	}
	return m
}

// Random states of many files, all in one repository, against the oracle.
func TestRevertAgainstOracle(t *testing.T) {
	t.Parallel()
	const cases = 60
	w := newWorld(t)
	type state struct{ l, u, h values }
	states := make([]state, cases)
	files := [3]map[string]string{{}, {}, {}}
	for i := range states {
		r := rand.New(rand.NewPCG(2026, uint64(i)))
		l := values{}
		for n := range 2 + r.IntN(6) {
			l[fmt.Sprintf("f%d", n)] = "v0"
		}
		u := l.mutate(r, 0.4)
		h := u.mutate(r, 0.25)
		if i%6 == 0 {
			h = maps.Clone(l) // somebody reverted
		}
		states[i] = state{l, u, h}
		name := fmt.Sprintf("apps/%d/app.yaml", i)
		files[0][name] = l.render(rand.New(rand.NewPCG(1, uint64(i))))
		files[1][name] = files[0][name]
		if !maps.Equal(l, u) {
			files[1][name] = u.render(rand.New(rand.NewPCG(1, uint64(i)))) // the same style, other values
		}
		style := uint64(1) // and in half of the cases somebody rewrote the file, too
		if r.IntN(2) == 0 {
			style = 2
		}
		files[2][name] = h.render(rand.New(rand.NewPCG(style, uint64(i))))
	}
	l, u, h := w.commit("l", files[0]), w.commit("u", files[1]), w.commit("h", files[2])
	e := newEngine(t)
	seen := map[gitops.Result]int{}
	for i, s := range states {
		o := order(l, u)
		o.Accepted = h
		o.Paths = []string{fmt.Sprintf("apps/%d", i)}
		outcome := revert(t, e, w.repo(), o)
		expected, result := want(s.l, s.u, s.h)
		seen[outcome.Result]++
		name := o.Paths[0] + "/app.yaml"
		got := w.show(name)
		if outcome.Result != result {
			t.Errorf("case %d: %s (%s), want %s\nL\n%s\nU\n%s\nH\n%s", i, outcome.Result, outcome.Why, result, files[0][name], files[1][name], files[2][name])
			continue
		}
		var read struct{ Spec values }
		if err := yaml.Unmarshal([]byte(got), &read); err != nil || !maps.Equal(read.Spec, expected) {
			t.Errorf("case %d: %v, want %v (%v)\n%s", i, read.Spec, expected, err, got)
		}
		if head := files[2][name]; comments(got) != comments(head) {
			t.Errorf("case %d: the comments changed from\n%s\nto\n%s", i, head, got)
		}
	}
	for _, result := range []gitops.Result{gitops.Committed, gitops.AlreadyReverted, gitops.Superseded, gitops.NotFromGit} {
		if seen[result] == 0 {
			t.Errorf("no case was %s: %v", result, seen)
		}
	}
}

func comments(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if _, comment, ok := strings.Cut(line, "#"); ok {
			b.WriteString(comment)
		}
	}
	return b.String()
}
