package server

import (
	"errors"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// Schemas is what a server knows of its kinds. Compiling them takes long, so that all servers of a process share them.
type Schemas struct {
	scheme *runtime.Scheme
	kinds  map[schema.GroupVersionKind]*kind
	mapper *meta.DefaultRESTMapper
}

// Compile makes schemas of the built-in kinds (see builtin.go) and of custom ones. The scheme has the Go types for typed
// reads and writes; it must know the built-in kinds.
func Compile(scheme *runtime.Scheme, definitions ...*apiextensionsv1.CustomResourceDefinition) (*Schemas, error) {
	kinds, err := builtinKinds(scheme)
	if err != nil {
		return nil, err
	}
	customs, err := customKinds(definitions)
	if err != nil {
		return nil, err
	}
	kinds = append(kinds, customs...)
	var versions []schema.GroupVersion
	for _, k := range kinds {
		versions = append(versions, k.gvk.GroupVersion())
	}
	s := &Schemas{scheme: scheme, kinds: map[schema.GroupVersionKind]*kind{}, mapper: meta.NewDefaultRESTMapper(versions)}
	for _, k := range kinds {
		s.add(k)
	}
	return s, nil
}

func (s *Schemas) add(k *kind) {
	s.kinds[k.gvk] = k
	scope := meta.RESTScope(meta.RESTScopeNamespace)
	if !k.namespaced {
		scope = meta.RESTScopeRoot
	}
	singular := k.resource.GroupVersion().WithResource(strings.ToLower(k.gvk.Kind))
	s.mapper.AddSpecific(k.gvk, k.resource, singular, scope)
}

// of finds the kind of an object.
func (s *Schemas) of(object runtime.Object) (*kind, error) {
	gvk, err := s.gvk(object)
	if err != nil {
		return nil, err
	}
	return s.find(gvk)
}

func (s *Schemas) ofList(list runtime.Object) (*kind, error) {
	gvk, err := s.gvk(list)
	if err != nil {
		return nil, err
	}
	gvk.Kind = strings.TrimSuffix(gvk.Kind, "List")
	return s.find(gvk)
}

func (s *Schemas) gvk(object runtime.Object) (schema.GroupVersionKind, error) {
	switch object.(type) {
	case runtime.Unstructured, *metav1.PartialObjectMetadata, *metav1.PartialObjectMetadataList:
		return object.GetObjectKind().GroupVersionKind(), nil
	}
	return apiutil.GVKForObject(object, s.scheme)
}

func (s *Schemas) find(gvk schema.GroupVersionKind) (*kind, error) {
	if k := s.kinds[gvk]; k != nil {
		return k, nil
	}
	if gvk.Kind == "" {
		return nil, errors.New("the object says no kind: set apiVersion and kind, or use a type of the scheme")
	}
	return nil, &meta.NoKindMatchError{GroupKind: gvk.GroupKind(), SearchedVersions: []string{gvk.Version}}
}

func gvkOf(group, version, kind string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: group, Version: version, Kind: kind}
}

func gvrOf(group, version, resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: group, Version: version, Resource: resource}
}

func splitPath(path string) []string { return strings.Split(strings.TrimPrefix(path, "."), ".") }
