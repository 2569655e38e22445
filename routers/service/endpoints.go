package service

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// endpoint is one address of a Service, once, however many slices list its pod (two families, a pod moving between slices).
type endpoint struct {
	// revision of its pod; empty: the pod has none, or there is no pod.
	revision           string
	ready, terminating bool
}

func endpointsOf(ctx context.Context, r client.Reader, namespace, service, hashKey string) ([]endpoint, error) {
	slices := &discoveryv1.EndpointSliceList{}
	err := r.List(ctx, slices, client.InNamespace(namespace), client.MatchingLabels{discoveryv1.LabelServiceName: service})
	if err != nil {
		return nil, fmt.Errorf("listing the endpoints of Service %s: %w", service, err)
	}
	seen := map[string]int{}
	var out []endpoint
	for i := range slices.Items {
		for _, e := range slices.Items[i].Endpoints {
			pod, key := "", fmt.Sprint(e.Addresses)
			if e.TargetRef != nil && e.TargetRef.Kind == "Pod" {
				pod, key = e.TargetRef.Name, "pod "+e.TargetRef.Name
			}
			found := endpoint{ready: serves(e.Conditions), terminating: is(e.Conditions.Terminating, false)}
			if at, twice := seen[key]; twice {
				// Not ready in one place is not ready: a caller may use either. Slices are listed in any order.
				out[at].ready = out[at].ready && found.ready
				out[at].terminating = out[at].terminating || found.terminating
				continue
			}
			known, err := found.resolve(ctx, r, namespace, pod, hashKey)
			if err != nil {
				return nil, err
			}
			if !known {
				continue
			}
			seen[key] = len(out)
			out = append(out, found)
		}
	}
	return out, nil
}

// serves: the endpoint takes new requests and its pod is ready for them. A Service that publishes addresses of pods that
// are not ready says ready of each; what it says of serving is still true.
func serves(c discoveryv1.EndpointConditions) bool {
	return is(c.Ready, true) && is(c.Serving, true) && !is(c.Terminating, false)
}

func is(condition *bool, otherwise bool) bool {
	if condition == nil {
		return otherwise
	}
	return *condition
}

// resolve reads the revision of the endpoint's pod. A pod that is not there is not known: either the slice or the pod is
// seen later than the other, and what comes next tells which.
func (e *endpoint) resolve(ctx context.Context, r client.Reader, namespace, pod, hashKey string) (known bool, err error) {
	if pod == "" {
		return true, nil
	}
	object := &corev1.Pod{}
	err = r.Get(ctx, client.ObjectKey{Namespace: namespace, Name: pod}, object)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading Pod %s: %w", pod, err)
	}
	e.revision = object.Labels[hashKey]
	return true, nil
}
