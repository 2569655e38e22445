package sim

import (
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/sim/server"
)

// restless says what keeps the world from being at rest, as promises 2 and 5 have it: nothing in flight, every object as Git
// declares it and owned by nobody of ours, and cluster and Git agree. Empty: it rests.
func (w *World) restless() string {
	r := w.stored("Rollout", w.app)
	p := w.laws.record
	switch {
	case r == nil || p == nil:
		return "there is no Rollout with a record"
	case p.Stage != v1alpha1.StageResting:
		return fmt.Sprintf("the Rollout is in stage %s: %v", p.Stage, field(r, "status", "message"))
	case field(r, "status", "phase") != string(v1alpha1.PhaseHealthy):
		return fmt.Sprintf("the Rollout is %v: %v", field(r, "status", "phase"), field(r, "status", "message"))
	case p.Retiring != nil:
		return "a Service waits for its end"
	case !w.cluster.Quiet():
		return "neighbours are busy: " + strings.Join(w.cluster.Pending(), ", ")
	}
	if why := w.leftovers(); why != "" {
		return why
	}
	return w.disagreement()
}

func field(o *unstructured.Unstructured, path ...string) any {
	v, _, _ := unstructured.NestedFieldNoCopy(o.Object, path...)
	return v
}

// leftovers are things of ours that are there at rest.
func (w *World) leftovers() string {
	for _, s := range w.storedAll("Service") {
		if _, ours := s.GetLabels()[v1alpha1.LabelCanaryOf]; ours {
			return "Service " + s.GetName() + " is still there"
		}
	}
	if len(w.storedAll("ConfigMap")) > 0 {
		return "parameters of an attempt are still there"
	}
	for _, kind := range []string{"Deployment", "Service", "HTTPRoute"} {
		for _, o := range w.storedAll(kind) {
			for _, key := range []string{v1alpha1.AnnotationHold, v1alpha1.AnnotationPin, v1alpha1.AnnotationSplit, v1alpha1.AnnotationContestedBy, v1alpha1.AnnotationHeld} {
				if _, there := o.GetAnnotations()[key]; there {
					return fmt.Sprintf("%s %s carries %s", kind, o.GetName(), key)
				}
			}
		}
	}
	// An empty ReplicaSet of a revision that failed stays, so that the revision is known when it comes again.
	for _, rs := range w.storedAll("ReplicaSet") {
		for _, owner := range rs.GetOwnerReferences() {
			if replicas, _ := field(rs, "spec", "replicas").(int64); owner.Kind == "Rollout" && replicas > 0 {
				return "ReplicaSet " + rs.GetName() + " is the Rollout's and has pods"
			}
		}
	}
	return ""
}

// disagreement between what is stored and what the head of the branch declares: I8.
func (w *World) disagreement() string {
	if w.agent.Applied() != w.git.Head().ID {
		return "the agent has not applied the head"
	}
	for _, name := range w.git.Head().Files.Names() {
		for _, declared := range w.git.Head().Files[name].Objects() {
			kind := declared.GetKind()
			if _, known := kinds[kind]; !known {
				continue
			}
			stored := w.stored(kind, declared.GetName())
			if stored == nil {
				return fmt.Sprintf("%s %s is declared and not there", kind, declared.GetName())
			}
			if at := beyond("spec", declared.Object["spec"], stored.Object["spec"]); at != "" {
				return fmt.Sprintf("%s %s is not as declared: %s", kind, declared.GetName(), at)
			}
			if who := w.owned(stored); who != "" {
				return fmt.Sprintf("%s %s: %s", kind, declared.GetName(), who)
			}
		}
	}
	return w.deploymentDiffers()
}

// beyond says where the stored value differs from what is declared, as far as something is declared; lists are whole.
func beyond(path string, declared, stored any) string {
	switch d := declared.(type) {
	case map[string]any:
		s, ok := stored.(map[string]any)
		if !ok {
			return path + " is missing"
		}
		for _, key := range sortedKeys(d) {
			if at := beyond(path+"."+key, d[key], s[key]); at != "" {
				return at
			}
		}
		return ""
	case []any:
		s, ok := stored.([]any)
		if !ok || len(s) != len(d) {
			return fmt.Sprintf("%s is %v", path, stored)
		}
		for i := range d {
			if at := beyond(fmt.Sprintf("%s[%d]", path, i), d[i], s[i]); at != "" {
				return at
			}
		}
		return ""
	}
	if !reflect.DeepEqual(declared, stored) {
		return fmt.Sprintf("%s is %v, declared is %v", path, stored, declared)
	}
	return ""
}

// deploymentDiffers: the workload runs what Git declares, and nothing else, and is not paused.
func (w *World) deploymentDiffers() string {
	d := w.stored("Deployment", w.app)
	if paused, _ := field(d, "spec", "paused").(bool); paused {
		return "the Deployment is paused"
	}
	image := imageOf(d)
	if w.truth[image] == sick {
		return "" // it was adopted as it was, and nobody can make it run
	}
	for _, pod := range w.cluster.Pods() {
		if pod.Namespace == namespace && (pod.Image != image || !pod.Ready) && strings.HasPrefix(pod.Name, w.app+"-") {
			return fmt.Sprintf("pod %s runs %s, ready: %t", pod.Name, pod.Image, pod.Ready)
		}
	}
	return ""
}

// owned says which fields the controller owns of an object that Git declares; empty: none.
func (w *World) owned(o *unstructured.Unstructured) string {
	if o.GetKind() == "Rollout" {
		return "" // its status is ours
	}
	entries, err := w.api.Managed(server.Key{Kind: kinds[o.GetKind()], Namespace: o.GetNamespace(), Name: o.GetName()})
	if err != nil {
		return err.Error()
	}
	for _, entry := range entries {
		if entry.Manager == "belay" && strings.Contains(entry.FieldsV1.String(), "f:spec") {
			return fmt.Sprintf("the controller owns %s", entry.FieldsV1)
		}
	}
	return ""
}
