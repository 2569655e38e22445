package deployment

import (
	"context"
	"fmt"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/workloads"
)

// Annotations of the Deployment's controller on its ReplicaSets.
const (
	// numberKey is set on every ReplicaSet that ever was a Deployment's.
	numberKey = "deployment.kubernetes.io/revision"
	// desiredKey and maxKey are what the Deployment's size was when it sized the ReplicaSet last. One without them is not
	// recognised as complete and is scaled down in proportion, which would kill canary pods at the hand-over.
	desiredKey = "deployment.kubernetes.io/desired-replicas"
	maxKey     = "deployment.kubernetes.io/max-replicas"
)

// Adopt implements workloads.Workload. What it read is compared as the Deployment's controller is going to compare it.
func (d Deployment) Adopt(ctx context.Context, c client.Client, t workloads.Target, revision workloads.Revision) error {
	var live client.Reader = c
	if d.Live != nil {
		live = d.Live
	}
	f, err := read(ctx, live, t)
	if err != nil {
		return err
	}
	m := f.find(revision.Name)
	if m == nil || m.leaving {
		return changed(replicaSetKind, revision.Name, "it is gone")
	}
	if m.revision.Owned {
		return nil
	}
	if err := f.adoptable(m.revision); err != nil {
		return err
	}
	// Not the one just read: the hand-over may have been called off since the plan was made.
	if m.revision.ResourceVersion != revision.ResourceVersion {
		return changed(replicaSetKind, revision.Name, "it changed since it was looked at")
	}
	// The oldest equal one would be taken instead of ours.
	if err := f.removeDoubles(ctx, c, revision.Name); err != nil {
		return err
	}
	wanted := replicasOf(f.deployment)
	return m.write(ctx, c, map[string]any{"metadata": m.given(f.owner(), map[string]any{
		desiredKey: strconv.Itoa(int(wanted)),
		maxKey:     strconv.Itoa(int(wanted + maxSurge(f.deployment, wanted))),
	})})
}

// CallOff implements workloads.Workload. An Adopt that is on its way carries the resourceVersion of before.
func (Deployment) CallOff(ctx context.Context, c client.Client, t workloads.Target, revision workloads.Revision, fence string) error {
	if revision.Owned || revision.ResourceVersion == "" {
		return changed(replicaSetKind, revision.Name, "Deployment %s has taken it over, or it was not looked at", t.Name)
	}
	_, err := merge(ctx, c, replicaSetKind, t.Namespace, revision.Name, revision.ResourceVersion, map[string]any{
		"metadata": map[string]any{"annotations": map[string]any{v1alpha1.AnnotationCalledOff: fence}},
	})
	return err
}

// given is the metadata that gives a ReplicaSet to another controller, with annotations. What was written to call a
// hand-over off does not go with it: kubectl rollout undo copies a ReplicaSet's annotations to its Deployment.
func (m *member) given(controller metav1.OwnerReference, annotations map[string]any) map[string]any {
	if m.revision.CalledOff != "" {
		annotations[v1alpha1.AnnotationCalledOff] = nil
	}
	metadata := map[string]any{"ownerReferences": withController(m.object.GetOwnerReferences(), controller)}
	if len(annotations) > 0 {
		metadata["annotations"] = annotations
	}
	return metadata
}

func (f *family) adoptable(r workloads.Revision) error {
	switch {
	case !r.Ours:
		return changed(replicaSetKind, r.Name, "it is not controlled by Rollout %s", f.target.Rollout)
	case f.deployment.GetDeletionTimestamp() != nil:
		return changed(kind, f.target.Name, "it is being deleted")
	case !r.Current:
		return changed(replicaSetKind, r.Name, "its template is not that of Deployment %s any more", f.target.Name)
	case r.Available != r.Replicas || r.Replicas == 0 && replicasOf(f.deployment) > 0:
		return changed(replicaSetKind, r.Name, "%d of its %d pods are available", r.Available, r.Replicas)
	}
	for _, other := range f.members {
		o := other.revision
		if o.Owned && o.Current && (o.Replicas > 0 || o.Present > 0) {
			return changed(replicaSetKind, r.Name, "Deployment %s has an equal one with pods, %s", f.target.Name, o.Name)
		}
	}
	return nil
}

// Return implements workloads.Workload.
func (Deployment) Return(ctx context.Context, c client.Client, t workloads.Target, revision workloads.Revision) error {
	f, err := read(ctx, c, t)
	if err != nil {
		return client.IgnoreNotFound(err)
	}
	m := f.find(revision.Name)
	if m == nil || m.leaving || !m.revision.Ours {
		return nil
	}
	if m.revision.Replicas > 0 || m.revision.Present > 0 {
		return changed(replicaSetKind, revision.Name, "it still has pods")
	}
	if _, was := m.object.GetAnnotations()[numberKey]; !was {
		return remove(ctx, c, m.object)
	}
	return m.write(ctx, c, map[string]any{"metadata": m.given(f.owner(), map[string]any{})})
}

// owner is the reference by which the Deployment's controller knows its own.
func (f *family) owner() metav1.OwnerReference {
	return *metav1.NewControllerRef(f.deployment, kind)
}

// maxSurge resolves spec.strategy.rollingUpdate.maxSurge, which the API server defaults.
func maxSurge(d *unstructured.Unstructured, replicas int32) int32 {
	value, found, _ := unstructured.NestedFieldNoCopy(d.Object, "spec", "strategy", "rollingUpdate", "maxSurge")
	if !found {
		return 0
	}
	surge := intstr.Parse(fmt.Sprint(value))
	n, err := intstr.GetScaledValueFromIntOrPercent(&surge, int(replicas), true)
	if err != nil {
		return 0
	}
	return int32(n)
}
