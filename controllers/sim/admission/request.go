package admission

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
)

// Request is a write that is about to be stored.
type Request struct {
	// Operation is Create, Update or Delete.
	Operation admission.Operation
	Kind      schema.GroupVersionKind
	Resource  schema.GroupVersionResource
	// Subresource is "status" or the like; empty for the object itself.
	Subresource string
	Namespace   string
	// Name may be empty on Create, where the server makes one up later.
	Name   string
	User   string
	DryRun bool
	// Object is what would be stored, with defaults and managedFields, nil on Delete. Old is what is stored, nil on Create.
	// Neither is ever changed.
	Object, Old *unstructured.Unstructured
}

// Params gives the ConfigMaps of a namespace that a selector matches, in the order in which they are to be evaluated.
type Params func(namespace string, selector labels.Selector) []*unstructured.Unstructured

// Authorizer answers what policies ask of `authorizer`. A nil one allows everything.
type Authorizer func(asked authorizer.Attributes) bool

// Authorize makes it what the library asks.
func (a Authorizer) Authorize(_ context.Context, asked authorizer.Attributes) (authorizer.Decision, string, error) {
	if a == nil || a(asked) {
		return authorizer.DecisionAllow, "", nil
	}
	return authorizer.DecisionNoOpinion, "", nil
}

// attributes are the request in the library's form.
func (r *Request) attributes() admission.Attributes {
	return admission.NewAttributesRecord(runtimeObject(r.Object), runtimeObject(r.Old), r.Kind, r.Namespace, r.Name, r.Resource,
		r.Subresource, r.Operation, nil, r.DryRun, &user.DefaultInfo{Name: r.User})
}

// runtimeObject keeps "none" an interface that is nil.
func runtimeObject(object *unstructured.Unstructured) runtime.Object {
	if object == nil {
		return nil
	}
	return object
}
