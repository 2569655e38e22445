package server

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// patch is an update by a description of what changes.
func (r *request) patch(ctx context.Context, kind types.PatchType, data []byte) (*version, error) {
	old := r.s.objects.version(r.key)
	if old == nil {
		return nil, apierrors.NewNotFound(r.k.groupResource(), r.key.Name)
	}
	sent, err := r.patched(old.object.Object, kind, data)
	if err != nil {
		return nil, err
	}
	return r.update(ctx, old, sent)
}

func (r *request) patched(old content, kind types.PatchType, data []byte) (content, error) {
	if kind == types.JSONPatchType {
		return patchJSON(old, data)
	}
	var patch content
	if err := utiljson.Unmarshal(data, &patch); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
	}
	switch example := r.k.form.patchable(); {
	case kind == types.MergePatchType:
		return editable(merge(old, patch)), nil
	case kind == types.StrategicMergePatchType && example != nil:
		patched, err := strategicpatch.StrategicMergeMapPatch(runtime.DeepCopyJSON(old), patch, example)
		if err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		return editable(patched), nil
	}
	return nil, unsupported(kind)
}

func unsupported(kind types.PatchType) error {
	return apierrors.NewGenericServerResponse(415, "patch", schema.GroupResource{}, "",
		fmt.Sprintf("the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml (not %s)", kind), 0, true)
}

// merge is RFC 7386. What the patch does not touch is shared with the old value.
func merge(old, patch content) content {
	merged := maps.Clone(old)
	if merged == nil {
		merged = content{}
	}
	for key, value := range patch {
		switch value := value.(type) {
		case nil:
			delete(merged, key)
		case content:
			inner, _ := old[key].(content)
			merged[key] = merge(inner, value)
		default:
			merged[key] = value
		}
	}
	return merged
}

func patchJSON(old content, data []byte) (content, error) {
	patch, err := jsonpatch.DecodePatch(data)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	before, err := json.Marshal(old)
	if err != nil {
		return nil, err
	}
	after, err := patch.Apply(before)
	if err != nil {
		return nil, apierrors.NewGenericServerResponse(422, "", schema.GroupResource{}, "", err.Error(), 0, false)
	}
	var patched content
	if err := utiljson.Unmarshal(after, &patched); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return editable(patched), nil
}
