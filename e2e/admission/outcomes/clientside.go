package outcomes

import (
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// applyClientSide sends what `kubectl apply` without --server-side sends: a
// patch from last applied, declared and live, or the object if there is none.
func (s *scene) applyClientSide() error {
	declared := s.git.DeepCopy()
	text, err := json.Marshal(s.git)
	if err != nil {
		return err
	}
	declared.SetAnnotations(map[string]string{lastApplied: string(text)})
	modified, err := json.Marshal(declared)
	if err != nil {
		return err
	}
	to := s.objects(agent)
	manager := "kubectl-client-side-apply"
	live, err := to.Get(s.t.Context(), "web", metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = to.Create(s.t.Context(), declared, metav1.CreateOptions{FieldManager: manager})
		return err
	}
	if err != nil {
		return err
	}
	current, err := json.Marshal(live)
	if err != nil {
		return err
	}
	original := []byte(live.GetAnnotations()[lastApplied])
	kind, patch, err := s.threeWay(original, modified, current)
	if err != nil || string(patch) == "{}" {
		return err
	}
	_, err = to.Patch(s.t.Context(), "web", kind, patch, metav1.PatchOptions{FieldManager: manager})
	return err
}

// threeWay computes kubectl's patch: strategic for built-in kinds, a JSON
// merge patch for others.
func (s *scene) threeWay(original, modified, current []byte) (types.PatchType, []byte, error) {
	var typed any
	switch s.resource {
	case deployments:
		typed = &appsv1.Deployment{}
	case services:
		typed = &corev1.Service{}
	default:
		patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch(original, modified, current)
		return types.MergePatchType, patch, err
	}
	schema, err := strategicpatch.NewPatchMetaFromStruct(typed)
	if err != nil {
		return "", nil, err
	}
	patch, err := strategicpatch.CreateThreeWayMergePatch(original, modified, current, schema, true)
	return types.StrategicMergePatchType, patch, err
}
