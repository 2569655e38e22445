package server

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// ReadDefinitions reads CustomResourceDefinitions from YAML of one or more documents.
func ReadDefinitions(files ...[]byte) ([]*apiextensionsv1.CustomResourceDefinition, error) {
	var definitions []*apiextensionsv1.CustomResourceDefinition
	for _, file := range files {
		documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(file)))
		for {
			document, err := documents.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, err
			}
			d := &apiextensionsv1.CustomResourceDefinition{}
			if err := yaml.Unmarshal(document, d); err != nil {
				return nil, err
			}
			if d.Kind == "CustomResourceDefinition" {
				apiextensionsv1.SetObjectDefaults_CustomResourceDefinition(d)
				definitions = append(definitions, d)
			}
		}
	}
	return definitions, nil
}

// customKinds are the kinds that definitions define, in the version in which they are stored; others are not served.
func customKinds(definitions []*apiextensionsv1.CustomResourceDefinition) ([]*kind, error) {
	var kinds []*kind
	for _, d := range definitions {
		for _, v := range d.Spec.Versions {
			if !v.Storage {
				continue
			}
			k, err := customKind(d, v)
			if err != nil {
				return nil, fmt.Errorf("CustomResourceDefinition %s, version %s: %w", d.Name, v.Name, err)
			}
			kinds = append(kinds, k)
		}
	}
	types, err := customTypes(kinds)
	if err != nil {
		return nil, err
	}
	for _, k := range kinds {
		resets := map[string][]string{"": nil}
		if k.hasStatus {
			resets = map[string][]string{"": {"status"}, statusSubresource: {"metadata", "spec"}}
		}
		if err := k.own(types, resets); err != nil {
			return nil, err
		}
	}
	return kinds, nil
}

func customKind(d *apiextensionsv1.CustomResourceDefinition, v apiextensionsv1.CustomResourceDefinitionVersion) (*kind, error) {
	gvk := gvkOf(d.Spec.Group, v.Name, d.Spec.Names.Kind)
	c, err := newCustom(gvk, v)
	if err != nil {
		return nil, err
	}
	return &kind{
		gvk:        gvk,
		resource:   gvrOf(d.Spec.Group, v.Name, d.Spec.Names.Plural),
		namespaced: d.Spec.Scope == apiextensionsv1.NamespaceScoped,
		hasStatus:  c.status != nil,
		form:       c,
	}, nil
}
