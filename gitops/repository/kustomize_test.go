package repository_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/belay-dev/belay/gitops"
)

// prod is a kustomization with the image in it, over a base outside of F.
const prod = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: shop
resources:
- ../../base
- config.yaml
images:
- name: registry.example.com/checkout
  newTag: v1 # {"$imagepolicy": "flux-system:checkout:tag"}
configMapGenerator:
- name: settings
  files: [app.properties]
commonAnnotations:
  docs: https://docs.example.com/checkout
`

func kustomized(w *world) string {
	return w.commit("v1", map[string]string{
		"apps/base/kustomization.yaml":          "resources: [app.yaml]\n",
		"apps/base/app.yaml":                    strings.ReplaceAll(deployment, "  namespace: shop\n", ""),
		"apps/checkout/prod/kustomization.yaml": prod,
		"apps/checkout/prod/config.yaml":        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {a: \"1\"}\n",
		"apps/checkout/prod/app.properties":     "level=info\n",
	})
}

func prodSource() gitops.Source {
	src := source()
	src.Paths = []string{"apps/checkout/prod"}
	return src
}

const prodFile = "apps/checkout/prod/kustomization.yaml"

func TestKustomizeLocate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make func(w *world) (record, head, stable, failed string)
		wide string
	}{
		"exact": {make: func(w *world) (string, string, string, string) {
			record := kustomized(w)
			l := w.edit("other", "apps/checkout/prod/config.yaml", `"1"`, `"2"`)
			u := w.edit("v2", prodFile, "newTag: v1", "newTag: v2")
			return record, w.edit("other", "apps/checkout/prod/config.yaml", `"2"`, `"3"`), l, u
		}},
		"a remote base": {wide: "not in the repository", make: func(w *world) (string, string, string, string) {
			l := w.commit("v1", map[string]string{prodFile: "resources: [\"https://github.com/nobody/nothing?ref=main\"]\n"})
			u := w.edit("v2", prodFile, "ref=main", "ref=v2")
			return l, u, l, u
		}},
		"a directory that looks remote": {wide: "not in the repository", make: func(w *world) (string, string, string, string) {
			l := w.commit("v1", map[string]string{prodFile: "resources: [github.com/nobody/nothing]\n", "apps/checkout/prod/github.com/nobody/nothing/kustomization.yaml": "{}\n"})
			u := w.commit("v2", map[string]string{"apps/checkout/prod/github.com/nobody/nothing/kustomization.yaml": "namePrefix: x\n"})
			return l, u, l, u
		}},
		"a chart": {wide: "charts or plugins", make: func(w *world) (string, string, string, string) {
			l := w.commit("v1", map[string]string{prodFile: "helmCharts: [{name: a, repo: https://charts.example.com}]\n"})
			u := w.edit("v2", prodFile, "name: a", "name: b")
			return l, u, l, u
		}},
		"out of the repository": {wide: "not in the repository", make: func(w *world) (string, string, string, string) {
			l := w.commit("v1", map[string]string{prodFile: "resources: [../../../../etc]\n"})
			u := w.edit("v2", prodFile, "etc", "usr")
			return l, u, l, u
		}},
		"a mapping that fills the file": {wide: "more than 2000 keys", make: func(w *world) (string, string, string, string) {
			l := w.commit("v1", map[string]string{prodFile: "resources: [wide.yaml]\n", "apps/checkout/prod/wide.yaml": wideConfig(100_000)})
			u := w.commit("v2", map[string]string{"apps/checkout/prod/wide.yaml": wideConfig(100_001)})
			return l, u, l, u
		}},
		"only below the path": {wide: "not at the top", make: func(w *world) (string, string, string, string) {
			l := w.commit("v1", map[string]string{"apps/checkout/prod/eu/kustomization.yaml": "{}\n"})
			u := w.commit("v2", map[string]string{"apps/checkout/prod/eu/kustomization.yaml": "namePrefix: x\n"})
			return l, u, l, u
		}},
		"broken at the head": {wide: "kustomize cannot render", make: func(w *world) (string, string, string, string) {
			l := kustomized(w)
			u := w.edit("v2", prodFile, "name: settings", "name: \"\"")
			return l, u, l, u
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			record, head, stable, failed := c.make(w)
			got, err := newEngine(t).Locate(t.Context(), w.repo(), prodSource(), record, head)
			if err != nil {
				t.Fatal(err)
			}
			if got.Stable != stable || got.Failed != failed || got.Exact != (c.wide == "") || !strings.Contains(got.Why, c.wide) {
				t.Errorf("got %+v\nwant %s..%s (%s)", got, stable, failed, c.wide)
			}
		})
	}
}

func TestKustomizeRevert(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make    func(w *world) (stable, failed, accepted string)
		want    gitops.Result
		because string
		files   map[string]string
	}{
		"the tag in the kustomization": {
			make: func(w *world) (string, string, string) {
				l := kustomized(w)
				return l, w.edit("v2", prodFile, "newTag: v1", "newTag: v2"), ""
			},
			want: gitops.Committed, files: map[string]string{prodFile: prod},
		},
		"with an edit beside it": {
			make: func(w *world) (string, string, string) {
				l := kustomized(w)
				u := w.edit("v2", prodFile, "newTag: v1", "newTag: v2")
				return l, u, w.edit("note", prodFile, "- name: registry.example.com/checkout\n", "- name: registry.example.com/checkout # ours\n")
			},
			want: gitops.Committed, files: map[string]string{prodFile: strings.ReplaceAll(prod, "- name: registry.example.com/checkout\n", "- name: registry.example.com/checkout # ours\n")},
		},
		"a generated ConfigMap of the same release goes back too": {
			make: func(w *world) (string, string, string) {
				l := kustomized(w)
				return l, w.commit("v2", map[string]string{prodFile: strings.ReplaceAll(prod, "newTag: v1", "newTag: v2"), "apps/checkout/prod/app.properties": "level=debug\n"}), ""
			},
			want: gitops.Committed, files: map[string]string{prodFile: prod, "apps/checkout/prod/app.properties": "level=info\n"},
		},
		"the base took over since, so that the revert would not bring v1 back": {
			make: func(w *world) (string, string, string) {
				l := kustomized(w)
				u := w.edit("v2", prodFile, "newTag: v1", "newTag: v2")
				w.edit("level", "apps/base/app.yaml", `"info"`, `"debug"`)
				return l, u, ""
			},
			want: gitops.Conflict, because: "stable template",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			l, u, accepted := c.make(w)
			before := w.head()
			o := order(l, u)
			o.Source, o.Accepted = prodSource(), accepted
			outcome := revert(t, newEngine(t), w.repo(), o)
			if outcome.Result != c.want || !strings.Contains(outcome.Why, c.because) {
				t.Fatalf("%+v", outcome)
			}
			if c.want != gitops.Committed && w.head() != before {
				t.Error("the branch moved")
			}
			for name, want := range c.files {
				if got := w.show(name); got != want {
					t.Errorf("%s is\n%s", name, got)
				}
			}
		})
	}
}

// wideConfig has so many keys that it would take hours to read.
func wideConfig(keys int) string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: wide}\ndata:\n")
	for i := range keys {
		fmt.Fprintf(&b, "  k%d: \"\"\n", i)
	}
	return b.String()
}
