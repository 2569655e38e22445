package delivery

import (
	"strings"

	"github.com/belay-dev/belay/gitops"
)

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
      - name: checkout
        image: registry.example.com/checkout:v1

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

// with is the Deployment's file with some text replaced.
func with(oldnew ...string) map[string]string {
	return map[string]string{app: strings.NewReplacer(oldnew...).Replace(deployment)}
}

func and(files map[string]string, name, content string) map[string]string {
	files[name] = content
	return files
}

// bump is v1, then v2, then what else.
func bump(more ...push) []push {
	return append([]push{{"v1", with()}, {"v2", with(":v1", ":v2")}}, more...)
}

// expected is how a history ends, in memory as on disk.
type expected struct {
	history
	want gitops.Result
}

// histories that both engines are asked about. Branches have their names.
func histories() map[string]expected {
	last := func(accepted int, pushes []push, want gitops.Result) expected {
		return expected{history{pushes: pushes, stable: 1, failed: 2, accepted: accepted}, want}
	}
	block := func(name, image string) string {
		return "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + "}\nspec:\n  template:\n    spec:\n      containers:\n      - name: main\n        image: " + image + "\n        env: []\n"
	}
	config := "apps/checkout/config.yaml"
	return map[string]expected{
		"a-bump":                       last(0, bump(), gitops.Committed),
		"unrelated-file-same-commit":   last(0, []push{{"v1", and(with(), "docs/a.md", "one")}, {"v2", and(with(":v1", ":v2"), "docs/a.md", "two")}}, gitops.Committed),
		"other-files-since":            last(0, bump(push{"docs", map[string]string{"docs/a.md": "two", "apps/other/app.yaml": deployment}}), gitops.Committed),
		"edit-elsewhere-stops":         last(0, bump(push{"scale", with(":v1", ":v2", "replicas: 3", "replicas: 5")}), gitops.HeadMoved),
		"edit-elsewhere-accepted":      last(3, bump(push{"scale", with(":v1", ":v2", "replicas: 3", "replicas: 5")}), gitops.Committed),
		"the-fix-is-at-the-head":       last(0, bump(push{"fix", with(":v1", ":v3")}), gitops.HeadMoved),
		"the-fix-though-accepted":      last(3, bump(push{"fix", with(":v1", ":v3")}), gitops.Superseded),
		"the-fix-in-another-file":      last(0, []push{{"v1", and(with(), config, "a: 1\n")}, {"v2", with(":v1", ":v2")}, {"fix", map[string]string{config: "a: 2\n"}}}, gitops.HeadMoved),
		"changed-after-accepted":       last(3, bump(push{"scale", with(":v1", ":v2", "replicas: 3", "replicas: 5")}, push{"scale", with(":v1", ":v2", "replicas: 3", "replicas: 6")}), gitops.HeadMoved),
		"a-person-reverted":            last(0, bump(push{"back", with()}), gitops.AlreadyReverted),
		"a-person-reverted-and-more":   last(3, bump(push{"by hand", with("replicas: 3", "replicas: 4")}), gitops.AlreadyReverted),
		"not-from-git":                 last(0, []push{{"v1", and(with(), "a", "1")}, {"a", map[string]string{"a": "2"}}}, gitops.NotFromGit),
		"a-binary-is-put-back":         last(0, []push{{"v1", and(with(), "apps/checkout/logo.png", "1")}, {"v2", and(with(":v1", ":v2"), "apps/checkout/logo.png", "2")}}, gitops.Committed),
		"a-binary-changed-again":       last(3, []push{{"v1", and(with(), "apps/checkout/logo.png", "1")}, {"v2", map[string]string{"apps/checkout/logo.png": "2"}}, {"v3", map[string]string{"apps/checkout/logo.png": "3"}}}, gitops.Conflict),
		"a-renamed-file":               last(0, []push{{"v1", with()}, {"v2", map[string]string{app: gone, "apps/checkout/d.yaml": with(":v1", ":v2")[app]}}}, gitops.Committed),
		"renamed-since":                last(3, bump(push{"mv", map[string]string{app: gone, "apps/checkout/d.yaml": with(":v1", ":v2")[app]}}), gitops.Conflict),
		"a-deleted-file-comes-back":    last(0, []push{{"v1", and(with(), config, "a: 1\n")}, {"v2", and(with(":v1", ":v2"), config, gone)}}, gitops.Committed),
		"an-added-file-goes":           last(0, []push{{"v1", with()}, {"v2", and(with(":v1", ":v2"), config, "a: 1\n")}}, gitops.Committed),
		"an-added-file-was-edited":     last(3, []push{{"v1", with()}, {"v2", and(with(":v1", ":v2"), config, "a: 1\n")}, {"edit", map[string]string{config: "a: 2\n"}}}, gitops.Conflict),
		"the-path-is-one-file":         {history{pushes: []push{{"v1", and(with(), config, "a: 1\n")}, {"v2", and(with(":v1", ":v2"), config, "a: 2\n")}}, stable: 1, failed: 2, paths: []string{app}}, gitops.Committed},
		"the-path-is-everything":       {history{pushes: []push{{"v1", and(with(), "b.yaml", "a: 1\n")}, {"v2", and(with(":v1", ":v2"), "b.yaml", "a: 2\n")}}, stable: 1, failed: 2, paths: []string{"."}}, gitops.Committed},
		"two-failed":                   {history{pushes: bump(push{"v3", with(":v1", ":v3")}), stable: 1, failed: 3}, gitops.Committed},
		"a-new-variable-goes":          last(3, []push{{"v1", with()}, {"v2", with("        env:\n", "        env:\n        - {name: NEW, value: \"1\"}\n")}, {"scale", with("        env:\n", "        env:\n        - {name: NEW, value: \"1\"}\n", "replicas: 3", "replicas: 4")}}, gitops.Committed),
		"a-new-variable-was-edited":    last(3, []push{{"v1", with()}, {"v2", with("        env:\n", "        env:\n        - {name: NEW, value: \"1\"}\n")}, {"edit", with("        env:\n", "        env:\n        - {name: NEW, value: \"2\"}\n")}}, gitops.Conflict),
		"another-edit-of-the-template": last(3, bump(push{"level", with(":v1", ":v2", "info", "debug")}), gitops.Conflict),
		"a-culprit-forbids-it":         {history{pushes: []push{{"v1", with()}, {"schema\n\nNo-Auto-Revert: true", with(":v1", ":v2")}, {"v3", with(":v1", ":v3")}}, stable: 1, failed: 3}, gitops.NoAutoRevert},
		"no-revert-of-a-revert":        {history{pushes: bump(push{"Revert it\n\nBelay-Revert-Key: abc", with()}), stable: 2, failed: 3}, gitops.OwnCommit},
		"the-failed-is-not-on-it":      {history{pushes: bump(push{"v3", with(":v1", ":v3")}), stable: 3, failed: 3, accepted: 0}, gitops.NotFromGit},
		"declared-more-than-once":      last(3, []push{{"v1", map[string]string{app: block("checkout", "a:v1")}}, {"v2", map[string]string{app: block("checkout", "a:v2")}}, {"copy", map[string]string{app: block("checkout", "a:v2") + block("checkout", "a:v2")}}}, gitops.Conflict),
		"a-chart":                      last(0, []push{{"v1", map[string]string{"apps/checkout/d.yaml": "{{- if .on }}\nimage: v1\n{{- end }}\n"}}, {"v2", map[string]string{"apps/checkout/d.yaml": "{{- if .on }}\nimage: v2\n{{- end }}\n"}}}, gitops.Committed),
	}
}
