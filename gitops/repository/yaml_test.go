package repository

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/belay-dev/belay/gitops"
)

var checkout = gitops.ObjectRef{Kind: "Deployment", Namespace: "shop", Name: "checkout"}

const workload = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: checkout}\nspec: {template: {spec: {containers: [{name: app, image: \"shop:v1\"}]}}}\n"

// A file that anybody may put into a repository must not keep the controller busy for hours.
func TestWideMapping(t *testing.T) {
	t.Parallel()
	of := func(keys int, more string) []byte {
		var b strings.Builder
		b.WriteString("data:\n" + more)
		for i := range keys {
			fmt.Fprintf(&b, "  k%d:\n", i)
		}
		return []byte(b.String())
	}
	if documents, err := parse(of(maxKeys, "")); err != nil || len(documents) != 1 {
		t.Errorf("%d keys: %v", maxKeys, err)
	}
	if _, err := parse(of(300_000, "")); !errors.Is(err, errWide) {
		t.Errorf("300,000 keys: %v", err)
	}
	if _, _, why := invertFile(of(300_000, "  a: 2\n"), of(300_000, "  a: 1\n"), of(300_001, "  a: 2\n")); why != "it cannot be read as YAML and was changed since in the same place" {
		t.Errorf("taken back because %q", why)
	}
}

// FuzzDocuments reads files that say anything: what two documents are found to say alike, they do say; a workload is found
// in one place or in none; and the order of the files is nothing.
func FuzzDocuments(f *testing.F) {
	f.Add(workload, "kind: Service\n---\n"+workload)
	f.Add("a: 1\na: 2\n", "? {x: 1}\n: 1\n")
	f.Add("a: &a [1, *a]\n", "a: &a {b: c}\nd: {<<: *a}\n")
	f.Add("1: a\n.nan: b\n", "\"1\": a\n")
	f.Add("%YAML 1.1\n---\n!!binary |\n  aGk=\n...\n", "{{ .Values.x }}\n")
	f.Add("a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c]\n", "\ufeffkind: \x85")
	f.Fuzz(func(t *testing.T, first, second string) {
		a, errA := parse([]byte(first))
		b, errB := parse([]byte(second))
		if errA == nil && errB == nil && len(a) == 1 && len(b) == 1 && equal(a[0], b[0]) && !strings.ContainsAny(first+second, "*") {
			va, errA := value(a[0])
			vb, errB := value(b[0])
			if errA == nil && errB == nil && !reflect.DeepEqual(plain(va), plain(vb)) {
				t.Errorf("%q and %q are taken for the same", first, second)
			}
		}
		tree := map[string]file{"a.yaml": {mode: "100644", blob: "a"}, "b.yml": {mode: "100644", blob: "b"}, "link.yaml": {mode: "120000", blob: "a"}, "c.txt": {mode: "100644", blob: "b"}}
		contents := map[string][]byte{"a": []byte(first), "b": []byte(second)}
		found := newReader(checkout, contents).template(tree)
		if (found.content == nil) == (found.why == "") {
			t.Errorf("found %v, because %q", found.content, found.why)
		}
		swapped := newReader(checkout, map[string][]byte{"a": contents["b"], "b": contents["a"]}).template(tree)
		if found.why != swapped.why || found.why == "" && !strings.Contains(strings.ToLower(first+second), "nan") && !found.same(swapped) {
			t.Errorf("found %+v, and with the files swapped %+v", found, swapped)
		}
		n := 0
		for _, d := range append(a, b...) {
			if id := idOf(d); id.is(checkout) {
				n++
			}
		}
		if errA == nil && errB == nil && found.why == "" && n != 1 {
			t.Errorf("declared %d times and found", n)
		}
	})
}

// plain is a value with every key as text, as Kubernetes has it.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, item := range v {
			out[key] = plain(item)
		}
		return out
	case map[any]any:
		out := map[string]any{}
		for key, item := range v {
			out[fmt.Sprint(key)] = plain(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	}
	return v
}

// FuzzCheck holds the last look before a push against what it must let through and what it must stop: a branch that is left
// as it is, a change that is taken back as a whole, and a document that comes from nowhere.
func FuzzCheck(f *testing.F) {
	f.Add(workload, strings.ReplaceAll(workload, "v1", "v2"), "x: y\n")
	f.Add("a: 1\n---\nb: [{name: x, v: 1}]\n", "a: 2\n", "")
	f.Add("a: .nan\n", "a: .inf\n", "a: [1, 2]\n")
	f.Add("a: &x {b: 1}\nc: *x\n", "a: &x {b: 2}\nc: *x\n", "? [a]\n: b\n")
	f.Fuzz(func(t *testing.T, stable, failed, other string) {
		s, errS := parse([]byte(stable))
		u, errU := parse([]byte(failed))
		o, errO := parse([]byte(other))
		if errS != nil || errU != nil || errO != nil || strings.Contains(strings.ToLower(stable+failed), "nan") {
			return
		}
		if problem := (states{stable: s, failed: u, head: u, us: s}).check(); problem != "" && readable(s) && readable(u) {
			t.Errorf("the change from %q to %q cannot be taken back: %s", stable, failed, problem)
		}
		if problem := (states{stable: s, failed: s, head: u, us: u}).check(); problem != "" && readable(u) {
			t.Errorf("%q cannot be left as it is: %s", failed, problem)
		}
		stranger := append(slices.Clone(u), o...)
		if problem := (states{stable: u, failed: u, head: u, us: stranger}).check(); problem == "" && len(o) > 0 {
			t.Errorf("%q is added to %q, and nobody minds", other, failed)
		}
	})
}

func readable(documents []*yaml.Node) bool {
	return !slices.ContainsFunc(documents, func(n *yaml.Node) bool { _, err := value(n); return err != nil })
}

// What is patched by the name of a container is so by the schema of Deployments: without it the list would be replaced.
const (
	patching = "resources: [app.yaml]\npatches: [{path: patch.yaml}]\n"
	variable = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: checkout}\nspec: {template: {spec: {containers: [{name: app, env: [{name: LEVEL, value: info}]}]}}}\n"
	atomic   = `{"definitions": {"io.k8s.api.apps.v1.Deployment": {"x-kubernetes-group-version-kind": [{"group": "apps", "kind": "Deployment", "version": "v1"}], "properties": {"spec": {"type": "object"}}}}}`
)

// A repository that brings a schema of its own brings it for itself.
func TestSchemaOfAnotherRepository(t *testing.T) {
	want, why := rendered(patching, variable)
	if why != "" || !strings.Contains(fmt.Sprint(want), "shop:v1") {
		t.Fatalf("%v %s", want, why)
	}
	const brings = "resources: [app.yaml]\nopenapi: {path: patch.yaml}\n"
	for name, files := range map[string][2]string{"a schema": {brings, atomic}, "no schema": {brings, "x: ["}, "no version": {"resources: [app.yaml]\nopenapi: {version: v0.0.0}\n", ""}} {
		_, _ = rendered(files[0], files[1])
		if got, why := rendered(patching, variable); why != "" || !reflect.DeepEqual(got, want) {
			t.Errorf("after %s: %v (%s), before %v", name, got, why, want)
		}
	}
}

// FuzzKustomization renders kustomizations that say anything, as far as they stay inside the repository: the same files
// render to the same objects, and none leaves anything behind that the next one would see.
func FuzzKustomization(f *testing.F) {
	for _, seed := range []string{
		"resources: [app.yaml]\nimages: [{name: shop, newTag: v2}]\n", "resources: [app.yaml]\npatches: [{path: patch.yaml}]\nnamespace: shop\nnamePrefix: a-\n",
		"bases: [.]\n", "resources: [app.yaml, app.yaml]\n", "configMapGenerator: [{name: a, files: [x=patch.yaml], literals: [a=b]}]\n", "resources: [app.yaml]\nopenapi: {path: patch.yaml}\n",
		"resources: [app.yaml]\nreplacements: [{source: {kind: Deployment}, targets: [{select: {kind: Deployment}, fieldPaths: [metadata.name]}]}]\n",
		"apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nvars: [{name: A, objref: {kind: Deployment, name: checkout, apiVersion: apps/v1}}]\n",
		"resources: [app.yaml]\npatchesStrategicMerge:\n- |\n  kind: Deployment\n  metadata: {name: checkout}\n  $patch: delete\n", "resources:\n- https://example.com/x\n", "transformers: [app.yaml]\n", "kind: x\n\xff",
	} {
		f.Add(seed, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: checkout}\nspec: {replicas: 3}\n")
	}
	f.Add("resources: [app.yaml]\nopenapi: {path: patch.yaml}\n", atomic)
	want, why := rendered(patching, variable)
	if why != "" || len(want) != 1 || !strings.Contains(fmt.Sprint(want), "shop:v1") || !strings.Contains(fmt.Sprint(want), "LEVEL") {
		f.Fatalf("the plain one is not rendered: %v %s", want, why)
	}
	f.Fuzz(func(t *testing.T, kustomization, patch string) {
		var k types.Kustomization
		if k.Unmarshal([]byte(kustomization)) != nil || plugins(k) || !within(references(k)) {
			return // visit and follow turn it away
		}
		first, why := rendered(kustomization, patch)
		if why != "" && (len([]rune(why)) > maxFree+len("kustomize cannot render apps: ") || strings.Contains(why, "\n")) {
			t.Errorf("%q does not fit a status", why)
		}
		if second, again := rendered(kustomization, patch); again != why || why == "" && !reflect.DeepEqual(first, second) {
			t.Errorf("%q renders to %v (%s) and then to %v (%s)", kustomization, first, why, second, again)
		}
		if got, why := rendered(patching, variable); why != "" || !reflect.DeepEqual(got, want) {
			t.Errorf("after %q and %q the plain one renders to %v (%s)", kustomization, patch, got, why)
		}
	})
}

func within(references []string) bool {
	for _, ref := range references {
		name, inside := leads("apps", ref)
		if !inside || !slices.Contains([]string{"apps/app.yaml", "apps/patch.yaml"}, name) {
			return false
		}
	}
	return true
}

func rendered(kustomization, patch string) (map[objectID]any, string) {
	disk := filesys.MakeFsInMemory()
	files := map[string]string{"kustomization.yaml": kustomization, "app.yaml": workload, "patch.yaml": patch}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := disk.WriteFile(path.Join("/apps", name), []byte(files[name])); err != nil {
			return nil, err.Error()
		}
	}
	objects := map[objectID]any{}
	why := build(disk, "/apps", objects)
	return objects, why
}
