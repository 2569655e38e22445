package server

import (
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// statusSubresource is the only subresource that objects are written through.
const statusSubresource = "status"

// kind is one resource that the server stores.
type kind struct {
	gvk        schema.GroupVersionKind
	resource   schema.GroupVersionResource
	namespaced bool
	// hasStatus says that status is written through its subresource only.
	hasStatus bool
	// unconditional says that an update need not name the version that it replaces.
	unconditional bool
	// graceful says that a delete may first ask whoever runs the object to end it.
	graceful bool
	form     form
	// names says what is wrong with a name; nil: names are DNS subdomains.
	names validation.ValidateNameFunc
	// allocate gives an object what the server hands out; old is nil when it is created.
	allocate func(s *Server, next, old content)
	// zero is an object of the kind with nothing in it; nil: kinds without a Go type have nothing then.
	zero content
	// fields keep the owners of fields, by subresource.
	fields map[string]*managedfields.FieldManager
}

func (k *kind) groupResource() schema.GroupResource { return k.resource.GroupResource() }

// content is the JSON of an object. Only its top level and its metadata are ever changed, and only while a request is
// being worked on; everything below is shared between versions.
type content = map[string]any

// form knows what objects of a kind look like.
type form interface {
	// read gives what a client sent the form in which it is stored: known fields only, defaults filled in. The result may
	// share what is below its top level with what was sent. Strict refuses unknown fields.
	read(sent content, strict bool) (content, error)
	// create and update set what clients may not: the generation, a status in a write of something else and so on.
	create(content)
	update(next, old content, subresource string)
	// validate finds what is wrong with an object; old is nil when it is created.
	validate(next, old content, subresource string) field.ErrorList
	// patchable says whether strategic merge patches are understood, by giving an example of the Go type.
	patchable() any
}
