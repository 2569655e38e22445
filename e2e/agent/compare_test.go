package agent

import (
	"slices"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	type object = map[string]any
	cases := map[string]struct {
		live, applied any
		want          []string
	}{
		"equal":             {live: object{"a": int64(1)}, applied: object{"a": int64(1)}},
		"changed":           {live: object{"spec": object{"paused": true}}, applied: object{"spec": object{"paused": false}}, want: []string{"spec.paused: true -> false"}},
		"added and removed": {live: object{"a": "x"}, applied: object{"b": "y"}, want: []string{`a: "x" -> nothing`, `b: nothing -> "y"`}},
		"inside a list":     {live: object{"l": []any{object{"w": int64(90)}}}, applied: object{"l": []any{object{"w": int64(10)}}}, want: []string{"l[0].w: 90 -> 10"}},
		"another length":    {live: []any{"a"}, applied: []any{"a", "b"}, want: []string{`: ["a"] -> ["a","b"]`}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := compare(tc.live, tc.applied); !slices.Equal(got, tc.want) {
				t.Errorf("compare = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	cases := map[string]struct {
		content string
		want    []string
		err     string
	}{
		"two documents":   {content: "kind: A\nmetadata: {name: a}\napiVersion: v1\n---\nkind: B\napiVersion: v1\n", want: []string{"A", "B"}},
		"only a comment":  {content: "# nothing yet\n---\n"},
		"a list":          {content: "kind: List\napiVersion: v1\nitems:\n- {kind: A, apiVersion: v1}\n- {kind: B, apiVersion: v1}\n", want: []string{"A", "B"}},
		"not an object":   {content: "just words\n", err: "cannot unmarshal"},
		"broken document": {content: "kind: A\napiVersion: [", err: "yaml"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			objects, err := decode(tc.content)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error = %v, want one about %s", err, tc.err)
				}
				return
			}
			var kinds []string
			for _, object := range objects {
				kinds = append(kinds, object.GetKind())
			}
			if err != nil || !slices.Equal(kinds, tc.want) {
				t.Errorf("kinds = %v, %v, want %v", kinds, err, tc.want)
			}
		})
	}
}
