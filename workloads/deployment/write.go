package deployment

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// owner is the name under which the controller's writes appear.
const owner = client.FieldOwner("belay")

// merge sends a JSON merge patch and gives the resourceVersion that came of it. With a resourceVersion, the stored object
// must still have it.
func merge(ctx context.Context, w client.Writer, of schema.GroupVersionKind, namespace, name, resourceVersion string, patch map[string]any) (string, error) {
	if resourceVersion != "" {
		metadata, _ := patch["metadata"].(map[string]any)
		if metadata == nil {
			metadata = map[string]any{}
			patch["metadata"] = metadata
		}
		metadata["resourceVersion"] = resourceVersion
	}
	text, err := json.Marshal(patch)
	if err != nil {
		return "", fmt.Errorf("a patch of %s %s: %w", of.Kind, name, err)
	}
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(of)
	object.SetNamespace(namespace)
	object.SetName(name)
	if err := w.Patch(ctx, object, client.RawPatch(types.MergePatchType, text), owner); err != nil {
		return "", fmt.Errorf("writing %s %s: %w", of.Kind, name, err)
	}
	return object.GetResourceVersion(), nil
}

// write patches a ReplicaSet, if it is still the one that was read.
func (m *member) write(ctx context.Context, w client.Writer, patch map[string]any) error {
	_, err := merge(ctx, w, replicaSetKind, m.object.GetNamespace(), m.revision.Name, m.revision.ResourceVersion, patch)
	return err
}

// remove deletes a ReplicaSet, if it is still the one that was read.
func remove(ctx context.Context, w client.Writer, rs *unstructured.Unstructured) error {
	uid, version := rs.GetUID(), rs.GetResourceVersion()
	err := w.Delete(ctx, rs, client.Preconditions{UID: &uid, ResourceVersion: &version},
		client.PropagationPolicy(metav1.DeletePropagationBackground))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting ReplicaSet %s: %w", rs.GetName(), err)
	}
	return nil
}

// changed is a conflict found before the API server could find it: what is stored is not what the plan was made from.
func changed(of schema.GroupVersionKind, name, format string, args ...any) error {
	resource := schema.GroupResource{Group: of.Group, Resource: map[string]string{"Deployment": "deployments", "ReplicaSet": "replicasets"}[of.Kind]}
	return apierrors.NewConflict(resource, name, fmt.Errorf(format, args...))
}

// withController gives the owner references with the controller replaced.
func withController(references []metav1.OwnerReference, controller metav1.OwnerReference) []metav1.OwnerReference {
	out := []metav1.OwnerReference{controller}
	for _, r := range references {
		if (r.Controller == nil || !*r.Controller) && r.UID != controller.UID {
			out = append(out, r)
		}
	}
	return out
}
