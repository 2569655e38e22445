package repository

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestInvertFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		u, l, h    string
		want       string
		superseded string
		why        string
	}{
		"comments, quotes and order of the head stay": {
			u: "a: x:2\nb: 1\n", l: "a: x:1\nb: 1\n",
			h:    "# top\nb:   7 # seven\na: 'x:2'   # {\"$imagepolicy\": \"p\"}\n",
			want: "# top\nb:   7 # seven\na: 'x:1'   # {\"$imagepolicy\": \"p\"}\n",
		},
		"a list item is found by its name":   {u: "c: [{name: a, v: 2}, {name: b, v: 9}]\n", l: "c: [{name: a, v: 1}, {name: b, v: 9}]\n", h: "c: [{name: b, v: 2}, {name: z, v: 2}, {name: a, v: 2}]\n", want: "c: [{name: b, v: 2}, {name: z, v: 2}, {name: a, v: 1}]\n"},
		"a port by its number":               {u: "p:\n- containerPort: 1\n  hostPort: 5\n- containerPort: 2\n  hostPort: 6\n", l: "p:\n- containerPort: 1\n  hostPort: 4\n- containerPort: 2\n  hostPort: 6\n", h: "p:\n- containerPort: 2\n  hostPort: 6\n- containerPort: 1\n  hostPort: 5\n", want: "p:\n- containerPort: 2\n  hostPort: 6\n- containerPort: 1\n  hostPort: 4\n"},
		"items without names, untouched":     {u: "x: 1\nargs: [-a, -b=2]\n", l: "x: 1\nargs: [-a, -b=1]\n", h: "x: 2\nargs: [ -a,  -b=2 ]\n", want: "x: 2\nargs: [ -a,  -b=1 ]\n"},
		"items without names, touched":       {u: "args: [-a, -b=2]\n", l: "args: [-a, -b=1]\n", h: "args: [-b=2, -a]\n", superseded: "args"},
		"already put back, the rest not":     {u: "a: 2\nb: 2\n", l: "a: 1\nb: 1\n", h: "a: 1\nb: 2\n", want: "a: 1\nb: 1\n"},
		"newer value":                        {u: "a: {b: {c: 2}}\n", l: "a: {b: {c: 1}}\n", h: "a: {b: {c: 3}}\n", superseded: "a.b.c"},
		"the key is gone":                    {u: "a: 2\nb: 1\n", l: "a: 1\nb: 1\n", h: "b: 1\n", superseded: "a"},
		"a key was added":                    {u: "a: 2\nb: 1\n", l: "a: 1\n", h: "a: 2\nb: 1\nc: 1\n", why: "more than values"},
		"a value became a map":               {u: "a: {b: 1}\n", l: "a: 1\n", h: "a: {b: 1}\nc: 1\n", why: "at a"},
		"a string stays a string":            {u: "a: \"2\"\n", l: "a: \"1\"\n", h: "a: '2'\n", want: "a: '1'\n"},
		"a number stays a number":            {u: "a: \"2\"\n", l: "a: 1\n", h: "a: '2'\n", want: "a: 1\n"},
		"a plain string that looks like one": {u: "a: v2\n", l: "a: \"1\"\n", h: "a: v2 # c\n", want: "a: \"1\" # c\n"},
		"quotes inside":                      {u: "a: b\n", l: "a: it's\n", h: "a: 'b'\n", want: "a: 'it''s'\n"},
		"escapes":                            {u: "a: b\n", l: "a: 'say \"x\" \\'\n", h: "a: \"b\"\n", want: "a: \"say \\\"x\\\" \\\\\"\n"},
		"umlauts before the column":          {u: "{ä: 1, b: 2}\n", l: "{ä: 1, b: 1}\n", h: "{ä: ö, b: 2}\n", want: "{ä: ö, b: 1}\n"},
		"line ends of the head stay":         {u: "a: 2\nb: 1\n", l: "a: 1\nb: 1\n", h: "b: 3\r\na: 2\r\n", want: "b: 3\r\na: 1\r\n"},
		"no line end at the end":             {u: "a: 2", l: "a: 1", h: "b: 1\na: 2", want: "b: 1\na: 1"},
		"documents are found by their name":  {u: "kind: A\nmetadata: {name: a}\nx: 2\n---\nkind: A\nmetadata: {name: b}\nx: 2\n", l: "kind: A\nmetadata: {name: a}\nx: 1\n---\nkind: A\nmetadata: {name: b}\nx: 2\n", h: "---\nkind: A\nmetadata: {name: b}\nx: 2\n---\n# c\nkind: A\nmetadata: {name: a}\nx: 2\n", want: "---\nkind: A\nmetadata: {name: b}\nx: 2\n---\n# c\nkind: A\nmetadata: {name: a}\nx: 1\n"},
		"a document was added":               {u: "kind: A\n---\nkind: B\n", l: "kind: A\n", h: "kind: A\n---\nkind: B\nx: 1\n", why: "documents"},
		"two of one name":                    {u: "c: [{name: a, v: 2}, {name: a, v: 3}]\n", l: "c: [{name: a, v: 1}, {name: a, v: 3}]\n", h: "d: 1\nc: [{name: a, v: 2}, {name: a, v: 3}]\n", want: "d: 1\nc: [{name: a, v: 1}, {name: a, v: 3}]\n"},
		"a block of text":                    {u: "a: |\n  x\n  y\n", l: "a: |\n  x\n  z\n", h: "b: 1\na: |\n  x\n  y\n", why: "one line"},
		"over two lines":                     {u: "a: x y\n", l: "a: x\n", h: "b: 1\na: x\n  y\n", why: "one line"},
		"an anchor":                          {u: "a: &x 2\nb: *x\n", l: "a: &x 1\nb: *x\n", h: "c: 1\na: &x 2\nb: *x\n", why: "anchor"},
		"an empty value":                     {u: "a: 2\n", l: "a:\n", h: "b: 1\na: 2\n", why: "one line"},
		"no YAML":                            {u: "a: 2\n", l: "a: 1\n", h: "{{ x }}: [\n", why: "YAML"},
		"a byte order mark":                  {u: "a: 2\n", l: "a: 1\n", h: "\ufeffb: 1\na: 2\n", why: "FEFF"},
		"a value only flow style can hold":   {u: "a: [x]\n", l: "a: ['b, c']\n", h: "z: 1\na: [x]\n", want: "z: 1\na: ['b, c']\n"},
		"a value flow style cannot hold":     {u: "a: {b: x}\n", l: "a:\n  b: c, d\n", h: "z: 1\na: {b: x}\n", why: "replaced"},
	} {
		t.Run(name, func(t *testing.T) {
			text, v, why := invertFile([]byte(c.u), []byte(c.l), []byte(c.h))
			if c.why == "" && why != "" || !strings.Contains(why, c.why) {
				t.Fatalf("why %q, want %q", why, c.why)
			}
			if got := strings.Join(v.superseded, " "); got != c.superseded {
				t.Errorf("superseded %q, want %q", got, c.superseded)
			}
			if string(text) != c.want {
				t.Errorf("got\n%s\nwant\n%s", text, c.want)
			}
		})
	}
}

// Whatever the texts are: there is an answer or a reason, no panic; and an answer has the head's
// lines, documents and nodes, is the head's own text where there was nothing to edit, and has nothing left to undo.
func FuzzInvertFile(f *testing.F) {
	f.Add("a: 2\nb: 1\n", "a: 1\nb: 1\n", "b: 3 # c\na: '2'\n")
	f.Add("c: [{name: a, v: 2}]", "c: [{name: a, v: 1}]", "c: [{name: b}, {name: a, v: 2}]")
	f.Add("a: \"\\u00e4\"", "a: 'x'", "a: \"ä\" # y")
	f.Add("- &a b\n- *a", "- &a c\n- *a", "- &a b\n- *a\n")
	f.Add("a: |\n x\n", "a: >\n y\n", "a: !!str x")
	f.Add("? a\n: 1", "? a\n: 2", "a: 1")
	f.Fuzz(func(t *testing.T, u, l, h string) {
		text, v, why := invertFile([]byte(u), []byte(l), []byte(h))
		if text == nil || why != "" {
			return
		}
		documents, err := parse(text)
		if err != nil {
			t.Fatalf("%q is no YAML: %v", text, err)
		}
		before, _ := parse([]byte(h))
		if len(documents) != len(before) {
			t.Fatalf("%q has %d documents, %q has %d", text, len(documents), h, len(before))
		}
		var all func(n *yaml.Node) int
		all = func(n *yaml.Node) int {
			sum := 1
			for _, c := range n.Content {
				sum += all(c)
			}
			return sum
		}
		for i := range documents {
			if all(documents[i]) != all(before[i]) {
				t.Fatalf("%q and %q do not have the same nodes", text, h)
			}
		}
		if strings.Count(string(text), "\n") != strings.Count(h, "\n") {
			t.Fatalf("%q has other lines than %q", text, h)
		}
		if len(v.edits) == 0 && string(text) != h {
			t.Fatalf("%q became %q without an edit", h, text)
		}
		twice, again, why := invertFile([]byte(u), []byte(l), text)
		if why != "" || len(again.edits)+len(again.superseded) > 0 || string(twice) != string(text) {
			t.Fatalf("%q becomes %q, and when it is undone once more %q, %+v (%s)", h, text, twice, again, why)
		}
	})
}
