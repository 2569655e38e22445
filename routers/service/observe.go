package service

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
)

// Observe reads all Services of the namespace in front of pods that carry podLabels: their selector, without the pin, is
// not empty and matches. They are sorted by name. hashKey is the label that tells revisions apart, and revisions are its
// values that are the workload's own; endpoints of any other pod are foreign. With no revisions given, every pod that has
// the label counts as the workload's.
func Observe(ctx context.Context, r client.Reader, namespace string, podLabels map[string]string, hashKey string, revisions ...string) ([]routers.ServiceState, error) {
	services := &corev1.ServiceList{}
	if err := r.List(ctx, services, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("listing Services: %w", err)
	}
	var out []routers.ServiceState
	for i := range services.Items {
		s := &services.Items[i]
		if !inFront(s, podLabels, hashKey) {
			continue
		}
		state := routers.ServiceState{
			Name:            s.Name,
			ResourceVersion: s.ResourceVersion,
			Ready:           map[string]int32{},
			Terminating:     map[string]int32{},
			ContestedBy:     s.Annotations[v1alpha1.AnnotationContestedBy],
		}
		if pin, ok := routers.ParsePin(s.Annotations[v1alpha1.AnnotationPin]); ok {
			state.Pin = &pin
			state.Pinned = s.Spec.Selector[pin.Key] == pin.Value
		}
		endpoints, err := endpointsOf(ctx, r, namespace, s.Name, hashKey)
		if err != nil {
			return nil, err
		}
		for _, e := range endpoints {
			own := e.revision != "" && (len(revisions) == 0 || slices.Contains(revisions, e.revision))
			switch {
			case e.ready && !own:
				state.Foreign++
			case e.ready:
				state.Ready[e.revision]++
			case e.terminating && own:
				state.Terminating[e.revision]++
			}
		}
		out = append(out, state)
	}
	slices.SortFunc(out, func(a, b routers.ServiceState) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// inFront says whether the Service would select a pod with these labels, were it not pinned.
func inFront(s *corev1.Service, podLabels map[string]string, hashKey string) bool {
	if _, canary := s.Labels[v1alpha1.LabelCanaryOf]; canary || s.Spec.Type == corev1.ServiceTypeExternalName {
		return false
	}
	selects := false
	for key, value := range s.Spec.Selector {
		if key == hashKey {
			continue
		}
		if podLabels[key] != value {
			return false
		}
		selects = true
	}
	return selects
}
