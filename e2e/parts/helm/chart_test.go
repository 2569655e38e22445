package helm

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"sigs.k8s.io/yaml"
)

const root = "../../.."

// One source for both: who installs the chart gets what config/ shows.
func TestDefaultValuesRenderWhatConfigHolds(t *testing.T) {
	plain := map[string]map[string]any{}
	for _, folder := range []string{"crd", "rbac", "policies", "manager"} {
		files, err := filepath.Glob(filepath.Join(root, "config", folder, "*.yaml"))
		if err != nil || len(files) == 0 {
			t.Fatalf("config/%s: no manifests (%v)", folder, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			collect(t, plain, string(text))
		}
	}
	// Helm makes the namespace (--create-namespace), the chart does not.
	delete(plain, "Namespace belay-system")

	charted := map[string]map[string]any{}
	for _, text := range render(t, nil) {
		collect(t, charted, text)
	}
	for _, key := range slices.Sorted(maps.Keys(plain)) {
		got, there := charted[key]
		if !there {
			t.Errorf("%s is in config/ and not in the chart", key)
			continue
		}
		if !reflect.DeepEqual(comparable(got), comparable(plain[key])) {
			t.Errorf("%s differs\nchart:\n%s\nconfig:\n%s", key, text(t, comparable(got)), text(t, comparable(plain[key])))
		}
	}
	for key := range charted {
		if _, there := plain[key]; !there {
			t.Errorf("%s is in the chart and not in config/", key)
		}
	}
}

func TestValues(t *testing.T) {
	for name, c := range map[string]struct {
		values map[string]any
		check  func(t *testing.T, objects map[string]map[string]any, all string)
	}{
		"controller outside of the cluster": {
			values: map[string]any{"controller": map[string]any{"enabled": false}},
			check: func(t *testing.T, objects map[string]map[string]any, _ string) {
				for _, gone := range []string{"Deployment belay-system/belay", "Service belay-system/belay-metrics"} {
					if objects[gone] != nil {
						t.Errorf("%s is there", gone)
					}
				}
				for _, kept := range []string{"ServiceAccount belay-system/belay", "ClusterRole belay-controller",
					"CustomResourceDefinition rollouts.belay.dev", "MutatingAdmissionPolicy belay-hold", "ConfigMap belay-system/belay-providers"} {
					if objects[kept] == nil {
						t.Errorf("%s is missing", kept)
					}
				}
			},
		},
		"another account": {
			values: map[string]any{"serviceAccount": map[string]any{"name": "delivery"}},
			check: func(t *testing.T, objects map[string]map[string]any, all string) {
				if objects["ServiceAccount belay-system/delivery"] == nil {
					t.Error("the account is missing")
				}
				if strings.Contains(all, "system:serviceaccount:belay-system:belay") {
					t.Error("a policy still knows the old user name")
				}
				if !strings.Contains(all, "'system:serviceaccount:belay-system:delivery'") {
					t.Error("no policy knows the new user name")
				}
			},
		},
		"providers, cluster name and http": {
			values: map[string]any{
				"clusterName":   "prod-eu",
				"git":           map[string]any{"allowHTTP": true},
				"metricSources": map[string]any{"providers": []any{map[string]any{"name": "main", "address": "http://prometheus:9090"}}},
				"controller":    map[string]any{"extraArgs": []any{"--verbose"}},
			},
			check: func(t *testing.T, objects map[string]map[string]any, _ string) {
				config := objects["ConfigMap belay-system/belay-providers"]["data"].(map[string]any)["providers.yaml"].(string)
				if want := "default: \"\"\nproviders:\n- address: http://prometheus:9090\n  name: main\n"; config != want {
					t.Errorf("providers.yaml is %q, want %q", config, want)
				}
				rendered := text(t, objects["Deployment belay-system/belay"])
				for _, flag := range []string{"--cluster-name=prod-eu", "--git-allow-http", "--verbose"} {
					if !strings.Contains(rendered, "- "+flag+"\n") {
						t.Errorf("flag %s is missing", flag)
					}
				}
			},
		},
		"CRDs that go with the release": {
			values: map[string]any{"crds": map[string]any{"keep": false}},
			check: func(t *testing.T, _ map[string]map[string]any, all string) {
				if strings.Contains(all, "resource-policy") {
					t.Error("a CRD is still kept")
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			objects := map[string]map[string]any{}
			all := render(t, c.values)
			for _, text := range all {
				collect(t, objects, text)
			}
			c.check(t, objects, strings.Join(slices.Collect(maps.Values(all)), "\n"))
		})
	}
}

func TestSchemaRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		values map[string]any
		names  string
	}{
		"unknown value":        {map[string]any{"controler": map[string]any{}}, "controler"},
		"unknown nested value": {map[string]any{"git": map[string]any{"allowHttp": true}}, "allowHttp"},
		"type":                 {map[string]any{"controller": map[string]any{"replicas": "two"}}, "replicas"},
		"empty account":        {map[string]any{"serviceAccount": map[string]any{"name": ""}}, "name"},
		"empty cluster name":   {map[string]any{"clusterName": ""}, "clusterName"},
		"provider, no name":    {map[string]any{"metricSources": map[string]any{"providers": []any{map[string]any{"address": "http://x"}}}}, "name"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := attempt(t, c.values)
			if err == nil || !strings.Contains(err.Error(), c.names) {
				t.Fatalf("error %v, want one that names %s", err, c.names)
			}
		})
	}
}

// render returns the chart's manifests by file, with these values over the defaults.
func render(t *testing.T, values map[string]any) map[string]string {
	t.Helper()
	out, err := attempt(t, values)
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(out, func(file, _ string) bool { return !strings.HasSuffix(file, ".yaml") })
	return out
}

func attempt(t *testing.T, values map[string]any) (map[string]string, error) {
	t.Helper()
	chart, err := loader.Load(filepath.Join(root, "charts", "belay"))
	if err != nil {
		t.Fatal(err)
	}
	release := common.ReleaseOptions{Name: "belay", Namespace: "belay-system", Revision: 1, IsInstall: true}
	all, err := util.ToRenderValues(chart, values, release, common.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	return engine.Engine{Strict: true}.RenderWithContext(t.Context(), chart, all)
}

// collect adds the objects of a manifest under "<kind> [<namespace>/]<name>".
func collect(t *testing.T, into map[string]map[string]any, manifest string) {
	t.Helper()
	for document := range strings.SplitSeq("\n"+manifest, "\n---\n") {
		object := map[string]any{}
		if err := yaml.UnmarshalStrict([]byte(document+"\n"), &object); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if len(object) == 0 {
			continue
		}
		metadata := object["metadata"].(map[string]any)
		key := fmt.Sprintf("%s %s", object["kind"], metadata["name"])
		if namespace, ok := metadata["namespace"]; ok {
			key = fmt.Sprintf("%s %s/%s", object["kind"], namespace, metadata["name"])
		}
		if into[key] != nil {
			t.Fatalf("%s occurs twice", key)
		}
		into[key] = object
	}
}

// comparable takes off what only Helm adds.
func comparable(object map[string]any) map[string]any {
	without := func(in any, keys ...string) any {
		out := map[string]any{}
		if m, ok := in.(map[string]any); ok {
			out = maps.Clone(m)
		}
		for _, key := range keys {
			delete(out, key)
		}
		return out
	}
	object = maps.Clone(object)
	metadata := maps.Clone(object["metadata"].(map[string]any))
	metadata["labels"] = without(metadata["labels"], "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart")
	metadata["annotations"] = without(metadata["annotations"], "helm.sh/resource-policy")
	object["metadata"] = metadata
	if spec, ok := object["spec"].(map[string]any); ok && object["kind"] == "Deployment" {
		spec = maps.Clone(spec)
		template := maps.Clone(spec["template"].(map[string]any))
		pods := maps.Clone(template["metadata"].(map[string]any))
		pods["annotations"] = without(pods["annotations"], "belay.dev/providers-digest")
		template["metadata"] = pods
		spec["template"] = template
		object["spec"] = spec
	}
	return object
}

func text(t *testing.T, object map[string]any) string {
	t.Helper()
	out, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
