package server

import (
	"fmt"
	"slices"
	"strings"

	segments "k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var metadataPath = field.NewPath("metadata")

// checkMetadata finds what is wrong with metadata; old is nil when an object is created. What did not change was checked
// when it came.
func (k *kind) checkMetadata(next, old content) field.ErrorList {
	m, before := metadata(next), metadata(old)
	var errs field.ErrorList
	if old == nil {
		errs = k.checkName(m)
	} else {
		errs = checkFixed(m, before)
	}
	u := &unstructured.Unstructured{Object: next}
	if !equal(m["labels"], before["labels"]) {
		errs = append(errs, metav1validation.ValidateLabels(u.GetLabels(), metadataPath.Child("labels"))...)
	}
	if !equal(m["annotations"], before["annotations"]) {
		errs = append(errs, validation.ValidateAnnotations(u.GetAnnotations(), metadataPath.Child("annotations"))...)
	}
	if !equal(m["ownerReferences"], before["ownerReferences"]) {
		errs = append(errs, checkOwners(u.GetOwnerReferences())...)
	}
	if equal(m["finalizers"], before["finalizers"]) {
		return errs
	}
	errs = append(errs, validation.ValidateFinalizers(u.GetFinalizers(), metadataPath.Child("finalizers"))...)
	if text(before, "deletionTimestamp") != "" {
		was := (&unstructured.Unstructured{Object: old}).GetFinalizers()
		errs = append(errs, validation.ValidateNoNewFinalizers(u.GetFinalizers(), was, metadataPath.Child("finalizers"))...)
	}
	return errs
}

func (k *kind) checkName(m content) field.ErrorList {
	name, at := text(m, "name"), metadataPath.Child("name")
	if name == "" {
		return field.ErrorList{field.Required(at, "name or generateName is required")}
	}
	valid := k.names
	if valid == nil {
		valid = validation.NameIsDNSSubdomain
	}
	var errs field.ErrorList
	for _, why := range append(valid(name, false), segments.IsPathSegmentName(name)...) {
		errs = append(errs, field.Invalid(at, name, why))
	}
	return errs
}

// checkFixed: some things are as they are.
func checkFixed(m, before content) field.ErrorList {
	var errs field.ErrorList
	for _, name := range []string{"name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"} {
		if !equal(m[name], before[name]) {
			errs = append(errs, field.Invalid(metadataPath.Child(name), m[name], validation.FieldImmutableErrorMsg))
		}
	}
	return errs
}

// checkOwners has the words of Kubernetes 1.36, which are not those of the libraries after it.
func checkOwners(owners []metav1.OwnerReference) field.ErrorList {
	at := metadataPath.Child("ownerReferences")
	var errs field.ErrorList
	controller := ""
	for _, o := range owners {
		gvk := schema.FromAPIVersionAndKind(o.APIVersion, o.Kind)
		for _, part := range []struct{ field, value, why string }{
			{"apiVersion", gvk.Version, "version must not be empty"}, {"kind", gvk.Kind, "must not be empty"},
			{"name", o.Name, "must not be empty"}, {"uid", string(o.UID), "must not be empty"},
		} {
			if part.value == "" {
				errs = append(errs, field.Invalid(at.Child(part.field), part.value, part.why))
			}
		}
		if gvk == (schema.GroupVersionKind{Version: "v1", Kind: "Event"}) {
			errs = append(errs, field.Invalid(at, o, fmt.Sprintf("%s is disallowed from being an owner", gvk)))
		}
		if o.Controller == nil || !*o.Controller {
			continue
		}
		if name := o.Kind + "/" + o.Name; controller == "" {
			controller = name
		} else {
			errs = append(errs, field.Invalid(at, owners,
				fmt.Sprintf("Only one reference can have Controller set to true. Found \"true\" in references for %v and %v", controller, name)))
		}
	}
	return errs
}

// dedupOwners keeps the first of references to one owner.
func dedupOwners(m content) {
	owners, _ := m["ownerReferences"].([]any)
	var once []any
	for i, o := range owners {
		same := func(other any) bool { return uidOf(other) == uidOf(o) }
		if uidOf(o) == "" || !slices.ContainsFunc(owners[:i], same) {
			once = append(once, o)
		}
	}
	if len(once) < len(owners) {
		m["ownerReferences"] = once
	}
}

func uidOf(owner any) string {
	o, _ := owner.(content)
	return text(o, "uid")
}

// storagePath is where etcd would have the object.
func (k *kind) storagePath(key Key) string {
	resource := k.resource.Resource
	switch {
	case k.form.patchable() == nil:
		resource = k.resource.Group + "/" + resource
	case k.gvk.Kind == "Service":
		resource += "/specs"
	}
	return "/registry/" + resource + "/" + strings.TrimPrefix(key.path(), "/")
}
