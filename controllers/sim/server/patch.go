package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// patch is an update by a description of what changes.
func (r *request) patch(ctx context.Context, as types.PatchType, data []byte) (*version, error) {
	if as == types.StrategicMergePatchType && r.k.form.patchable() == nil {
		return nil, unsupported()
	}
	old := r.s.objects.version(r.key)
	if old == nil {
		return nil, apierrors.NewNotFound(r.k.groupResource(), r.key.Name)
	}
	was := old.object.Object
	if strings.Contains(string(data), "managedFields") {
		entries, err := old.owners.of()
		if err != nil {
			return nil, err
		}
		was = r.s.withOwners(was, entries).Object
	}
	p, err := r.patched(was, as, data)
	if err != nil {
		return nil, err
	}
	sent := editable(p.result)
	if gvk := r.k.gvk; r.k.form.patchable() != nil && (text(sent, "kind") != gvk.Kind || text(sent, "apiVersion") != gvk.GroupVersion().String()) {
		return nil, p.unfit(otherKind(sent, gvk))
	}
	v, err := r.update(ctx, old, sent)
	var misfit *unreadable
	if errors.As(err, &misfit) {
		return nil, p.unfit(misfit)
	}
	return v, err
}

// otherKind says that a patch made an object one of another kind.
func otherKind(c content, gvk schema.GroupVersionKind) error {
	group, _, _ := strings.Cut(cmp.Or(gvk.Group, "core"), ".")
	version := schema.FromAPIVersionAndKind(text(c, "apiVersion"), "").Version
	return fmt.Errorf("converting (%s.%s) to (%s.%s): unknown conversion", version, text(c, "kind"), group, gvk.Kind)
}

// patched is what came of a patch.
type patched struct {
	result content
	// from is the patch itself, where the real server tells of it and not of the result.
	from content
}

func (p patched) unfit(err error) error {
	var misfit *unreadable
	is := errors.As(err, &misfit)
	switch {
	case is && p.from != nil:
		return unfit(fmt.Sprintf("%+v", p.from), misfit.raw)
	case is:
		err = misfit.why
	}
	whole, jsonErr := json.Marshal(p.result)
	if jsonErr != nil {
		return jsonErr
	}
	return unfit(string(whole), err)
}

func (r *request) patched(old content, as types.PatchType, data []byte) (patched, error) {
	if as == types.JSONPatchType {
		result, err := patchJSON(old, data)
		return patched{result: result}, err
	}
	var patch content
	if err := utiljson.Unmarshal(data, &patch); err != nil {
		return patched{}, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
	}
	switch as {
	case types.MergePatchType:
		return patched{result: merge(old, patch)}, nil
	case types.StrategicMergePatchType:
		result, err := strategicpatch.StrategicMergeMapPatch(runtime.DeepCopyJSON(old), patch, r.k.form.patchable())
		if err != nil {
			return patched{}, failed(err)
		}
		return patched{result: result, from: patch}, nil
	}
	return patched{}, unsupported()
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
	var operations []struct{}
	if err := json.Unmarshal(data, &operations); err != nil {
		return nil, apierrors.NewBadRequest("error decoding patch: " + strings.Replace(err.Error(), "[]struct {}", "[]handlers.jsonPatchOp", 1))
	}
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
		return nil, apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
	}
	var result content
	err = utiljson.Unmarshal(after, &result)
	return result, err
}
