package controllers

import (
	"errors"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/belay-dev/belay/controllers/apply"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
)

const (
	// afterConflict is when to look after a write that rested on something old; it doubles while that goes on, up to
	// afterConflicts: whoever writes the same object all the time must not keep a core busy.
	afterConflict  = 20 * time.Millisecond
	afterConflicts = 2 * time.Second
)

// conflicts remembers how long to wait after the next conflict of a Rollout.
type conflicts struct {
	mu   sync.Mutex
	next map[types.NamespacedName]time.Duration
}

// outcome turns an error into what the queue does with it.
func (c *conflicts) outcome(key types.NamespacedName, err error) (ctrl.Result, error) {
	all := failures(err)
	switch {
	case slices.ContainsFunc(all, apierrors.IsConflict):
		return ctrl.Result{RequeueAfter: c.pause(key)}, nil
	case !slices.ContainsFunc(all, func(err error) bool { return !late(err) }):
		return ctrl.Result{RequeueAfter: lookAgain}, nil
	}
	return ctrl.Result{}, err
}

func (c *conflicts) pause(key types.NamespacedName) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		c.next = map[types.NamespacedName]time.Duration{}
	}
	pause := max(c.next[key], afterConflict)
	c.next[key] = min(2*pause, afterConflicts)
	return pause
}

// forget begins afresh: a round went without a conflict.
func (c *conflicts) forget(key types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.next, key)
}

// failures of several effects in one error.
func failures(err error) []error {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		return all.Unwrap()
	}
	return []error{err}
}

// late says that an object came or went since it was observed. The next round sees it.
func late(err error) bool { return apierrors.IsNotFound(err) || apierrors.IsAlreadyExists(err) }

// refused says what a person has to change when the API server does not let us; nil: nothing, it passes by itself.
func refused(err error) *plan.Problem {
	for _, err := range failures(err) {
		switch {
		case apierrors.IsConflict(err), late(err), observe.Passing(err):
		case apierrors.IsForbidden(err):
			return &plan.Problem{Reason: "Forbidden", Message: "the API server does not let the controller do it, check config/rbac and other policies: " + said(err)}
		case apierrors.IsInvalid(err):
			return &plan.Problem{Reason: "Invalid", Message: "the API server refuses the change: " + said(err)}
		default:
			return &plan.Problem{Reason: "EffectFailed", Message: "what was decided could not be carried out, it is tried again: " + said(err)}
		}
	}
	return nil
}

// said is what an error says, after the name of its effect.
func said(err error) string {
	var failed *apply.Failure
	if errors.As(err, &failed) {
		return failed.Effect + ": " + observe.Said(failed.Err)
	}
	return observe.Said(err)
}
