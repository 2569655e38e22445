package service

import (
	"context"
	"errors"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
)

// ObserveCanary reads the canary's Service. A missing one is a state with Found false.
func ObserveCanary(ctx context.Context, r client.Reader, namespace, service, canaryName, hashKey string, rolloutUID types.UID) (routers.CanaryServiceState, error) {
	stored, err := get(ctx, r, namespace, canaryName)
	if stored == nil || err != nil {
		return routers.CanaryServiceState{}, err
	}
	state := routers.CanaryServiceState{Found: true, Foreign: !controlledBy(stored, rolloutUID)}
	if state.Foreign {
		return state, nil
	}
	state.Revision = stored.Spec.Selector[hashKey]
	user, err := get(ctx, r, namespace, service)
	if err != nil {
		return state, err
	}
	if user != nil {
		wanted := stored.DeepCopy()
		say(wanted, user, hashKey, state.Revision)
		state.Current = equality.Semantic.DeepEqual(stored, wanted)
	}
	endpoints, err := endpointsOf(ctx, r, namespace, canaryName, hashKey)
	if err != nil {
		return state, err
	}
	for _, e := range endpoints {
		if e.ready && e.revision == state.Revision && e.revision != "" {
			state.Ready++
		}
	}
	return state, nil
}

// EnsureCanary makes the canary's Service say what the user's says, for the pods of one revision. A Service of that name
// that the owner does not control is never touched.
func EnsureCanary(ctx context.Context, c client.Client, namespace string, owner metav1.OwnerReference, service, canaryName, hashKey, hash string) error {
	user, err := get(ctx, c, namespace, service)
	if err != nil {
		return err
	}
	if user == nil {
		return apierrors.NewNotFound(corev1.Resource("services"), service)
	}
	if len(user.Spec.Selector) == 0 || user.Spec.Type == corev1.ServiceTypeExternalName {
		return fmt.Errorf("nothing to split: Service %s selects no pods; name one with a selector", service)
	}
	stored, err := get(ctx, c, namespace, canaryName)
	if err != nil {
		return err
	}
	if stored == nil {
		made := &corev1.Service{ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: canaryName, OwnerReferences: []metav1.OwnerReference{owner},
		}}
		say(made, user, hashKey, hash)
		err := c.Create(ctx, made, fieldOwner)
		if apierrors.IsAlreadyExists(err) {
			return apierrors.NewConflict(corev1.Resource("services"), canaryName, errors.New("it was made since Services were read"))
		}
		if err != nil {
			return fmt.Errorf("creating Service %s: %w", canaryName, err)
		}
		return nil
	}
	if !controlledBy(stored, owner.UID) {
		return fmt.Errorf("left alone: Service %s exists and is not controlled by %s %s; it must go, or the canary needs another name",
			canaryName, owner.Kind, owner.Name)
	}
	wanted := stored.DeepCopy()
	say(wanted, user, hashKey, hash)
	if equality.Semantic.DeepEqual(stored, wanted) {
		return nil
	}
	if err := c.Update(ctx, wanted, fieldOwner); err != nil {
		return fmt.Errorf("writing Service %s: %w", canaryName, err)
	}
	return nil
}

// DeleteCanary deletes the canary's Service if the Rollout controls it and it is still the one that was read. One that is
// missing or somebody else's is no error.
func DeleteCanary(ctx context.Context, c client.Client, namespace, canaryName string, rolloutUID types.UID) error {
	stored, err := get(ctx, c, namespace, canaryName)
	if err != nil || stored == nil || !controlledBy(stored, rolloutUID) {
		return err
	}
	err = c.Delete(ctx, stored, client.Preconditions{UID: &stored.UID, ResourceVersion: &stored.ResourceVersion})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting Service %s: %w", canaryName, err)
	}
	return nil
}

// say writes on the canary's Service what the user's says. Labels and annotations of the user's Service are left where
// they are: other tools find Services by them.
func say(canary, user *corev1.Service, hashKey, hash string) {
	if canary.Labels == nil {
		canary.Labels = map[string]string{}
	}
	canary.Labels[v1alpha1.LabelCanaryOf] = user.Name
	from, to := &user.Spec, &canary.Spec
	to.Type = corev1.ServiceTypeClusterIP
	to.Selector = map[string]string{}
	maps.Copy(to.Selector, from.Selector)
	to.Selector[hashKey] = hash
	to.Ports = nil
	for _, p := range from.Ports {
		p.NodePort = 0
		to.Ports = append(to.Ports, p)
	}
	to.SessionAffinity = from.SessionAffinity
	to.SessionAffinityConfig = from.SessionAffinityConfig.DeepCopy()
	to.TrafficDistribution = from.TrafficDistribution
	to.PublishNotReadyAddresses = from.PublishNotReadyAddresses
}

// get gives a Service, nil if there is none.
func get(ctx context.Context, r client.Reader, namespace, name string) (*corev1.Service, error) {
	s := &corev1.Service{}
	err := r.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, s)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading Service %s: %w", name, err)
	}
	return s, nil
}

func controlledBy(object metav1.Object, uid types.UID) bool {
	controller := metav1.GetControllerOf(object)
	return controller != nil && controller.UID == uid
}
