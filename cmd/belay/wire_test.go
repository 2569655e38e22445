package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// judge is who is told of a difference: a test, or one that looks whether it is told.
type judge interface {
	Errorf(format string, args ...any)
}

// complaints are what a judge was told.
type complaints []string

func (c *complaints) Errorf(format string, args ...any) {
	*c = append(*c, fmt.Sprintf(format, args...))
}

// compare holds lists of the same things against each other: what one of them has, all have.
func compare(t judge, what string, lists map[string][]string) {
	for a, listed := range lists {
		if len(listed) == 0 {
			t.Errorf("%s: %s has none at all", what, a)
		}
		for b, others := range lists {
			for _, x := range listed {
				if !slices.Contains(others, x) {
					t.Errorf("%s: %s is in %s and not in %s", what, x, a, b)
				}
			}
		}
	}
}

// Every kind of workload stands in every list that has to know it.
func TestWorkloadKinds(t *testing.T) {
	known := slices.Sorted(maps.Keys(workloadKinds(nil)))
	ref := schemas(t)["Rollout"].Properties["spec"].Properties["workloadRef"]
	compare(t, "kinds of workloads", map[string][]string{
		"workloadKinds of cmd/belay/wire.go":        known,
		"spec.workloadRef.kind as the API tells it": told(ref.Properties["kind"].Description),
		"docs/reference/rollout.md":                 documented(t, "workloadRef.kind"),
	})
	names := lower(known)
	compare(t, "kinds of workloads", map[string][]string{
		"workloadKinds of cmd/belay/wire.go, in small letters": names,
		"folders of workloads/":                                mechanisms(t, "workloads", "workloadtest"),
		"config/policies/hold.yaml":                            governed(t, "hold.yaml", "apps"),
		"config/policies/fence.yaml":                           governed(t, "fence.yaml", "apps"),
	})
	for _, name := range names {
		permitted(t, "apps", name)
	}
	if group, _, _ := strings.Cut(string(ref.Properties["apiVersion"].Default.Raw), "/"); strings.Trim(group, `"`) != "apps" {
		t.Errorf("spec.workloadRef.apiVersion is %s by default, all kinds are of apps", group)
	}
}

// Every kind of route stands in every list that has to know it.
func TestRouteKinds(t *testing.T) {
	const gateway = "gateway.networking.k8s.io"
	known := slices.Sorted(maps.Keys(routeKinds()))
	var watched, bare []string
	for _, kind := range watchedRoutes() {
		watched = append(watched, kind.Group+"/"+kind.Kind)
	}
	compare(t, "kinds of routes", map[string][]string{"routeKinds of cmd/belay/wire.go": known, "watchedRoutes": watched})
	for _, kind := range known {
		group, name, _ := strings.Cut(kind, "/")
		if group != gateway {
			t.Errorf("%s is not of %s: teach this test, the RBAC and the policies its group", kind, gateway)
		}
		bare = append(bare, name)
	}
	ref := schemas(t)["Rollout"].Properties["spec"].Properties["routes"].Items.Schema
	compare(t, "kinds of routes", map[string][]string{
		"routeKinds of cmd/belay/wire.go":        bare,
		"spec.routes[].kind as the API tells it": told(ref.Properties["kind"].Description),
		"docs/reference/rollout.md":              documented(t, "routes[].kind"),
	})
	names := lower(bare)
	compare(t, "kinds of routes", map[string][]string{
		"routeKinds of cmd/belay/wire.go, in small letters": names,
		// The pin on Services and the attempt's parameters are no ways of shifting exposure.
		"folders of routers/":            mechanisms(t, "routers", "routertest", "service", "attempt"),
		"config/policies/split.yaml":     governed(t, "split.yaml", gateway),
		"config/policies/created.yaml":   governed(t, "created.yaml", gateway),
		"config/policies/recreated.yaml": governed(t, "recreated.yaml", gateway),
		"config/policies/fence.yaml":     governed(t, "fence.yaml", gateway),
	})
	for _, name := range names {
		permitted(t, gateway, name)
	}
	if group := strings.Trim(string(ref.Properties["group"].Default.Raw), `"`); group != gateway {
		t.Errorf("spec.routes[].group is %s by default, all kinds are of %s", group, gateway)
	}
}

func TestCompareFindsDifferences(t *testing.T) {
	for name, lists := range map[string]map[string][]string{
		"one has more": {"a": {"x", "y"}, "b": {"x"}},
		"one is empty": {"a": {}, "b": {}},
	} {
		var told complaints
		if compare(&told, "things", lists); len(told) == 0 {
			t.Errorf("%s: nothing is said", name)
		}
	}
}

// told reads the kinds from a description such as "kind of the route: HTTPRoute."
func told(description string) []string {
	_, list, _ := strings.Cut(strings.TrimSuffix(description, "."), ": ")
	return regexp.MustCompile(`, | or `).Split(list, -1)
}

// documented gives the values that the reference names for a field.
func documented(t *testing.T, field string) []string {
	t.Helper()
	row := regexp.MustCompile("(?m)^\\| `" + regexp.QuoteMeta(field) + "` \\|[^|]*\\|([^|]*)\\|$").FindStringSubmatch(read(t, "docs/reference/rollout.md"))
	if row == nil {
		t.Fatalf("docs/reference/rollout.md has no row for %s", field)
	}
	var out []string
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
		out = append(out, m[1])
	}
	return out
}

func lower(names []string) []string {
	var out []string
	for _, n := range names {
		out = append(out, strings.ToLower(n))
	}
	return out
}

// mechanisms are the folders of a package that each implement one kind. Each is proved by the contract suite, which is a
// folder as well.
func mechanisms(t *testing.T, dir, suite string, others ...string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, dir))
	must(t, err)
	var out []string
	for _, e := range entries {
		if !e.IsDir() || e.Name() == suite || e.Name() == "testdata" || slices.Contains(others, e.Name()) {
			continue
		}
		out = append(out, e.Name())
		if !proved(t, dir, e.Name(), suite) {
			t.Errorf("%s/%s is proved nowhere: no test runs %s.Run with it", dir, e.Name(), suite)
		}
	}
	return out
}

// proved looks for a test that runs the contract suite with a mechanism: its own, or one on the local cluster.
func proved(t *testing.T, dir, name, suite string) bool {
	t.Helper()
	var files []string
	for _, pattern := range []string{filepath.Join(root, dir, name, "*_test.go"), filepath.Join(root, "e2e/*/*_test.go")} {
		found, err := filepath.Glob(pattern)
		must(t, err)
		files = append(files, found...)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		must(t, err)
		return strings.Contains(string(text), suite+".Run(") && (strings.Contains(string(text), name+".") || strings.Contains(string(text), "package "+name))
	})
}

// governed gives the kinds of a group that a policy is evaluated for, by their names in small letters.
func governed(t *testing.T, policy, group string) []string {
	t.Helper()
	var out []string
	for _, document := range strings.Split(read(t, "config/policies/"+policy), "\n---\n") {
		var p struct {
			Spec struct {
				// Of a policy, and of a binding that narrows it.
				MatchConstraints, MatchResources struct {
					ResourceRules []struct{ APIGroups, Resources []string }
				}
			}
		}
		must(t, yaml.Unmarshal([]byte(document), &p))
		for _, rule := range append(p.Spec.MatchConstraints.ResourceRules, p.Spec.MatchResources.ResourceRules...) {
			for _, resource := range rule.Resources {
				if name, sub, _ := strings.Cut(resource, "/"); sub == "" && slices.Contains(rule.APIGroups, group) {
					out = append(out, strings.TrimSuffix(name, "s"))
				}
			}
		}
	}
	return out
}

// permitted says that the controller may do with a kind what its mechanism does.
func permitted(t *testing.T, group, name string) {
	t.Helper()
	first, _, _ := strings.Cut(read(t, "config/rbac/controller.yaml"), "\n---\n")
	var role rbacv1.ClusterRole
	must(t, yaml.Unmarshal([]byte(first), &role))
	for _, verb := range []string{"get", "list", "watch", "update", "patch"} {
		if !slices.ContainsFunc(role.Rules, func(r rbacv1.PolicyRule) bool {
			return slices.Contains(r.APIGroups, group) && slices.Contains(r.Resources, name+"s") && slices.Contains(r.Verbs, verb)
		}) {
			t.Errorf("config/rbac/controller.yaml does not let the controller %s %ss of %s", verb, name, group)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	must(t, err)
	return string(text)
}
