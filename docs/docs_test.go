package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/belay-dev/belay/controllers"
)

const root = ".."

// pages gives every page of the project by its path from the root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md"} {
		out[name] = read(t, name)
	}
	for _, dir := range []string{"docs", "charts/belay"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err == nil && filepath.Ext(path) == ".md" {
				name, _ := filepath.Rel(root, path)
				out[name] = read(t, name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	fence   = regexp.MustCompile("(?ms)^```.*?^```$")
)

// anchor is how a heading is linked to.
func anchor(title string) string {
	title = strings.ToLower(title)
	title = regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(title, "")
	return strings.ReplaceAll(title, " ", "-")
}

func TestLinksLeadSomewhere(t *testing.T) {
	all := pages(t)
	for name, text := range all {
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			path, section, _ := strings.Cut(m[1], "#")
			target := name
			if path != "" {
				target = filepath.Join(filepath.Dir(name), path)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: the link %s leads nowhere", name, m[1])
				continue
			}
			if section == "" {
				continue
			}
			titles := heading.FindAllStringSubmatch(fence.ReplaceAllString(all[target], ""), -1)
			if !slices.ContainsFunc(titles, func(h []string) bool { return anchor(h[1]) == section }) {
				t.Errorf("%s: %s has no section for the link %s", name, target, m[1])
			}
		}
	}
}

func TestEveryPageIsReached(t *testing.T) {
	all := pages(t)
	reached, queue := map[string]bool{"README.md": true}, []string{"README.md"}
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		for _, m := range link.FindAllStringSubmatch(all[name], -1) {
			path, _, _ := strings.Cut(m[1], "#")
			target := filepath.Join(filepath.Dir(name), path)
			if _, page := all[target]; page && !reached[target] {
				reached[target] = true
				queue = append(queue, target)
			}
		}
	}
	for name := range all {
		if !reached[name] && name != "CHANGELOG.md" {
			t.Errorf("%s is linked from nowhere", name)
		}
	}
}

// code gives the Go source that knows reasons, without tests.
func code(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	for _, dir := range []string{"api/v1alpha1", "controllers", "gitops"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			out.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// composed are reasons that the code puts together from two parts.
var composed = regexp.MustCompile(`^(Attempt|Git|Request)([A-Z][A-Za-z]+)$`)

func TestReasonsAreExplained(t *testing.T) {
	source, page := code(t), read(t, "docs/conditions.md")
	for _, pattern := range []string{`\bproblem\("([A-Z]\w+)"`, `Problem\{"([A-Z]\w+)"`, `Reason: "([A-Z]\w+)"`, `skip\("([A-Z]\w+)"`, `settleRevert\([\w.]+, "([A-Z]\w+)"`, `Condition(?:True|False|Unknown), "([A-Z]\w+)"`} {
		found := regexp.MustCompile(pattern).FindAllStringSubmatch(source, -1)
		for _, m := range found {
			if !strings.Contains(page, "`"+m[1]) { // or a reason that begins so
				t.Errorf("docs/conditions.md does not explain the reason %s", m[1])
			}
		}
	}
	for _, m := range regexp.MustCompile("`([A-Z][A-Za-z]+)`").FindAllStringSubmatch(page, -1) {
		reason := m[1]
		if parts := composed.FindStringSubmatch(reason); parts != nil && !strings.Contains(source, `"`+reason+`"`) {
			reason = parts[2]
		}
		if !strings.Contains(source, `"`+reason+`"`) {
			t.Errorf("docs/conditions.md explains %s, which no code says", m[1])
		}
	}
}

func TestFiguresAreListed(t *testing.T) {
	registry := prometheus.NewRegistry()
	controllers.NewMetrics(registry, clocktesting.NewFakePassiveClock(fixed))
	described := make(chan *prometheus.Desc, 64)
	registry.Describe(described)
	close(described)
	page := read(t, "docs/operations.md")
	listed := regexp.MustCompile("(?m)^\\| `(belay_\\w+)").FindAllStringSubmatch(page, -1)
	var exist []string
	for d := range described {
		name := regexp.MustCompile(`fqName: "(\w+)"`).FindStringSubmatch(d.String())[1]
		exist = append(exist, name)
		if !slices.ContainsFunc(listed, func(m []string) bool { return m[1] == name }) {
			t.Errorf("docs/operations.md does not list %s", name)
		}
	}
	for _, m := range listed {
		if !slices.Contains(exist, m[1]) {
			t.Errorf("docs/operations.md lists %s, which does not exist", m[1])
		}
	}
}
