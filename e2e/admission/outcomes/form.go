package outcomes

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// ResourceOf is where objects of this kind are.
func ResourceOf(object *unstructured.Unstructured) schema.GroupVersionResource {
	resource, _ := meta.UnsafeGuessKindToResource(object.GroupVersionKind())
	// Guessing the plural fails for MutatingAdmissionPolicy and its like only.
	resource.Resource = strings.Replace(resource.Resource, "policys", "policies", 1)
	return resource
}

// formOf tells in one line what matters of an object: first the fields that
// Git declares, then what the prefix belay.dev/ says about it.
func formOf(object *unstructured.Unstructured) string {
	var form string
	switch object.GetKind() {
	case "Deployment":
		form = deploymentForm(object)
	case "Service":
		form = serviceForm(object)
	case "HTTPRoute":
		form = routeForm(object)
	default:
		return ""
	}
	notes := []string{form}
	if name, is := object.GetLabels()["belay.dev/rollout"]; is {
		notes = append(notes, "rollout "+name)
	}
	annotations := object.GetAnnotations()
	for _, key := range []string{"hold", "pin", "split", "contested-by", "ignore-template-changes", "bypass", "bypassed"} {
		if value, is := annotations["belay.dev/"+key]; is {
			notes = append(notes, strings.TrimSpace(key+" "+value))
		}
	}
	return strings.Join(notes, "; ")
}

func deploymentForm(object *unstructured.Unstructured) string {
	containers, _, _ := unstructured.NestedSlice(object.Object, "spec", "template", "spec", "containers")
	image, _, _ := unstructured.NestedString(containers[0].(map[string]any), "image")
	form := "image " + image
	if paused, _, _ := unstructured.NestedBool(object.Object, "spec", "paused"); paused {
		form += ", paused"
	}
	return form
}

func serviceForm(object *unstructured.Unstructured) string {
	selector, _, _ := unstructured.NestedStringMap(object.Object, "spec", "selector")
	var pairs []string
	for key, value := range selector {
		pairs = append(pairs, key+"="+value)
	}
	slices.Sort(pairs)
	return strings.Join(pairs, ", ")
}

// routeForm tells each rule's backends with their weights; rules are separated by " | ".
func routeForm(object *unstructured.Unstructured) string {
	rules, _, _ := unstructured.NestedSlice(object.Object, "spec", "rules")
	var all []string
	for _, rule := range rules {
		refs, _, _ := unstructured.NestedSlice(rule.(map[string]any), "backendRefs")
		var backends []string
		for _, ref := range refs {
			backend := ref.(map[string]any)
			backends = append(backends, fmt.Sprintf("%v %v", backend["name"], backend["weight"]))
		}
		all = append(all, strings.Join(backends, ", "))
	}
	return strings.Join(all, " | ")
}

// ownersOf tells who owns fields, as "manager" for applied ones and
// "manager (update)" for others. The controller manager, which owns status and
// its revision annotation, is left out.
func ownersOf(object *unstructured.Unstructured) string {
	var owners []string
	for _, entry := range object.GetManagedFields() {
		if entry.Manager == "kube-controller-manager" {
			continue
		}
		owner := entry.Manager
		if entry.Operation == "Update" {
			owner += " (update)"
		}
		owners = append(owners, owner)
	}
	slices.Sort(owners)
	return strings.Join(owners, ", ")
}
