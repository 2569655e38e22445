package deployment

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/workloads"
)

// Govern implements workloads.Workload.
func (Deployment) Govern(ctx context.Context, c client.Client, t workloads.Target, ignored []string) error {
	if t.Rollout == "" {
		return letGo(ctx, c, t)
	}
	_, err := merge(ctx, c, kind, t.Namespace, t.Name, "", map[string]any{"metadata": map[string]any{
		"labels":      map[string]any{v1alpha1.LabelRollout: t.Rollout},
		"annotations": map[string]any{v1alpha1.AnnotationIgnore: strings.Join(ignored, ",")},
	}})
	return err
}

// letGo takes everything of ours off. A template that is held at that moment was never judged, so its Deployment stays
// paused: that is first saved as what spec.paused is to be after the hold, and then the hold ends with the label.
func letGo(ctx context.Context, c client.Client, t workloads.Target) error {
	d, err := get(ctx, c, t)
	if err != nil {
		return client.IgnoreNotFound(err)
	}
	if d.GetLabels()[v1alpha1.LabelRollout] == "" && !held(d) {
		return nil // let go before, by a round that this one does not know of: what that one left for people to read stays
	}
	version := d.GetResourceVersion()
	annotations := map[string]any{
		v1alpha1.AnnotationIgnore:      nil,
		v1alpha1.AnnotationBypassed:    nil,
		v1alpha1.AnnotationContestedBy: nil,
		v1alpha1.AnnotationHeld:        nil,
		v1alpha1.AnnotationHold:        nil,
	}
	if held(d) {
		fence := claim(d)
		version, err = merge(ctx, c, kind, t.Namespace, t.Name, version, map[string]any{"metadata": map[string]any{
			"annotations": map[string]any{v1alpha1.AnnotationHold: fence + "/true"},
		}})
		if err != nil {
			return client.IgnoreNotFound(err)
		}
		annotations[v1alpha1.AnnotationHeld] = fmt.Sprintf("The Rollout that held this pod template is gone, and nothing judged it: "+
			"run `kubectl rollout resume deployment/%s -n %s` to start its pods, or apply the previous template first.", t.Name, t.Namespace)
	}
	_, err = merge(ctx, c, kind, t.Namespace, t.Name, version, map[string]any{"metadata": map[string]any{
		"labels":      map[string]any{v1alpha1.LabelRollout: nil},
		"annotations": annotations,
	}})
	return client.IgnoreNotFound(err)
}

// Claim implements workloads.Workload. What spec.paused is to be after the hold stays as it was saved.
func (Deployment) Claim(ctx context.Context, c client.Client, t workloads.Target, resourceVersion, fence string) error {
	d, err := get(ctx, c, t)
	if err != nil {
		return err
	}
	if d.GetResourceVersion() != resourceVersion || !held(d) {
		return changed(kind, t.Name, "it changed since it was looked at")
	}
	_, saved, _ := strings.Cut(d.GetAnnotations()[v1alpha1.AnnotationHold], "/")
	_, err = merge(ctx, c, kind, t.Namespace, t.Name, resourceVersion, map[string]any{"metadata": map[string]any{
		"annotations": map[string]any{v1alpha1.AnnotationHold: fence + "/" + saved},
	}})
	return err
}

// Release implements workloads.Workload. Admission gives spec.paused its saved value back.
func (Deployment) Release(ctx context.Context, c client.Client, t workloads.Target, resourceVersion, fence string) error {
	_, err := merge(ctx, c, kind, t.Namespace, t.Name, resourceVersion, map[string]any{"metadata": map[string]any{
		"annotations": map[string]any{
			v1alpha1.AnnotationHold:        fence + "/-",
			v1alpha1.AnnotationHeld:        nil,
			v1alpha1.AnnotationContestedBy: nil,
		},
	}})
	return err
}

// Notice implements workloads.Workload.
func (Deployment) Notice(ctx context.Context, c client.Client, t workloads.Target, sentence string) error {
	d, err := get(ctx, c, t)
	if err != nil {
		return err
	}
	var value any
	if sentence != "" {
		value = sentence
		if !held(d) {
			return changed(kind, t.Name, "it holds no template any more, so there is nothing to say")
		}
	}
	if d.GetAnnotations()[v1alpha1.AnnotationHeld] == sentence {
		return nil
	}
	_, err = merge(ctx, c, kind, t.Namespace, t.Name, d.GetResourceVersion(), map[string]any{"metadata": map[string]any{
		"annotations": map[string]any{v1alpha1.AnnotationHeld: value},
	}})
	return err
}

func get(ctx context.Context, r client.Reader, t workloads.Target) (*unstructured.Unstructured, error) {
	d := &unstructured.Unstructured{}
	d.SetGroupVersionKind(kind)
	err := r.Get(ctx, client.ObjectKey{Namespace: t.Namespace, Name: t.Name}, d)
	if apierrors.IsNotFound(err) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("reading Deployment %s: %w", t.Name, err)
	}
	return d, nil
}
