package attempt

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
)

// Keys of the ConfigMap. The first four are a contract with the admission policies.
const (
	keyPin       = "pin"
	keyPodLabels = "podLabels"
	keySplit     = "split"
	keyRoutes    = "routes"
	keySnapshot  = "snapshot"
	keyDigest    = "digest"
)

const fieldOwner = client.FieldOwner("belay")

// Data is what an attempt leaves for admission, and for the controller itself.
type Data struct {
	// Pin is put on Services that are created with a selector that matches PodLabels.
	Pin routers.Pin
	// PodLabels are the labels of the stable pods without the revision's own.
	PodLabels map[string]string
	// Split is put on routes that are created under one of the names in Routes; its weight is written as 0. The zero
	// value: no routes.
	Split  routers.Split
	Routes []string
	// Snapshot and Digest are the caller's own, up to the size of a ConfigMap (1 MiB).
	Snapshot, Digest string
}

// State is the stored form.
type State struct {
	Found bool
	// Foreign: an object of that name exists and is not the Rollout's.
	Foreign bool
	Data
}

// Name of the ConfigMap.
func Name(rollout string) string { return "belay-" + rollout }

// Ensure writes the parameters. A ConfigMap of that name that the owner does not control is never touched.
func Ensure(ctx context.Context, c client.Client, namespace string, owner metav1.OwnerReference, rollout string, d Data) error {
	wanted := d.written()
	stored, err := get(ctx, c, namespace, rollout)
	if err != nil {
		return err
	}
	if stored == nil {
		made := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: namespace, Name: Name(rollout), OwnerReferences: []metav1.OwnerReference{owner},
				Labels: map[string]string{v1alpha1.LabelAttempt: "true"},
			},
			Data: wanted,
		}
		if err := c.Create(ctx, made, fieldOwner); err != nil {
			return fmt.Errorf("creating ConfigMap %s: %w", made.Name, err)
		}
		return nil
	}
	if !controlledBy(stored, owner.UID) {
		return fmt.Errorf("left alone: ConfigMap %s exists and is not controlled by %s %s; give it another name", stored.Name, owner.Kind, owner.Name)
	}
	if equality.Semantic.DeepEqual(stored.Data, wanted) && stored.Labels[v1alpha1.LabelAttempt] == "true" {
		return nil
	}
	changed := stored.DeepCopy()
	changed.Data = wanted
	if changed.Labels == nil {
		changed.Labels = map[string]string{}
	}
	changed.Labels[v1alpha1.LabelAttempt] = "true"
	if err := c.Update(ctx, changed, fieldOwner); err != nil {
		return fmt.Errorf("writing ConfigMap %s: %w", stored.Name, err)
	}
	return nil
}

// Observe reads the parameters back. A missing ConfigMap is a State with Found false.
func Observe(ctx context.Context, r client.Reader, namespace, rollout string, rolloutUID types.UID) (State, error) {
	stored, err := get(ctx, r, namespace, rollout)
	if err != nil || stored == nil {
		return State{}, err
	}
	if !controlledBy(stored, rolloutUID) {
		return State{Found: true, Foreign: true}, nil
	}
	return State{Found: true, Data: read(stored.Data)}, nil
}

// Delete takes the parameters away, if they are the Rollout's. One that is missing is no error.
func Delete(ctx context.Context, c client.Client, namespace, rollout string, rolloutUID types.UID) error {
	stored, err := get(ctx, c, namespace, rollout)
	if err != nil || stored == nil || !controlledBy(stored, rolloutUID) {
		return err
	}
	err = c.Delete(ctx, stored, client.Preconditions{UID: &stored.UID, ResourceVersion: &stored.ResourceVersion})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting ConfigMap %s: %w", stored.Name, err)
	}
	return nil
}

// written is the form that admission reads. Names and label values contain neither commas nor equals signs.
func (d Data) written() map[string]string {
	var labels []string
	for _, key := range slices.Sorted(maps.Keys(d.PodLabels)) {
		labels = append(labels, key+"="+d.PodLabels[key])
	}
	out := map[string]string{
		keyPin: d.Pin.String(), keyPodLabels: strings.Join(labels, ","), keySnapshot: d.Snapshot, keyDigest: d.Digest,
	}
	if len(d.Routes) > 0 {
		zero := d.Split
		zero.Weight = 0
		out[keySplit], out[keyRoutes] = zero.String(), strings.Join(d.Routes, ",")
	}
	return out
}

func read(data map[string]string) Data {
	d := Data{Snapshot: data[keySnapshot], Digest: data[keyDigest]}
	d.Pin, _ = routers.ParsePin(data[keyPin])
	d.Split, _ = routers.ParseSplit(data[keySplit])
	if data[keyRoutes] != "" {
		d.Routes = strings.Split(data[keyRoutes], ",")
	}
	if data[keyPodLabels] != "" {
		d.PodLabels = map[string]string{}
		for _, pair := range strings.Split(data[keyPodLabels], ",") {
			key, value, _ := strings.Cut(pair, "=")
			d.PodLabels[key] = value
		}
	}
	return d
}

// get gives the ConfigMap, nil if there is none.
func get(ctx context.Context, r client.Reader, namespace, rollout string) (*corev1.ConfigMap, error) {
	stored := &corev1.ConfigMap{}
	err := r.Get(ctx, client.ObjectKey{Namespace: namespace, Name: Name(rollout)}, stored)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading ConfigMap %s: %w", Name(rollout), err)
	}
	return stored, nil
}

func controlledBy(object metav1.Object, uid types.UID) bool {
	controller := metav1.GetControllerOf(object)
	return controller != nil && controller.UID == uid
}
