package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// templates is where the chart keeps its templates.
const templates = "charts/belay/templates"

// group is a folder of config/ that becomes a folder of templates.
type group struct {
	name   string
	value  string // the chart's value that switches it on
	skip   string // a file that the chart has in its own form
	change func(string) (string, error)
}

func groups() []group {
	return []group{
		{name: "crd", value: "crds.install", change: keepable},
		{name: "rbac", value: "rbac.install", skip: "service-account.yaml", change: released},
		{name: "policies", value: "policies.install", change: released},
	}
}

// render returns the text of every generated template by its path below root.
func render(root string) (map[string]string, error) {
	out := map[string]string{}
	for _, g := range groups() {
		sources, err := filepath.Glob(filepath.Join(root, "config", g.name, "*.yaml"))
		if err != nil {
			return nil, err
		}
		if len(sources) == 0 {
			return nil, fmt.Errorf("config/%s holds no .yaml file; run this in the repository's root, after controller-gen", g.name)
		}
		for _, source := range sources {
			name := filepath.Base(source)
			if name == g.skip {
				continue
			}
			text, err := os.ReadFile(source)
			if err != nil {
				return nil, err
			}
			body, err := g.change(escape(string(text)))
			if err != nil {
				return nil, fmt.Errorf("config/%s/%s: %w", g.name, name, err)
			}
			out[filepath.Join(templates, g.name, name)] = fmt.Sprintf(
				"{{- /* Generated from config/%s/%s by config/generate; change that and run make generate. */}}\n{{- if .Values.%s }}\n%s{{- end }}\n",
				g.name, name, g.value, body)
		}
	}
	return out, nil
}

// escape keeps the template engine away from braces that belong to the text, such as PromQL templates in descriptions.
func escape(text string) string {
	return strings.ReplaceAll(text, "{{", `{{ "{{" }}`)
}

// released puts the release's namespace and service account where the plain manifests name their own.
func released(text string) (string, error) {
	const (
		namespace = "{{ .Release.Namespace }}"
		account   = `{{ include "belay.serviceAccountName" . }}`
	)
	text = strings.NewReplacer(
		"system:serviceaccount:belay-system:belay", "system:serviceaccount:"+namespace+":"+account,
		"name: belay\n  namespace: belay-system", "name: "+account+"\n  namespace: "+namespace,
		"namespace: belay-system", "namespace: "+namespace,
	).Replace(text)
	for number, line := range strings.Split(text, "\n") {
		if strings.Contains(line, "belay-system") && !strings.HasPrefix(strings.TrimSpace(line), "#") {
			return "", fmt.Errorf("line %d names belay-system in a form that the chart cannot replace: %s", number+1, strings.TrimSpace(line))
		}
	}
	return text, nil
}

// keepable lets a value decide whether a CRD, and with it every object of its kind, outlives the release.
func keepable(text string) (string, error) {
	const anchor = "\n  annotations:\n"
	if strings.Count(text, anchor) != 1 {
		return "", fmt.Errorf("expected exactly one metadata.annotations, as controller-gen writes it, found %d", strings.Count(text, anchor))
	}
	return strings.Replace(text, anchor, anchor+"    {{- if .Values.crds.keep }}\n    helm.sh/resource-policy: keep\n    {{- end }}\n", 1), nil
}
