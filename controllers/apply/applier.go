package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/gitwork"
	"github.com/belay-dev/belay/controllers/measure"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/gitops"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/routers/attempt"
	"github.com/belay-dev/belay/routers/service"
)

const hashKey = "pod-template-hash"

// Applier carries effects out.
type Applier struct {
	Client client.Client
	// Routers by group/kind.
	Routers map[string]routers.Router
	// Measure and Git take orders for what runs outside of the loop.
	Measure func(types.NamespacedName, measure.Job)
	Git     func(types.NamespacedName, gitwork.Order)
	// Secret reads a Secret of the controller's namespace, past the cache.
	Secret func(ctx context.Context, name string) (*corev1.Secret, error)
	// Namespace of the controller, where Repositories live.
	Namespace string
	// Cluster is this cluster's name in commit messages.
	Cluster string
}

// Failure is an effect that was not carried out.
type Failure struct {
	// Effect is its name.
	Effect string
	Err    error
}

func (f *Failure) Error() string { return f.Effect + ": " + f.Err.Error() }

func (f *Failure) Unwrap() error { return f.Err }

// Apply carries effects out in order. After one that failed it only takes traffic off the canary: what keeps one route
// from being cleared must not keep its share on another. The error joins a Failure for each effect that failed.
func (a *Applier) Apply(ctx context.Context, s *observe.Scene, effects []plan.Effect) error {
	var failed []error
	for _, e := range effects {
		if len(failed) > 0 && !clears(e) {
			continue
		}
		err := a.one(ctx, s, e)
		if _, clear := e.(plan.ClearSplit); clear && apierrors.IsNotFound(err) {
			err = nil // a route that is gone sends nothing
		}
		if err != nil {
			failed = append(failed, &Failure{Effect: Name(e), Err: err})
		}
	}
	return errors.Join(failed...)
}

// Clears says that effects do nothing but take the canary's share away.
func Clears(effects []plan.Effect) bool {
	return !slices.ContainsFunc(effects, func(e plan.Effect) bool { return !clears(e) })
}

// clears says that an effect does nothing but take the canary's share away.
func clears(e plan.Effect) bool {
	if split, ok := e.(plan.Split); ok {
		return split.Split.Weight == 0
	}
	_, ok := e.(plan.ClearSplit)
	return ok
}

// Name of an effect for logs and errors.
func Name(e plan.Effect) string { return fmt.Sprintf("%T", e)[len("plan."):] }

func (a *Applier) one(ctx context.Context, s *observe.Scene, e plan.Effect) error {
	switch e := e.(type) {
	case plan.AddFinalizer, plan.RemoveFinalizer:
		return a.finalizer(ctx, s, e)
	case plan.Govern, plan.Ungovern, plan.Claim, plan.Release, plan.Notice, plan.Canaries, plan.Resize, plan.Adopt, plan.CallOff, plan.ReturnRevision, plan.DropRevision:
		return a.workload(ctx, s, e)
	case plan.EnsureAttempt, plan.DeleteAttempt, plan.EnsureCanaryService, plan.DeleteCanaryService, plan.Pin, plan.Unpin:
		return a.service(ctx, s, e)
	case plan.Split:
		return a.Routers[e.Route.Group+"/"+e.Route.Kind].Split(ctx, a.Client, s.Namespace, e.Route, e.ResourceVersion, e.Split)
	case plan.ClearSplit:
		return a.Routers[e.Route.Group+"/"+e.Route.Kind].Clear(ctx, a.Client, s.Namespace, e.Route, e.ResourceVersion, fence(s))
	case plan.Measure:
		a.measure(s, e)
		return nil
	case plan.ReadTip, plan.Locate, plan.Revert:
		a.git(s, e)
		return nil
	}
	return fmt.Errorf("effect %T is unknown", e)
}

// fence is what the plan knew.
func fence(s *observe.Scene) routers.Fence {
	return routers.Fence{Attempt: s.Progress.Attempt, Sequence: s.Progress.Sequence}
}

func (a *Applier) finalizer(ctx context.Context, s *observe.Scene, e plan.Effect) error {
	changed := s.Rollout.DeepCopy()
	if _, add := e.(plan.AddFinalizer); add {
		controllerutil.AddFinalizer(changed, v1alpha1.Finalizer)
	} else {
		controllerutil.RemoveFinalizer(changed, v1alpha1.Finalizer)
	}
	return a.Client.Patch(ctx, changed, client.MergeFromWithOptions(s.Rollout, client.MergeFromWithOptimisticLock{}))
}

func (a *Applier) workload(ctx context.Context, s *observe.Scene, e plan.Effect) error {
	switch e := e.(type) {
	case plan.Govern:
		return s.Mechanism.Govern(ctx, a.Client, s.Target, e.Ignored)
	case plan.Ungovern:
		t := s.Target
		t.Rollout = ""
		return s.Mechanism.Govern(ctx, a.Client, t, nil)
	case plan.Release:
		return s.Mechanism.Release(ctx, a.Client, s.Target, e.ResourceVersion, fence(s).String())
	case plan.Claim:
		return s.Mechanism.Claim(ctx, a.Client, s.Target, e.ResourceVersion, fence(s).String())
	case plan.Notice:
		return s.Mechanism.Notice(ctx, a.Client, s.Target, e.Sentence)
	case plan.Canaries:
		return s.Mechanism.Canaries(ctx, a.Client, s.Target, e.Revision, e.Size)
	case plan.Resize:
		return s.Mechanism.Resize(ctx, a.Client, s.Target, e.Revision, e.Size)
	case plan.Adopt:
		return s.Mechanism.Adopt(ctx, a.Client, s.Target, e.Revision)
	case plan.CallOff:
		return s.Mechanism.CallOff(ctx, a.Client, s.Target, e.Revision, fence(s).String())
	case plan.ReturnRevision:
		return s.Mechanism.Return(ctx, a.Client, s.Target, e.Revision)
	case plan.DropRevision:
		r, _ := s.Workload.Find(e.Name)
		return s.Mechanism.Return(ctx, a.Client, s.Target, r)
	}
	return nil
}

func (a *Applier) service(ctx context.Context, s *observe.Scene, e plan.Effect) error {
	owner := *metav1.NewControllerRef(s.Rollout, v1alpha1.GroupVersion.WithKind("Rollout"))
	switch e := e.(type) {
	case plan.EnsureAttempt:
		var names []string
		for _, r := range s.Routes {
			names = append(names, r.Ref.Name)
		}
		return attempt.Ensure(ctx, a.Client, s.Namespace, owner, s.Name, attempt.Data{
			Pin: e.Pin, PodLabels: e.Labels, Split: e.Split, Routes: names, Snapshot: s.Live, Digest: s.LiveDigest,
		})
	case plan.DeleteAttempt:
		return attempt.Delete(ctx, a.Client, s.Namespace, s.Name, s.Rollout.UID)
	case plan.EnsureCanaryService:
		return service.EnsureCanary(ctx, a.Client, s.Namespace, owner, e.Service, e.Name, hashKey, e.Revision)
	case plan.DeleteCanaryService:
		return service.DeleteCanary(ctx, a.Client, s.Namespace, e.Name, s.Rollout.UID)
	case plan.Pin:
		return service.Pin(ctx, a.Client, s.Namespace, e.Service, e.ResourceVersion, e.Pin)
	case plan.Unpin:
		return service.Unpin(ctx, a.Client, s.Namespace, e.Service, e.ResourceVersion, fence(s))
	}
	return nil
}

func (a *Applier) measure(s *observe.Scene, e plan.Measure) {
	if s.Provider == nil || e.Since.IsZero() {
		return
	}
	a.Measure(client.ObjectKeyFromObject(s.Rollout), measure.Job{
		Attempt: e.Attempt, Step: e.Step, Since: e.Since, Plans: s.Plans, Provider: s.Provider, Reader: s.Reader,
		Exposures: e.Exposures, StablePods: e.StablePods,
		Vars: analysis.Vars{
			Namespace: s.Namespace, Name: s.Name, Service: s.Progress.CanaryService,
			Revision: s.Progress.Canary.Revision, Arm: "canary",
		},
		Stable: analysis.Vars{
			Namespace: s.Namespace, Name: s.Name, Service: s.Config.Service, Revision: stableOf(s), Arm: "stable",
		},
		Restored: s.Rollout.Status.Metrics,
	})
}

// stableOf is the stable revision, which an attempt always has.
func stableOf(s *observe.Scene) string {
	if s.Progress.Stable == nil {
		return ""
	}
	return s.Progress.Stable.Revision
}

// git puts an order on the desk.
func (a *Applier) git(s *observe.Scene, e plan.Effect) {
	if s.Repository == nil || s.Rollout.Spec.Git == nil {
		return
	}
	namespace, git := s.Namespace, s.Rollout.Spec.Git.DeepCopy()
	order := gitwork.Order{
		Repository: func(ctx context.Context) (gitops.Repository, error) { return a.repository(ctx, namespace, git) },
		From:       fmt.Sprintf("%s/%s/%d", s.Repository.Name, s.Repository.UID, s.Repository.Generation),
		Source: gitops.Source{
			Branch: git.Branch, Paths: []string{git.Path},
			Workload: gitops.ObjectRef{Kind: s.Rollout.Spec.WorkloadRef.Kind, Namespace: s.Namespace, Name: s.Rollout.Spec.WorkloadRef.Name},
		},
	}
	switch e := e.(type) {
	case plan.ReadTip:
		order.Kind, order.Name = gitwork.Tip, e.For
	case plan.Locate:
		order.Kind, order.Name, order.Record, order.Head = gitwork.Locate, e.For, e.Record, e.Head
	case plan.Revert:
		order.Kind, order.Name, order.Recorded = gitwork.Revert, e.For, e.Record.Commit
		order.Revert = gitops.Revert{
			Source:   order.Source,
			Interval: gitops.Interval{Stable: e.Record.Stable, Failed: e.Record.Failed},
			Accepted: e.Record.Accepted,
			Failure:  a.failure(s),
		}
	}
	a.Git(client.ObjectKeyFromObject(s.Rollout), order)
}
