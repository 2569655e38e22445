package deployment

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/workloads"
)

// ignoredByDefault are the annotations whose change is no release where the Rollout names none; the admission policy
// has the same.
const ignoredByDefault = "kubectl.kubernetes.io/restartedAt"

// orphans are the Rollout's own ReplicaSets when the Deployment beside which they were made is gone: their pods have to
// end, whatever became of it.
func orphans(ctx context.Context, r client.Reader, t workloads.Target) ([]workloads.Revision, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(replicaSetKind.GroupVersion().WithKind("ReplicaSetList"))
	if err := r.List(ctx, list, client.InNamespace(t.Namespace)); err != nil {
		return nil, fmt.Errorf("listing the ReplicaSets of Rollout %s: %w", t.Rollout, err)
	}
	nobody := &family{target: t, deployment: &unstructured.Unstructured{Object: map[string]any{}}, template: map[string]any{}}
	var out []workloads.Revision
	for i := range list.Items {
		controller := metav1.GetControllerOfNoCopy(&list.Items[i])
		if controller == nil || controller.UID != types.UID(t.RolloutUID) {
			continue
		}
		out = append(out, nobody.memberOf(&list.Items[i]).revision)
	}
	return out, nil
}

// endOrphan scales a ReplicaSet of the Rollout to zero without its Deployment.
func endOrphan(ctx context.Context, c client.Client, t workloads.Target, revision workloads.Revision) error {
	rs := &unstructured.Unstructured{}
	rs.SetGroupVersionKind(replicaSetKind)
	if err := c.Get(ctx, client.ObjectKey{Namespace: t.Namespace, Name: revision.Name}, rs); err != nil {
		return fmt.Errorf("reading ReplicaSet %s: %w", revision.Name, err)
	}
	nobody := &family{target: t, deployment: &unstructured.Unstructured{Object: map[string]any{}}, template: map[string]any{}}
	m := nobody.memberOf(rs)
	if !m.revision.Ours {
		return changed(replicaSetKind, revision.Name, "it is not Rollout %s's any more", t.Rollout)
	}
	return m.scale(ctx, c, 0)
}
