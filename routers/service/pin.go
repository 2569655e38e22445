package service

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
)

// fieldOwner is the name under which the controller's writes appear.
const fieldOwner = client.FieldOwner("belay")

// Pin writes the intent; it fails with a conflict when the Service is not the observed one any more.
func Pin(ctx context.Context, w client.Writer, namespace, name, resourceVersion string, p routers.Pin) error {
	return annotate(ctx, w, namespace, name, resourceVersion, map[string]any{v1alpha1.AnnotationPin: p.String()})
}

// Unpin takes the intent off; admission takes the pin out of the selector. A caller that knew less than the stored pin takes
// nothing off, and gets no error.
func Unpin(ctx context.Context, w client.Writer, namespace, name, resourceVersion string, known routers.Fence) error {
	return annotate(ctx, w, namespace, name, resourceVersion, map[string]any{
		v1alpha1.AnnotationPin: known.Gone(), v1alpha1.AnnotationContestedBy: nil,
	})
}

func annotate(ctx context.Context, w client.Writer, namespace, name, resourceVersion string, annotations map[string]any) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"resourceVersion": resourceVersion, "annotations": annotations,
	}})
	if err != nil {
		return fmt.Errorf("a patch of Service %s: %w", name, err)
	}
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if err := w.Patch(ctx, s, client.RawPatch(types.MergePatchType, patch), fieldOwner); err != nil {
		return fmt.Errorf("writing Service %s: %w", name, err)
	}
	return nil
}
