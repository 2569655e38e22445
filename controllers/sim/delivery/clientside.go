package delivery

import (
	"context"
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// patch is what kubectl apply does: what changed from the manifest applied last to this one, as a patch of what is stored.
func (a *Agent) patch(ctx context.Context, o, stored *unstructured.Unstructured) error {
	modified, err := remembered(o)
	if err != nil {
		return err
	}
	if stored == nil {
		return a.create(ctx, o)
	}
	current, err := json.Marshal(stored.Object)
	if err != nil {
		return err
	}
	original := []byte(stored.GetAnnotations()[corev1.LastAppliedConfigAnnotation])
	kind, patch, err := threeWay(o, original, modified, current)
	if err != nil || string(patch) == "{}" {
		return err
	}
	return a.client.Patch(ctx, o, client.RawPatch(kind, patch), client.FieldOwner(a.opts.User))
}

// remembered writes the manifest into the annotation that remembers it, and returns the whole.
func remembered(o *unstructured.Unstructured) ([]byte, error) {
	manifest, err := json.Marshal(o.Object)
	if err != nil {
		return nil, err
	}
	annotate(o, corev1.LastAppliedConfigAnnotation, string(manifest)+"\n")
	return json.Marshal(o.Object)
}

func threeWay(o *unstructured.Unstructured, original, modified, current []byte) (types.PatchType, []byte, error) {
	var example any
	switch o.GetKind() {
	case "Deployment":
		example = appsv1.Deployment{}
	case "Service":
		example = corev1.Service{}
	default:
		patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch(original, modified, current)
		return types.MergePatchType, patch, err
	}
	schema, err := strategicpatch.NewPatchMetaFromStruct(example)
	if err != nil {
		return "", nil, err
	}
	patch, err := strategicpatch.CreateThreeWayMergePatch(original, modified, current, schema, true)
	return types.StrategicMergePatchType, patch, err
}
