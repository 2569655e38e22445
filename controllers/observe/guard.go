package observe

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/plan"
)

const (
	// proofFor is how long a proof is believed when nothing is known to have changed.
	proofFor = 10 * time.Minute
	// proveAgain is when a dry run that failed is made again.
	proveAgain = 30 * time.Second
)

// Guard proves by a server dry run that a new template would be held. It keeps the last proof of each workload; a
// change of an admission policy makes all of them void.
type Guard struct {
	Client client.Client
	Clock  clock.PassiveClock
	// PolicyAPI says that the server has MutatingAdmissionPolicy.
	PolicyAPI bool

	mu     sync.Mutex
	proofs map[types.UID]proof
}

type proof struct {
	plan.Proof
	until time.Time
}

// Forget makes every proof void, because a policy changed.
func (g *Guard) Forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.proofs = nil
}

// Prove gives the last proof, or makes a new one. A held workload proves it by being held. A dry run that fails proves
// nothing: then it says why, and when it is tried again; zero: it need not be.
func (g *Guard) Prove(ctx context.Context, s *Scene) (p plan.Proof, again time.Time) {
	switch {
	case !g.PolicyAPI:
		return plan.Proof{Known: true, Why: "the API server does not offer admissionregistration.k8s.io/v1 MutatingAdmissionPolicy: Belay needs Kubernetes 1.36 or newer"}, time.Time{}
	case !s.Workload.Found || s.Workload.Governor != s.Name:
		return plan.Proof{}, time.Time{}
	case s.Workload.Held:
		return plan.Proof{Known: true, Holds: true, Why: "a new template is held at this moment"}, time.Time{}
	}
	uid := types.UID(s.Workload.UID)
	g.mu.Lock()
	last, ok := g.proofs[uid]
	g.mu.Unlock()
	if ok && g.Clock.Now().Before(last.until) {
		return last.Proof, last.again()
	}
	fresh := proof{until: g.Clock.Now().Add(proofFor)}
	var err error
	if fresh.Proof, err = g.dryRun(ctx, s); err != nil {
		fresh = proof{plan.Proof{Why: "a dry run of a new template failed: " + Said(err)}, g.Clock.Now().Add(proveAgain)}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.proofs == nil {
		g.proofs = map[types.UID]proof{}
	}
	g.proofs[uid] = fresh
	return fresh.Proof, fresh.again()
}

// again is when to prove again by itself; zero: a proof is made again when somebody looks after its time.
func (p proof) again() time.Time {
	if p.Known {
		return time.Time{}
	}
	return p.until
}

// dryRun changes the template on the server without storing it, and looks whether it comes back held.
func (g *Guard) dryRun(ctx context.Context, s *Scene) (plan.Proof, error) {
	d := &unstructured.Unstructured{}
	d.SetAPIVersion("apps/v1")
	d.SetKind(s.Rollout.Spec.WorkloadRef.Kind)
	d.SetNamespace(s.Namespace)
	d.SetName(s.Rollout.Spec.WorkloadRef.Name)
	patch := []byte(`{"spec":{"template":{"metadata":{"annotations":{"belay.dev/probe":"would this be held?"}}}}}`)
	if err := g.Client.Patch(ctx, d, client.RawPatch(types.MergePatchType, patch), client.DryRunAll); err != nil {
		return plan.Proof{}, err
	}
	paused, _, _ := unstructured.NestedBool(d.Object, "spec", "paused")
	if paused && d.GetAnnotations()[v1alpha1.AnnotationHold] != "" {
		return plan.Proof{Known: true, Holds: true, Why: "a dry run of a new template came back held"}, nil
	}
	return plan.Proof{Known: true, Why: "a dry run of a new template was not held: the admission policies of Belay are missing or not in force; install config/policies, and do not ship before this is True"}, nil
}
