package gather

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// retryAfter is how long a broken watch waits before the next one. Watches end regularly, so this is not an error.
const retryAfter = time.Second

// Follow reads with read and calls look with what came out, again each time that one of the watched lists changes, until
// look returns true, an error, or ctx ends (its error is returned then). Reading may fail while the server restarts: such an
// error is given to look as well, which decides.
func Follow[T any](ctx context.Context, c client.WithWatch, watched []Watched,
	read func(context.Context) (T, error), look func(T, error) (done bool, err error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changed := make(chan struct{}, 1)
	for _, w := range watched {
		go w.signal(ctx, c, changed)
	}
	for {
		value, err := read(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if done, err := look(value, err); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// Watched is a list whose changes are of interest.
type Watched struct {
	List    func() client.ObjectList
	Options []client.ListOption
}

// Rollouts watches Rollouts.
func Rollouts(options ...client.ListOption) Watched {
	return Watched{List: func() client.ObjectList { return &v1alpha1.RolloutList{} }, Options: options}
}

// Around watches what a Rollout's tree is made of. What cannot be read is left out.
func Around(ctx context.Context, c client.Reader, namespace, name string) []Watched {
	out := []Watched{Rollouts(client.InNamespace(namespace), client.MatchingFields{"metadata.name": name})}
	r := &v1alpha1.Rollout{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, r); err != nil {
		return out
	}
	d := &appsv1.Deployment{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: r.Spec.WorkloadRef.Name}, d); err != nil {
		return out
	}
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return out
	}
	selected := []client.ListOption{client.InNamespace(namespace), client.MatchingLabelsSelector{Selector: selector}}
	return append(out,
		Watched{List: func() client.ObjectList { return &appsv1.ReplicaSetList{} }, Options: selected},
		Watched{List: func() client.ObjectList { return &corev1.PodList{} }, Options: selected})
}

// signal reports each change, several at once as one. A watch that ends or cannot be had counts as a change, because
// something may have been missed; one that is forbidden is given up, for the others go on.
func (w Watched) signal(ctx context.Context, c client.WithWatch, changed chan<- struct{}) {
	report := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	for ctx.Err() == nil {
		stream, err := c.Watch(ctx, w.List(), w.Options...)
		if apierrors.IsForbidden(err) {
			return
		}
		if err == nil {
			report() // what happened before the watch began
			for event := range stream.ResultChan() {
				if event.Type != watch.Error {
					report()
				}
			}
			stream.Stop()
		}
		if !Pause(ctx, retryAfter) {
			return
		}
		report()
	}
}

// Pause waits, and says whether ctx is still alive afterwards.
func Pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// Names lists the Rollouts of a namespace, for messages and completion.
func Names(ctx context.Context, c client.Reader, namespace string) ([]string, error) {
	var list v1alpha1.RolloutList
	if err := c.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("rollouts: %w", err)
	}
	names := make([]string, 0, len(list.Items))
	for _, r := range list.Items {
		names = append(names, r.Name)
	}
	return names, nil
}
