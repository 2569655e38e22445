package repository_test

import (
	"strings"
	"testing"

	"github.com/belay-dev/belay/gitops"
)

// history is one way in which a branch can look when a revert is due.
type history struct {
	// make builds it and returns L, U and the accepted head ("" for none).
	make func(w *world) (stable, failed, accepted string)
	want gitops.Result
	// files are at the head afterwards. Nil with a result other than Committed: nothing may change.
	files map[string]string
	// because is in Outcome.Why.
	because string
	order   func(*gitops.Revert)
}

func v(old, version string) string { return strings.ReplaceAll(old, ":v1", ":"+version) }

func TestHistories(t *testing.T) {
	for name, h := range histories() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			stable, failed, accepted := h.make(w)
			before := w.head()
			o := order(stable, failed)
			o.Accepted = accepted
			if h.order != nil {
				h.order(&o)
			}
			outcome := revert(t, newEngine(t), w.repo(), o)
			if outcome.Result != h.want || !strings.Contains(outcome.Why, h.because) {
				t.Fatalf("got %s (%s), want %s (%s)", outcome.Result, outcome.Why, h.want, h.because)
			}
			for file, want := range h.files {
				if got := w.show(file); got != want {
					t.Errorf("%s is\n%s\nwant\n%s", file, got, want)
				}
			}
			after := w.head()
			if h.want != gitops.Committed {
				if after != before {
					t.Errorf("the branch moved")
				}
				return
			}
			if after != outcome.Commit || w.git(w.dir, "rev-parse", after+"^") != before {
				t.Errorf("the commit on the branch is not %s on %s", outcome.Commit, before)
			}
			written := strings.FieldsFunc(w.git(w.dir, "diff", "--no-renames", "--name-only", "-z", before, after), func(r rune) bool { return r == 0 })
			if got := strings.Join(outcome.Files, " "); got != strings.Join(written, " ") {
				t.Errorf("outcome names files %q, the commit has %q", got, written)
			}
		})
	}
}

func histories() map[string]history {
	return map[string]history{
		"a bump": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				return l, w.edit("v2", app, ":v1", ":v2"), ""
			},
			want:  gitops.Committed,
			files: map[string]string{app: deployment},
		},
		"an unrelated file in the same commit is untouched": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment, "docs/a.md": "one\n"})
				return l, w.commit("v2", map[string]string{app: v(deployment, "v2"), "docs/a.md": "two\n"}), ""
			},
			want:  gitops.Committed,
			files: map[string]string{app: deployment, "docs/a.md": "two\n"},
		},
		"other files changed since are untouched": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment, "docs/a.md": "one\n"})
				u := w.edit("v2", app, ":v1", ":v2")
				w.commit("docs", map[string]string{"docs/a.md": "two\n", "apps/other/app.yaml": deployment})
				return l, u, ""
			},
			want:  gitops.Committed,
			files: map[string]string{app: deployment, "docs/a.md": "two\n", "apps/other/app.yaml": deployment},
		},
		"an unrelated edit elsewhere in the file stops at the barrier": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				u := w.edit("v2", app, ":v1", ":v2")
				w.edit("scale", app, "replicas: 3", "replicas: 5")
				return l, u, ""
			},
			want: gitops.HeadMoved,
		},
		"an unrelated edit elsewhere in the file is kept once accepted": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				u := w.edit("v2", app, ":v1", ":v2")
				return l, u, w.edit("scale", app, "replicas: 3", "replicas: 5")
			},
			want:  gitops.Committed,
			files: map[string]string{app: strings.ReplaceAll(deployment, "replicas: 3", "replicas: 5")},
		},
		"an edit on a neighbour line is kept, field by field": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				u := w.edit("v2", app, ":v1", ":v2")
				return l, u, w.edit("port", app, "      # the one that serves\n      - name: checkout\n", "      # the one that serves all\n      - name: checkout # sic\n")
			},
			want: gitops.Committed,
			files: map[string]string{app: strings.ReplaceAll(deployment,
				"      # the one that serves\n      - name: checkout\n", "      # the one that serves all\n      - name: checkout # sic\n")},
		},
		"the image marker on the line survives, and so does its new comment": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				u := w.edit("v2", app, ":v1", ":v2")
				return l, u, w.edit("marker", app, `v2 # {"$imagepolicy": "flux-system:checkout"}`, `v2   # {"$imagepolicy": "flux-system:checkout:tag"}`)
			},
			want:  gitops.Committed,
			files: map[string]string{app: strings.ReplaceAll(deployment, `v1 # {"$imagepolicy": "flux-system:checkout"}`, `v1   # {"$imagepolicy": "flux-system:checkout:tag"}`)},
		},
		"a merge commit brought it": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment, "a": "1"})
				w.git(w.work, "checkout", "-q", "-b", "feature")
				w.write("v2", map[string]string{app: v(deployment, "v2")})
				w.git(w.work, "checkout", "-q", "main")
				w.commit("other", map[string]string{"a": "2"})
				w.git(w.work, "merge", "-q", "--no-ff", "-m", "merge feature", "feature")
				w.git(w.work, "push", "-q", "origin", "HEAD:main")
				return l, w.head(), ""
			},
			want:  gitops.Committed,
			files: map[string]string{app: deployment, "a": "2"},
		},
		"the fix in the same place is at the head": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				u := w.edit("v2", app, ":v1", ":v2")
				w.edit("fix", app, ":v2", ":v3")
				return l, u, ""
			},
			want: gitops.HeadMoved,
		},
		"the fix in the same place, though accepted, is newer": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				u := w.edit("v2", app, ":v1", ":v2")
				return l, u, w.edit("fix", app, ":v2", ":v3")
			},
			want:    gitops.Superseded,
			because: "spec.template.spec.containers[name=checkout].image",
		},
		"the fix in another file of F": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment, "apps/checkout/config.yaml": "a: 1\n"})
				u := w.edit("v2", app, ":v1", ":v2")
				w.commit("fix", map[string]string{"apps/checkout/config.yaml": "a: 2\n"})
				return l, u, ""
			},
			want: gitops.HeadMoved,
		},
		"a file of F changed after the accepted head": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				u := w.edit("v2", app, ":v1", ":v2")
				accepted := w.edit("scale", app, "replicas: 3", "replicas: 5")
				w.edit("scale", app, "replicas: 5", "replicas: 6")
				return l, u, accepted
			},
			want: gitops.HeadMoved,
		},
		"a person reverted first": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				u := w.edit("v2", app, ":v1", ":v2")
				w.git(w.work, "revert", "--no-edit", u)
				w.git(w.work, "push", "-q", "origin", "HEAD:main")
				return l, u, ""
			},
			want:    gitops.AlreadyReverted,
			because: "stable contents again",
		},
		"a person reverted first and edited a neighbour line": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				u := w.edit("v2", app, ":v1", ":v2")
				return l, u, w.edit("by hand", app, ":v2", ":v1", "the one that serves", "the only one")
			},
			want: gitops.AlreadyReverted,
		},
		"it did not come from Git": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment, "a": "1"})
				return l, w.commit("a", map[string]string{"a": "2"}), ""
			},
			want: gitops.NotFromGit,
		},
		"a binary file is put back": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment, "apps/checkout/logo.png": "\x89PNG\x00\x01"})
				return l, w.commit("v2", map[string]string{app: v(deployment, "v2"), "apps/checkout/logo.png": "\x89PNG\x00\x02"}), ""
			},
			want:  gitops.Committed,
			files: map[string]string{app: deployment, "apps/checkout/logo.png": "\x89PNG\x00\x01"},
		},
		"a binary file changed again": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{"apps/checkout/logo.png": "\x89PNG\x00\x01"})
				u := w.commit("v2", map[string]string{"apps/checkout/logo.png": "\x89PNG\x00\x02"})
				return l, u, w.commit("v3", map[string]string{"apps/checkout/logo.png": "\x89PNG\x00\x03"})
			},
			want:    gitops.Conflict,
			because: "logo.png",
		},
		"a renamed file gets its name back": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				return l, w.commit("v2", map[string]string{app: gone, "apps/checkout/deployment.yaml": v(deployment, "v2")}), ""
			},
			want:  gitops.Committed,
			files: map[string]string{app: deployment, "apps/checkout/deployment.yaml": gone},
		},
		"the file was renamed since": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				u := w.edit("v2", app, ":v1", ":v2")
				return l, u, w.commit("mv", map[string]string{app: gone, "apps/checkout/deployment.yaml": v(deployment, "v2")})
			},
			want:    gitops.Conflict,
			because: "deleted since",
		},
		"a deleted file comes back": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment, "apps/checkout/config.yaml": "a: 1\n"})
				return l, w.commit("v2", map[string]string{app: v(deployment, "v2"), "apps/checkout/config.yaml": gone}), ""
			},
			want:  gitops.Committed,
			files: map[string]string{app: deployment, "apps/checkout/config.yaml": "a: 1\n"},
		},
		"an added file goes away": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				return l, w.commit("v2", map[string]string{app: v(deployment, "v2"), "apps/checkout/config.yaml": "a: 1\n"}), ""
			},
			want:  gitops.Committed,
			files: map[string]string{app: deployment, "apps/checkout/config.yaml": gone},
		},
		"an added file was edited since": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				u := w.commit("v2", map[string]string{app: v(deployment, "v2"), "apps/checkout/config.yaml": "a: 1\n"})
				return l, u, w.commit("edit", map[string]string{"apps/checkout/config.yaml": "a: 2\n"})
			},
			want:    gitops.Conflict,
			because: "added or deleted",
		},
		"a path with spaces, umlauts and brackets": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{"apps/my [chäckout] \"app\"/a *.yaml": deployment, "apps/my c/a.yaml": deployment})
				return l, w.commit("v2", map[string]string{"apps/my [chäckout] \"app\"/a *.yaml": v(deployment, "v2"), "apps/my c/a.yaml": v(deployment, "v2")}), ""
			},
			order: func(o *gitops.Revert) { o.Paths = []string{"apps/my [chäckout] \"app\"/"} },
			want:  gitops.Committed,
			files: map[string]string{"apps/my [chäckout] \"app\"/a *.yaml": deployment, "apps/my c/a.yaml": v(deployment, "v2")},
		},
		"the path is one file": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment, "apps/checkout/b.yaml": "a: 1\n"})
				return l, w.commit("v2", map[string]string{app: v(deployment, "v2"), "apps/checkout/b.yaml": "a: 2\n"}), ""
			},
			order: func(o *gitops.Revert) { o.Paths = []string{app} },
			want:  gitops.Committed,
			files: map[string]string{app: deployment, "apps/checkout/b.yaml": "a: 2\n"},
		},
		"the path is the whole repository": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment, "b.yaml": "a: 1\n"})
				return l, w.commit("v2", map[string]string{app: v(deployment, "v2"), "b.yaml": "a: 2\n"}), ""
			},
			order: func(o *gitops.Revert) { o.Paths = []string{"."} },
			want:  gitops.Committed,
			files: map[string]string{app: deployment, "b.yaml": "a: 1\n"},
		},
		"two failed commits between L and U": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				w.edit("v2", app, ":v1", ":v2")
				return l, w.edit("v3", app, ":v2", ":v3"), ""
			},
			want:  gitops.Committed,
			files: map[string]string{app: deployment},
		},
		"a structural change with an edit on a neighbour line": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				u := w.edit("v2", app, "        ports:\n", "        - {name: NEW, value: \"1\"}\n        ports:\n")
				return l, u, w.edit("edit", app, "containerPort: 8080", "containerPort: 8081", `"info"`, `"debug"`, `"1"`, `"2"`)
			},
			want:    gitops.Conflict,
			because: "spec.template.spec.containers[name=checkout].env",
		},
		"a culprit forbids it": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				w.commit("schema change\n\nNo going back from here.\n\nNo-Auto-Revert: true", map[string]string{app: v(deployment, "v2")})
				return l, w.edit("v3", app, ":v2", ":v3"), ""
			},
			want: gitops.NoAutoRevert,
		},
		"a commit inside a merged branch forbids it": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				w.git(w.work, "checkout", "-q", "-b", "feature")
				w.write("v2\n\nNo-Auto-Revert: true", map[string]string{app: v(deployment, "v2")})
				w.git(w.work, "checkout", "-q", "main")
				w.git(w.work, "merge", "-q", "--no-ff", "-m", "merge", "feature")
				w.git(w.work, "push", "-q", "origin", "HEAD:main")
				return l, w.head(), ""
			},
			want: gitops.NoAutoRevert,
		},
		"a commit that only talks about the trailer does not forbid it": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				return l, w.commit("v2\n\nNo-Auto-Revert: true\n\nwas considered and not set.", map[string]string{app: v(deployment, "v2")}), ""
			},
			want: gitops.Committed,
		},
		"there is no revert of a revert": {
			make: func(w *world) (string, string, string) {
				w.commit("v1", map[string]string{app: deployment})
				l := w.edit("v2", app, ":v1", ":v2")
				return l, w.commit("Revert it\n\nBelay-Revert-Key: abc", map[string]string{app: deployment}), ""
			},
			want: gitops.OwnCommit,
		},
		"another cluster wrote it": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				u := w.edit("v2", app, ":v1", ":v2")
				o := order(l, u)
				o.Failure.Cluster = "prod-us"
				if got := revert(w.t, newEngine(w.t), w.repo(), o); got.Result != gitops.Committed {
					w.t.Fatalf("%+v", got)
				}
				w.git(w.work, "pull", "-q", "origin", "main")
				w.edit("v2 again", app, ":v1", ":v2")
				return l, u, ""
			},
			want:    gitops.AlreadyReverted,
			because: "key",
		},
		"the branch was rewritten": {
			make: func(w *world) (string, string, string) {
				l := w.commit("v1", map[string]string{app: deployment})
				u := w.edit("v2", app, ":v1", ":v2")
				w.git(w.dir, "update-ref", "refs/keep/u", u)
				w.git(w.work, "commit", "-q", "--amend", "-m", "v2, other words")
				w.git(w.work, "push", "-q", "-f", "origin", "HEAD:main")
				return l, u, ""
			},
			want:    gitops.Conflict,
			because: "rewritten",
		},
		"the text merges and the objects do not": {
			// The failed change raised a number that the head's copy of the document also has:
			// git finds the place by the lines around it and takes the wrong document.
			make: func(w *world) (string, string, string) {
				block := func(name, image string) string {
					return "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + "}\nspec:\n  template:\n    spec:\n      containers:\n      - name: main\n        image: " + image + "\n        env: []\n"
				}
				l := w.commit("v1", map[string]string{app: block("checkout", "a:v1")})
				u := w.commit("v2", map[string]string{app: block("checkout", "a:v2")})
				return l, u, w.commit("copy", map[string]string{app: block("checkout", "a:v2") + block("checkout", "a:v2")})
			},
			want:    gitops.Conflict,
			because: "more than once",
		},
		"a chart's template, which is no YAML, merges as text": {
			make: func(w *world) (string, string, string) {
				text := "{{- if .Values.on }}\nimage: {{ .Values.image }}:v1\n{{- end }}\n"
				l := w.commit("v1", map[string]string{"apps/checkout/templates/d.yaml": text})
				return l, w.commit("v2", map[string]string{"apps/checkout/templates/d.yaml": v(text, "v2")}), ""
			},
			want:  gitops.Committed,
			files: map[string]string{"apps/checkout/templates/d.yaml": "{{- if .Values.on }}\nimage: {{ .Values.image }}:v1\n{{- end }}\n"},
		},
	}
}
