package server

import (
	"fmt"
	"maps"
	"reflect"

	apiextensionsopenapi "k8s.io/apiextensions-apiserver/pkg/generated/openapi"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// own makes what keeps the owners of a kind's fields, one for each way to write it. A write never owns what it resets.
func (k *kind) own(types managedfields.TypeConverter, resets map[string][]string) error {
	k.fields = map[string]*managedfields.FieldManager{}
	manager := managedfields.NewDefaultFieldManager
	if _, is := k.form.(*custom); is {
		manager = managedfields.NewDefaultCRDFieldManager
	}
	for subresource, paths := range resets {
		set := fieldpath.NewSet()
		for _, path := range paths {
			var steps []any
			for _, step := range splitPath(path) {
				steps = append(steps, step)
			}
			set.Insert(fieldpath.MakePathOrDie(steps...))
		}
		version := fieldpath.APIVersion(k.gvk.GroupVersion().String())
		reset := fieldpath.NewExcludeFilterSetMap(map[fieldpath.APIVersion]*fieldpath.Set{version: set})
		fields, err := manager(types, conversion{k}, conversion{k}, conversion{k}, k.gvk, k.gvk.GroupVersion(), subresource, reset)
		if err != nil {
			return fmt.Errorf("%s: %w", k.gvk, err)
		}
		k.fields[subresource] = fields
	}
	return nil
}

// conversion stands for what the real server does between versions: here all versions of a kind look the same. Defaults
// are filled in elsewhere.
type conversion struct{ k *kind }

func (c conversion) New(schema.GroupVersionKind) (runtime.Object, error) { return c.k.empty(), nil }

func (conversion) Default(runtime.Object) {}

func (conversion) Convert(_, _, _ any) error {
	return fmt.Errorf("objects are converted to versions only")
}

func (conversion) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

func (c conversion) ConvertToVersion(in runtime.Object, to runtime.GroupVersioner) (runtime.Object, error) {
	u, ok := in.(*unstructured.Unstructured)
	if !ok {
		return nil, fmt.Errorf("%T has no versions", in)
	}
	gvk, ok := to.KindForGroupVersionKinds([]schema.GroupVersionKind{u.GroupVersionKind()})
	if _, is := c.k.form.(*custom); !ok && is {
		return nil, fmt.Errorf("%s is unstructured and is not suitable for converting to %q", u.GroupVersionKind(), to.Identifier())
	}
	if !ok {
		// Owners of a version that is not known are forgotten, where the error says so.
		return nil, runtime.NewNotRegisteredErrForTarget("server in memory", reflect.TypeOf(c.k.form.patchable()), to)
	}
	if gvk == u.GroupVersionKind() {
		return u, nil
	}
	out := &unstructured.Unstructured{Object: maps.Clone(u.Object)}
	out.SetGroupVersionKind(gvk)
	return out, nil
}

const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

// customTypes is what server-side apply knows of custom kinds: their schemas, and metadata as every object has it.
func customTypes(kinds []*kind) (managedfields.TypeConverter, error) {
	models := map[string]*spec.Schema{}
	addModel(models, apiextensionsopenapi.GetOpenAPIDefinitions(reference), objectMeta)
	for _, k := range kinds {
		c, is := k.form.(*custom)
		if !is {
			continue
		}
		model := c.schema.ToKubeOpenAPI()
		model.SetProperty("metadata", *spec.RefSchema(refPrefix + objectMeta))
		model.SetProperty("apiVersion", *spec.StringProperty())
		model.SetProperty("kind", *spec.StringProperty())
		model.AddExtension("x-kubernetes-group-version-kind", []any{
			map[string]any{"group": k.gvk.Group, "version": k.gvk.Version, "kind": k.gvk.Kind},
		})
		models[k.gvk.String()] = model
	}
	return managedfields.NewTypeConverter(models, false)
}

const refPrefix = "#/components/schemas/"

func reference(name string) spec.Ref { return spec.MustCreateRef(refPrefix + name) }

// addModel adds a definition and what it is made of.
func addModel(to map[string]*spec.Schema, from map[string]common.OpenAPIDefinition, name string) {
	if to[name] != nil {
		return
	}
	definition := from[name]
	to[name] = &definition.Schema
	for _, part := range definition.Dependencies {
		addModel(to, from, part)
	}
}
