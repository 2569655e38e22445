package deployment

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/rand"
)

const (
	// hashKey is the label by which a ReplicaSet tells its pods from those of its siblings.
	hashKey = "pod-template-hash"
	// maxName leaves room for the suffix of a pod in the 63 characters of a host name.
	maxName = 57
)

// templateOf gives the pod template of a Deployment or ReplicaSet without what differs between the two: the hash, and the null
// creationTimestamp that some clients write. It shares everything else with the object: it is for reading.
func templateOf(object *unstructured.Unstructured) map[string]any {
	stored, _, _ := unstructured.NestedFieldNoCopy(object.Object, "spec", "template")
	fields, ok := stored.(map[string]any)
	if !ok {
		return map[string]any{}
	}
	template := maps.Clone(fields)
	metadata, ok := template["metadata"].(map[string]any)
	if !ok {
		return template
	}
	metadata = maps.Clone(metadata)
	template["metadata"] = metadata
	if metadata["creationTimestamp"] == nil {
		delete(metadata, "creationTimestamp")
	}
	for _, key := range []string{"labels", "annotations"} {
		entries, ok := metadata[key].(map[string]any)
		if !ok {
			continue
		}
		if _, has := entries[hashKey]; has {
			entries = maps.Clone(entries)
			delete(entries, hashKey)
			metadata[key] = entries
		}
		if len(entries) == 0 {
			delete(metadata, key)
		}
	}
	if len(metadata) == 0 {
		delete(template, "metadata")
	}
	return template
}

// without gives a template without some of its annotations.
func without(template map[string]any, keys []string) map[string]any {
	annotations, found, _ := unstructured.NestedStringMap(template, "metadata", "annotations")
	if !found || !slices.ContainsFunc(keys, func(key string) bool { _, has := annotations[key]; return has }) {
		return template
	}
	for _, key := range keys {
		delete(annotations, key)
	}
	out := runtime.DeepCopyJSON(template)
	if len(annotations) == 0 {
		unstructured.RemoveNestedField(out, "metadata", "annotations")
		return out
	}
	_ = unstructured.SetNestedStringMap(out, annotations, "metadata", "annotations") // metadata is a map, it was read from
	return out
}

// equal compares two values of JSON.
func equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key, value := range a {
			if other, has := b[key]; !has || !equal(value, other) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	}
	return a == b
}

// nameFor gives the name and the hash of the ReplicaSet that is yet to be made for a template. The same template gives the
// same name for ever. A name that another template took already gives way to the next.
func nameFor(deployment string, template map[string]any, taken func(name string) bool) (name, hash string, err error) {
	text, err := json.Marshal(template)
	if err != nil {
		return "", "", fmt.Errorf("the pod template of Deployment %s: %w", deployment, err)
	}
	for try := 0; ; try++ {
		digest := fnv.New32a()
		fmt.Fprintf(digest, "%s/%d/%s", deployment, try, text)
		hash = rand.SafeEncodeString(fmt.Sprint(digest.Sum32()))
		name = bounded(deployment, maxName-1-len(hash)) + "-" + hash
		if !taken(name) {
			return name, hash, nil
		}
	}
}

// bounded cuts a name; what is left ends in a letter or digit.
func bounded(name string, length int) string {
	if len(name) <= length {
		return name
	}
	return strings.TrimRight(name[:length], "-.")
}

func podLabels(template map[string]any) map[string]string {
	labels, _, _ := unstructured.NestedStringMap(template, "metadata", "labels")
	return labels
}

func firstImage(template map[string]any) string {
	stored, _, _ := unstructured.NestedFieldNoCopy(template, "spec", "containers")
	containers, _ := stored.([]any)
	if len(containers) == 0 {
		return ""
	}
	container, _ := containers[0].(map[string]any)
	image, _, _ := unstructured.NestedString(container, "image")
	return image
}
