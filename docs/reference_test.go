package docs

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/api/v1alpha1"
)

var fixed = time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC)

// fields gives the paths of a schema's fields, as "steps[].approve.timeout". Below stop, fields are described elsewhere.
func fields(schema apiextensionsv1.JSONSchemaProps, prefix string, stop []string) []string {
	var out []string
	for name, prop := range schema.Properties {
		path := prefix + name
		out = append(out, path)
		if slices.Contains(stop, path) {
			continue
		}
		out = append(out, fields(prop, path+".", stop)...)
		if prop.Items != nil && prop.Items.Schema != nil {
			out = append(out, fields(*prop.Items.Schema, path+"[].", stop)...)
		}
	}
	slices.Sort(out)
	return out
}

func specOf(t *testing.T, crd string) apiextensionsv1.JSONSchemaProps {
	t.Helper()
	var d apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict([]byte(read(t, "config/crd/"+crd)), &d); err != nil {
		t.Fatal(err)
	}
	return d.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
}

// rows gives the fields of the tables in a section: each row's first cell, all the code spans in it.
func rows(page, title string) []string {
	_, section, _ := strings.Cut(page, title+"\n")
	level := strings.Repeat("#", len(title)-len(strings.TrimLeft(title, "#")))
	if at := regexp.MustCompile(`(?m)^#{1,` + string(rune('0'+len(level))) + `} `).FindStringIndex(section); at != nil {
		section = section[:at[0]]
	}
	if at := regexp.MustCompile(`(?m)^#`).FindStringIndex(section); at != nil {
		section = section[:at[0]] // its own table, not those of subsections
	}
	var out []string
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*)\\|").FindAllStringSubmatch(section, -1) {
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			out = append(out, m[1])
		}
	}
	slices.Sort(out)
	return out
}

func TestEveryFieldIsDescribedAndNoOther(t *testing.T) {
	rollout := specOf(t, "belay.dev_rollouts.yaml")
	canary := rollout.Properties["strategy"].Properties["canary"]
	template := specOf(t, "belay.dev_analysistemplates.yaml")
	for name, test := range map[string]struct {
		page, title string
		schema      apiextensionsv1.JSONSchemaProps
		stop        []string
	}{
		"Rollout":    {"rollout", "## spec", rollout, []string{"strategy.canary", "analysis", "git"}},
		"canary":     {"rollout", "### strategy.canary", canary, nil},
		"analysis":   {"rollout", "### analysis", rollout.Properties["analysis"], []string{"metrics"}},
		"git":        {"rollout", "### git", rollout.Properties["git"], nil},
		"template":   {"analysistemplate", "## spec", template, []string{"metrics"}},
		"metric":     {"analysistemplate", "### metrics", *template.Properties["metrics"].Items.Schema, []string{"compare", "gauge"}},
		"compare":    {"analysistemplate", "### compare", template.Properties["metrics"].Items.Schema.Properties["compare"], nil},
		"gauge":      {"analysistemplate", "### gauge", template.Properties["metrics"].Items.Schema.Properties["gauge"], nil},
		"Repository": {"repository", "## spec", specOf(t, "belay.dev_repositories.yaml"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			described := rows(read(t, "docs/reference/"+test.page+".md"), test.title)
			exist := fields(test.schema, "", test.stop)
			for _, f := range exist {
				if !slices.Contains(described, f) {
					t.Errorf("field %s is not described", f)
				}
			}
			for _, f := range described {
				if !slices.Contains(exist, f) {
					t.Errorf("%s is described and does not exist", f)
				}
			}
		})
	}
}

func TestStatusAndAnnotationsAreDescribed(t *testing.T) {
	page := read(t, "docs/reference/rollout.md")
	var d apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal([]byte(read(t, "config/crd/belay.dev_rollouts.yaml")), &d); err != nil {
		t.Fatal(err)
	}
	described := rows(page, "## status")
	for name := range d.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["status"].Properties {
		if !slices.Contains(described, name) {
			t.Errorf("status.%s is not described", name)
		}
	}
	keys := rows(page, "## Labels and annotations")
	for _, m := range regexp.MustCompile(`= "(belay\.dev/[a-z-]+)"`).FindAllStringSubmatch(read(t, "api/v1alpha1/annotations.go"), -1) {
		if !slices.Contains(keys, m[1]) {
			t.Errorf("%s is not described", m[1])
		}
	}
}

// TestManifestsInPages decodes every complete manifest of ours in a page, unknown fields refused.
func TestManifestsInPages(t *testing.T) {
	block := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
	found := 0
	for name, text := range pages(t) {
		for _, m := range block.FindAllStringSubmatch(text, -1) {
			for _, document := range strings.Split(m[1], "\n---\n") {
				var kind metav1.TypeMeta
				if err := yaml.Unmarshal([]byte(document), &kind); err != nil || kind.APIVersion != v1alpha1.GroupVersion.String() {
					continue
				}
				found++
				into, known := map[string]any{
					"Rollout": &v1alpha1.Rollout{}, "AnalysisTemplate": &v1alpha1.AnalysisTemplate{},
					"ClusterAnalysisTemplate": &v1alpha1.ClusterAnalysisTemplate{}, "Repository": &v1alpha1.Repository{},
				}[kind.Kind]
				if !known {
					t.Errorf("%s: there is no kind %s", name, kind.Kind)
				} else if err := yaml.UnmarshalStrict([]byte(document), into); err != nil {
					t.Errorf("%s: %s: %v", name, kind.Kind, err)
				}
			}
		}
	}
	if found == 0 {
		t.Error("no page has a manifest: the pattern does not find them any more")
	}
}

// The README's Rollout is the sample's.
func TestReadmeShowsTheSample(t *testing.T) {
	sample := strings.Split(read(t, "config/samples/first-rollout.yaml"), "\n---\n")
	shown := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindStringSubmatch(read(t, "README.md"))
	if shown == nil {
		t.Fatal("README.md shows no manifest")
	}
	for _, document := range strings.Split(shown[1], "\n---\n") {
		var want any
		if err := yaml.Unmarshal([]byte(document), &want); err != nil {
			t.Fatal(err)
		}
		text, _ := yaml.Marshal(want)
		if !slices.ContainsFunc(sample, func(s string) bool {
			var have any
			if yaml.Unmarshal([]byte(s), &have) != nil {
				return false
			}
			other, _ := yaml.Marshal(have)
			return bytes.Equal(text, other)
		}) {
			t.Errorf("config/samples/first-rollout.yaml does not have what README.md shows:\n%s", document)
		}
	}
}
