package admission

import (
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/managedfields"
)

// result is the object when all policies have seen it.
func (e *evaluation) result() *unstructured.Unstructured {
	if e.object == e.request.Object {
		return e.object
	}
	content := e.object.Object
	metadata, is := content["metadata"].(map[string]any)
	if !is {
		return e.object
	}
	before, _ := e.request.Object.Object["metadata"].(map[string]any)
	if !validOwners(before["managedFields"], metadata["managedFields"]) {
		if owners, had := before["managedFields"]; had {
			metadata = withKey(metadata, "managedFields", owners)
		} else {
			metadata = withoutKey(metadata, "managedFields")
		}
	}
	if owners, is := metadata["managedFields"].([]any); is && len(owners) == 0 {
		metadata = withoutKey(metadata, "managedFields")
	}
	return &unstructured.Unstructured{Object: withKey(content, "metadata", metadata)}
}

// validOwners tells whether managedFields may be stored. The server puts back what stood there before where policies have
// left something that it cannot read. Entries that were there before are not read again.
func validOwners(before, after any) bool {
	if after == nil {
		return true
	}
	list, is := after.([]any)
	if !is {
		return false
	}
	known := map[uintptr]bool{}
	if earlier, is := before.([]any); is {
		for _, entry := range earlier {
			known[identity(entry)] = true
		}
	}
	for _, item := range list {
		if id := identity(item); id != 0 && known[id] {
			continue
		}
		content, is := item.(map[string]any)
		if !is {
			return false
		}
		var entry metav1.ManagedFieldsEntry
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &entry); err != nil {
			return false
		}
		if managedfields.ValidateManagedFields([]metav1.ManagedFieldsEntry{entry}) != nil {
			return false
		}
	}
	return true
}

// identity is the same for the same map, and zero for what is none.
func identity(entry any) uintptr {
	if content, is := entry.(map[string]any); is {
		return reflect.ValueOf(content).Pointer()
	}
	return 0
}
