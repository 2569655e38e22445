package deployment

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/workloads"
)

// Canaries implements workloads.Workload.
func (Deployment) Canaries(ctx context.Context, c client.Client, t workloads.Target, revision workloads.Revision, size int32) error {
	f, err := read(ctx, c, t)
	if apierrors.IsNotFound(err) && revision.Exists && size == 0 {
		return endOrphan(ctx, c, t, revision)
	}
	if err != nil {
		return err
	}
	if !revision.Exists {
		return f.make(ctx, c, revision, size)
	}
	m := f.find(revision.Name)
	if m == nil || m.leaving {
		return changed(replicaSetKind, revision.Name, "it is gone")
	}
	if revision.ResourceVersion != "" && m.revision.ResourceVersion != revision.ResourceVersion {
		return changed(replicaSetKind, revision.Name, "it changed since it was looked at")
	}
	switch {
	case m.revision.Ours:
		err = m.scale(ctx, c, size)
	case m.revision.Owned:
		err = f.takeOver(ctx, c, m, size)
	default:
		return fmt.Errorf("left alone: ReplicaSet %s is controlled neither by Deployment %s nor by Rollout %s; delete it, or give it back",
			revision.Name, t.Name, t.Rollout)
	}
	if err != nil {
		return err
	}
	return f.removeDoubles(ctx, c, revision.Name)
}

// Resize implements workloads.Workload.
func (Deployment) Resize(ctx context.Context, c client.Client, t workloads.Target, revision workloads.Revision, size int32) error {
	f, err := read(ctx, c, t)
	if err != nil {
		return err
	}
	m := f.find(revision.Name)
	switch {
	case m == nil || m.leaving || !m.revision.Owned:
		return changed(replicaSetKind, revision.Name, "it is not Deployment %s's any more", t.Name)
	case m.revision.ResourceVersion != revision.ResourceVersion:
		return changed(replicaSetKind, revision.Name, "it changed since it was looked at")
	case !held(f.deployment):
		return changed(kind, t.Name, "it is not held any more and moves its pods itself")
	}
	return m.scale(ctx, c, size)
}

func (m *member) scale(ctx context.Context, c client.Client, size int32) error {
	if m.revision.Replicas == size {
		return nil
	}
	return m.write(ctx, c, map[string]any{"spec": map[string]any{"replicas": size}})
}

// takeOver makes a ReplicaSet of an earlier revision the canary. Only an empty one: pods of the Deployment stay its own.
func (f *family) takeOver(ctx context.Context, c client.Client, m *member, size int32) error {
	if m.revision.Replicas != 0 {
		return changed(replicaSetKind, m.revision.Name, "Deployment %s runs its pods itself", f.target.Name)
	}
	if !m.revision.Current {
		return changed(replicaSetKind, m.revision.Name, "its template is not that of Deployment %s any more", f.target.Name)
	}
	return m.write(ctx, c, map[string]any{
		"metadata": m.given(f.rollout(), map[string]any{}),
		"spec":     map[string]any{"replicas": size, "minReadySeconds": f.minReadySeconds()},
	})
}

func (f *family) make(ctx context.Context, c client.Client, revision workloads.Revision, size int32) error {
	wanted, err := f.candidate()
	if err != nil {
		return err
	}
	if wanted.Name != revision.Name || wanted.Exists {
		return changed(kind, f.target.Name, "ReplicaSet %s is not what its present template needs", revision.Name)
	}
	labels := map[string]any{hashKey: wanted.Hash}
	for key, value := range wanted.Labels {
		labels[key] = value
	}
	selector, _, _ := unstructured.NestedMap(f.deployment.Object, "spec", "selector")
	template, _, _ := unstructured.NestedMap(f.deployment.Object, "spec", "template")
	rs := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"replicas": int64(size), "minReadySeconds": f.minReadySeconds(), "selector": selector, "template": template,
	}}}
	rs.SetGroupVersionKind(replicaSetKind)
	rs.SetNamespace(f.target.Namespace)
	rs.SetName(wanted.Name)
	rs.SetOwnerReferences([]metav1.OwnerReference{f.rollout()})
	for _, err := range []error{
		unstructured.SetNestedMap(rs.Object, labels, "metadata", "labels"),
		unstructured.SetNestedMap(rs.Object, labels, "spec", "template", "metadata", "labels"),
		unstructured.SetNestedField(rs.Object, wanted.Hash, "spec", "selector", "matchLabels", hashKey),
	} {
		if err != nil {
			return fmt.Errorf("a ReplicaSet for Deployment %s: %w", f.target.Name, err)
		}
	}
	err = c.Create(ctx, rs, owner)
	if apierrors.IsAlreadyExists(err) {
		return changed(replicaSetKind, wanted.Name, "it was made since ReplicaSets were read, or something else has its name")
	}
	if err != nil {
		return fmt.Errorf("creating ReplicaSet %s: %w", wanted.Name, err)
	}
	return nil
}

func (f *family) minReadySeconds() int64 {
	seconds, _, _ := unstructured.NestedInt64(f.deployment.Object, "spec", "minReadySeconds")
	return seconds
}

// rollout is the controller reference that makes the Deployment's controller leave a ReplicaSet alone.
func (f *family) rollout() metav1.OwnerReference {
	yes := true
	return metav1.OwnerReference{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "Rollout",
		Name: f.target.Rollout, UID: types.UID(f.target.RolloutUID),
		Controller: &yes, BlockOwnerDeletion: &yes,
	}
}
