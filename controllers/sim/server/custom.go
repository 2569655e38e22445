package server

import (
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

// custom is the form of a kind that a CustomResourceDefinition defines.
type custom struct {
	gvk    schema.GroupVersionKind
	schema *structural.Structural
	whole  validation.SchemaValidator
	// status validates what is written through the subresource; nil: there is none.
	status validation.SchemaValidator
	rules  *cel.Validator
	// statusOnly is all that a write to the status can break. Nil: a rule of the whole object may look at its status, too.
	statusOnly *part
	// embeds says that there may be other objects in it, with metadata of their own.
	embeds bool
}

// part is what is asked of one field of an object.
type part struct {
	schema *structural.Structural
	rules  *cel.Validator
}

func newCustom(gvk schema.GroupVersionKind, v apiextensionsv1.CustomResourceDefinitionVersion) (*custom, error) {
	var props apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v.Schema.OpenAPIV3Schema, &props, nil); err != nil {
		return nil, err
	}
	form, err := structural.NewStructural(&props)
	if err != nil {
		return nil, err
	}
	if err := defaulting.PruneDefaults(form); err != nil {
		return nil, err
	}
	whole, _, err := validation.NewSchemaValidator(&props)
	if err != nil {
		return nil, err
	}
	c := &custom{gvk: gvk, schema: form, whole: whole, rules: cel.NewValidator(form, true, celconfig.PerCallLimit)}
	c.embeds = embeds(form)
	if v.Subresources == nil || v.Subresources.Status == nil {
		return c, nil
	}
	if len(form.XValidations) == 0 {
		only := *form
		only.Properties = map[string]structural.Structural{"status": form.Properties["status"]}
		c.statusOnly = &part{&only, cel.NewValidator(&only, true, celconfig.PerCallLimit)}
	}
	status := props.Properties["status"]
	c.status, _, err = validation.NewSchemaValidator(&status)
	return c, err
}

func (c *custom) read(object content, strict bool) (content, error) {
	kind, apiVersion := object["kind"], object["apiVersion"]
	meta, found, unknown, err := objectmeta.GetObjectMetaWithOptions(object, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: strict})
	if err != nil {
		return nil, &unreadable{gvk: c.gvk, why: err, raw: err}
	}
	unknown = append(unknown, pruning.PruneWithOptions(object, c.schema, true, structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: strict})...)
	if len(unknown) > 0 && strict {
		return nil, &unreadable{gvk: c.gvk, why: strictError(unknown)}
	}
	defaulting.PruneNonNullableNullsWithoutDefaults(object, c.schema)
	if c.embeds {
		if err := objectmeta.Coerce(nil, object, c.schema, false, false); err != nil {
			return nil, &unreadable{gvk: c.gvk, why: err, raw: err}
		}
	}
	object["kind"], object["apiVersion"] = kind, apiVersion
	if found {
		if err := objectmeta.SetObjectMeta(object, meta); err != nil {
			return nil, err
		}
	}
	defaulting.Default(object, c.schema)
	return object, nil
}

func (c *custom) create(object content) {
	if c.status != nil {
		delete(object, "status")
	}
	metadata(object)["generation"] = int64(1)
}

func (c *custom) update(next, old content, subresource string) {
	if subresource == statusSubresource {
		c.updateStatus(next, old)
		return
	}
	if c.status != nil {
		keep(next, old, "status")
	}
	for _, object := range []content{next, old} {
		for key := range object {
			if key != "metadata" && !equal(next[key], old[key]) {
				metadata(next)["generation"] = number(metadata(old), "generation") + 1
				return
			}
		}
	}
}

// updateStatus takes nothing but the status.
func (c *custom) updateStatus(next, old content) {
	status, is := next["status"]
	clear(next)
	for key, value := range editable(old) {
		next[key] = value
	}
	put(next, "status", status, is)
}

func (c *custom) patchable() any { return nil }

// embeds says whether a schema has other objects within.
func embeds(s *structural.Structural) bool {
	found := false
	(&structural.Visitor{Structural: func(s *structural.Structural) bool {
		found = found || s.XEmbeddedResource
		return false
	}}).Visit(s)
	return found
}

// strictError tells unknown fields.
func strictError(paths []string) error {
	var errs []error
	for _, path := range paths {
		errs = append(errs, fmt.Errorf("unknown field %q", path))
	}
	return runtime.NewStrictDecodingError(errs)
}
