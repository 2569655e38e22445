package command

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// FuzzDifferences compares any two values: what differs is told, what is the same is not, and each difference
// is one that says from what to what, at every call the same.
func FuzzDifferences(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"spec":{"containers":[{"name":"a","image":"x:v1"},{"name":"b"}]}}`, `{"spec":{"containers":[{"name":"b"},{"name":"a","image":"x:v2"}]}}`},
		{`{"a":[1,2,{"b":null}]}`, `{"a":[]}`}, {`{"a":null}`, `{}`}, {`{"":{".":1}}`, `{"":{".":"` + strings.Repeat("x", 200) + `"}}`}, {`[{"name":"a"},{"name":"a"}]`, `[{"name":""}]`}, {`null`, `"a\nb"`},
		{`{"env":[{"name":"A","value":"1"},{"name":"B","value":"$(A)"}]}`, `{"env":[{"name":"B","value":"$(A)"},{"name":"A","value":"1"}]}`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		var from, to any
		if json.Unmarshal([]byte(first), &from) != nil || json.Unmarshal([]byte(second), &to) != nil {
			return
		}
		got := differences("", from, to)
		if len(got) == 0 && !reflect.DeepEqual(present(from), present(to)) || len(got) > 0 && reflect.DeepEqual(from, to) {
			t.Errorf("between %s and %s the differences are %q", first, second, got)
		}
		if again := differences("", from, to); !slices.Equal(got, again) {
			t.Errorf("it tells %q and then %q", got, again)
		}
		if back := differences("", to, from); len(back) != len(got) {
			t.Errorf("there are %q, and the other way %q", got, back)
		}
		for _, line := range got {
			if _, values, ok := strings.Cut(line, ": "); !ok || !strings.Contains(values, " → ") {
				t.Errorf("%q does not say from what to what", line)
			}
		}
	})
}

// present is a value without what is null, which is as good as absent.
func present(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, item := range v {
			if item != nil {
				out[key] = present(item)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = present(v[i])
		}
		return out
	}
	return v
}

// FuzzRolloutName reads what a person types for a Rollout: a name without a kind, or a mistake that shows what was typed.
func FuzzRolloutName(f *testing.F) {
	for _, seed := range []string{"checkout", "rollout/checkout", "BLRO/checkout", "deployment/checkout", "rollout/a/b", "/", "rollout/", "", "rollouts.belay.dev/x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		name, err := rolloutName(arg)
		switch {
		case err != nil:
			if name != "" || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is refused with %q and read as %q", arg, err, name)
			}
		case name == "" || strings.Contains(name, "/") || !strings.HasSuffix(arg, name):
			t.Errorf("%q is read as %q", arg, name)
		case !strings.Contains(arg, "/") && name != arg || utf8.ValidString(arg) != utf8.ValidString(name):
			t.Errorf("%q is read as %q", arg, name)
		}
	})
}

// FuzzJudge looks at statuses that say anything: nothing is reached or over before the controller has seen the spec, a held
// workload is neither healthy nor promoted, and no two goals that exclude each other are reached at once.
func FuzzJudge(f *testing.F) {
	for _, seed := range []string{
		`{"status":{"phase":"Healthy","history":[{"attempt":7,"outcome":"Promoted"}]}}`, `{"status":{"phase":"Held","conditions":[{"type":"GitReverted","status":"True","reason":"Pushed","message":"a"}]}}`,
		`{"status":{"phase":"Healthy","conditions":[{"type":"GitReverted","status":"False","reason":"Reverting"}],"history":[{"outcome":"Failed"}]}}`, `{"metadata":{"generation":2},"status":{"phase":"Healthy"}}`,
		`{"status":{"phase":"x","conditions":[{"type":"Stalled","status":"True","message":"a\nb"}]}}`, `{}`,
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, text []byte, held bool) {
		r := &v1alpha1.Rollout{}
		if json.Unmarshal(text, r) != nil {
			return
		}
		results := map[string]result{}
		for _, goal := range goals() {
			var why string
			if results[goal], why = judge(goal, r, held); why == "" && r.Status.Phase != "" {
				t.Errorf("%s: no word why", goal)
			}
			if results[goal] != notYet && r.Status.ObservedGeneration < r.Generation {
				t.Errorf("%s is over, and the controller has not seen the spec", goal)
			}
		}
		is := func(goal string) bool { return results[goal] == reached }
		if held && (is("healthy") || is("promoted")) || is("promoted") && (is("aborted") || is("reverted") || !is("healthy")) || is("held") && is("healthy") || is("paused") && is("aborted") {
			t.Errorf("held %t: %v", held, results)
		}
	})
}
