package parts

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
)

// Part is one program of the local cluster.
type Part struct {
	// Name is the file in bin/parts and the word that people use.
	Name string
	// Module is the folder below e2e/parts whose go.mod pins the versions.
	Module string
	// Requirement is the module whose version is the part's version. Empty
	// means that the source is in this repository.
	Requirement string
	// Package is what is built.
	Package string
	// Tags are build tags.
	Tags []string
	// Variables are set by the linker; {version} stands for the version.
	Variables map[string]string
	// Files says that the part is a folder of Requirement that is copied and
	// not a program.
	Files string
	// Usual is how long a first build takes on two cores.
	Usual time.Duration
}

// All lists the parts in the order in which they are built.
func All() []Part {
	return []Part{
		{Name: "etcd", Module: "etcd", Requirement: "go.etcd.io/etcd/server/v3",
			Package: "go.etcd.io/etcd/server/v3", Usual: time.Minute},
		kubernetes("kube-apiserver", 4*time.Minute),
		kubernetes("kube-controller-manager", time.Minute),
		kubernetes("kube-scheduler", 30*time.Second),
		{Name: "node", Module: "node", Package: ".", Usual: 2 * time.Minute},
		{Name: "helm", Module: "helm", Requirement: "helm.sh/helm/v4",
			Package: "helm.sh/helm/v4/cmd/helm", Usual: 2 * time.Minute},
		{Name: "gateway-api", Module: "..", Requirement: "sigs.k8s.io/gateway-api",
			Files: "config/crd/standard", Usual: time.Second},
		{Name: "traefik", Module: "traefik", Requirement: "github.com/traefik/traefik/v3",
			Package: "github.com/traefik/traefik/v3/cmd/traefik", Usual: 6 * time.Minute},
		{Name: "prometheus", Module: "prometheus", Requirement: "github.com/prometheus/prometheus",
			Package: "github.com/prometheus/prometheus/cmd/prometheus",
			// Its own service discoveries bring the client library of every cloud.
			Tags:  []string{"remove_all_sd", "enable_kubernetes_sd"},
			Usual: 5 * time.Minute},
	}
}

func kubernetes(name string, usual time.Duration) Part {
	return Part{
		Name: name, Module: "kubernetes", Requirement: "k8s.io/kubernetes",
		Package: "k8s.io/kubernetes/cmd/" + name, Usual: usual,
		// Without these, discovery reports v0.0.0 and clients that look at the
		// server's version take it for an ancient one.
		Variables: map[string]string{
			"k8s.io/component-base/version.gitVersion":   "{version}",
			"k8s.io/component-base/version.gitMajor":     "{major}",
			"k8s.io/component-base/version.gitMinor":     "{minor}",
			"k8s.io/component-base/version.gitTreeState": "clean",
		},
	}
}

// choose returns the named ones of all parts, in their order, or all of them
// when no name is given. An unknown name is an error that lists the known ones.
func choose(all []Part, names []string) ([]Part, error) {
	if len(names) == 0 {
		return all, nil
	}
	var known []string
	for _, p := range all {
		known = append(known, p.Name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("part %q is unknown; the parts are %s", name, strings.Join(known, ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(p Part) bool { return !slices.Contains(names, p.Name) }), nil
}

// version reads the part's version, such as v1.36.3, from its go.mod. It is
// empty for a part whose source is in this repository.
func (p Part) version(root string) (string, error) {
	if p.Requirement == "" {
		return "", nil
	}
	file := filepath.Join(p.folder(root), "go.mod")
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	mod, err := modfile.Parse(file, text, nil)
	if err != nil {
		return "", err
	}
	for _, r := range mod.Require {
		if r.Mod.Path == p.Requirement {
			return r.Mod.Version, nil
		}
	}
	return "", fmt.Errorf("%s does not require %s, so the version of %s is unknown", file, p.Requirement, p.Name)
}

// arguments are those of the go command, without the output file.
func (p Part) arguments(version string) []string {
	link := []string{"-s", "-w"}
	numbers := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	for len(numbers) < 2 {
		numbers = append(numbers, "")
	}
	fill := strings.NewReplacer("{version}", version, "{major}", numbers[0], "{minor}", numbers[1])
	for _, name := range sortedKeys(p.Variables) {
		link = append(link, "-X", name+"="+fill.Replace(p.Variables[name]))
	}
	// Without the commit in it, a part of this repository is the same file after
	// every commit that does not concern it.
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", strings.Join(link, " ")}
	if len(p.Tags) > 0 {
		args = append(args, "-tags", strings.Join(p.Tags, ","))
	}
	return args
}

func (p Part) folder(root string) string {
	return filepath.Join(root, "e2e", "parts", p.Module)
}

// title is how the part is called in progress lines.
func (p Part) title(version string) string {
	if version == "" {
		return p.Name
	}
	return p.Name + " " + strings.TrimPrefix(version, "v")
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
