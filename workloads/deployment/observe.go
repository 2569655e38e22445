package deployment

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/workloads"
)

// Deployment is the workload kind apps/v1 Deployment.
type Deployment struct {
	// Live reads past any cache. Adopt compares once more what is stored, and a cache that lags would let a Deployment
	// take over a revision that it has just left. Without it, Adopt reads through the client that it is given.
	Live client.Reader
}

var _ workloads.Workload = Deployment{}

var (
	kind           = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	replicaSetKind = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "ReplicaSet"}

	holdSyntax = regexp.MustCompile(`^[0-9]{1,9}\.[0-9]{1,9}/(true|false)$`)
)

// Observe implements workloads.Workload.
func (Deployment) Observe(ctx context.Context, r client.Reader, t workloads.Target) (workloads.State, error) {
	f, err := read(ctx, r, t)
	if apierrors.IsNotFound(err) {
		ours, err := orphans(ctx, r, t)
		return workloads.State{Revisions: ours}, err
	}
	if err != nil {
		return workloads.State{}, err
	}
	d := f.deployment
	notes := d.GetAnnotations()
	state := workloads.State{
		Found:           true,
		UID:             string(d.GetUID()),
		ResourceVersion: d.GetResourceVersion(),
		Replicas:        replicasOf(d),
		Governor:        d.GetLabels()[v1alpha1.LabelRollout],
		Ignored:         notes[v1alpha1.AnnotationIgnore],
		Held:            held(d),
		Claim:           claim(d),
		Notice:          notes[v1alpha1.AnnotationHeld],
		Settled:         settled(d),
		Recreate:        recreates(d),
		Bypassed:        notes[v1alpha1.AnnotationBypassed],
		Source:          notes[v1alpha1.AnnotationSourceRevision],
		ContestedBy:     notes[v1alpha1.AnnotationContestedBy],
		PodLabels:       podLabels(f.template),
	}
	for _, m := range f.members {
		state.Revisions = append(state.Revisions, m.revision)
	}
	state.Candidate, err = f.candidate()
	return state, err
}

// read gives the Deployment and its ReplicaSets. The error is NotFound when the Deployment is missing.
func read(ctx context.Context, r client.Reader, t workloads.Target) (*family, error) {
	d := &unstructured.Unstructured{}
	d.SetGroupVersionKind(kind)
	if err := r.Get(ctx, client.ObjectKey{Namespace: t.Namespace, Name: t.Name}, d); err != nil {
		return nil, fmt.Errorf("reading Deployment %s: %w", t.Name, err)
	}
	return readFamily(ctx, r, t, d)
}

// held: admission stopped a new template. The annotation alone would not stop a pod.
func held(d *unstructured.Unstructured) bool {
	return holdSyntax.MatchString(d.GetAnnotations()[v1alpha1.AnnotationHold]) && paused(d)
}

// claim is the fence of the hold.
func claim(d *unstructured.Unstructured) string {
	note := d.GetAnnotations()[v1alpha1.AnnotationHold]
	if !holdSyntax.MatchString(note) {
		return ""
	}
	fence, _, _ := strings.Cut(note, "/")
	return fence
}

func paused(d *unstructured.Unstructured) bool {
	is, _, _ := unstructured.NestedBool(d.Object, "spec", "paused")
	return is
}

func recreates(d *unstructured.Unstructured) bool {
	kind, _, _ := unstructured.NestedString(d.Object, "spec", "strategy", "type")
	return kind == "Recreate"
}

// settled is what `kubectl rollout status` waits for. A paused Deployment makes no progress, so it never is.
func settled(d *unstructured.Unstructured) bool {
	seen, _, _ := unstructured.NestedInt64(d.Object, "status", "observedGeneration")
	if paused(d) || seen < d.GetGeneration() {
		return false
	}
	wanted := replicasOf(d)
	return statusOf(d, "updatedReplicas") == wanted &&
		statusOf(d, "replicas") == wanted &&
		statusOf(d, "availableReplicas") == wanted
}

// replicasOf reads spec.replicas; the API server stores 1 where nothing was said.
func replicasOf(object *unstructured.Unstructured) int32 {
	n, found, _ := unstructured.NestedInt64(object.Object, "spec", "replicas")
	if !found {
		return 1
	}
	return int32(n)
}

func statusOf(object *unstructured.Unstructured, field string) int32 {
	n, _, _ := unstructured.NestedInt64(object.Object, "status", field)
	return int32(n)
}
