package workloadtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/workloads"
)

// Fixture is a namespace of its own with one workload, three pods of version v1, settled and not governed, and a Rollout.
type Fixture struct {
	Workload workloads.Workload
	// Client writes as the controller.
	Client client.Client
	// Target is the workload and the Rollout.
	Target workloads.Target
	// Ship writes the template of another version, as the workload's owner would.
	Ship func(t *testing.T, version string)
}

// patience is how long a cluster may take for anything.
const patience = 30 * time.Second

// Run proves the contract; create makes a fresh Fixture.
func Run(t *testing.T, create func(t *testing.T) *Fixture) {
	for name, test := range map[string]func(t *testing.T, f *Fixture){
		"a missing workload":                   missing,
		"at rest":                              atRest,
		"a new template is held":               newTemplateIsHeld,
		"a canary touches no stable pod":       canaryTouchesNoStablePod,
		"a hand-over restarts nothing":         handOverRestartsNothing,
		"back to the first version":            backToTheFirst,
		"an abandoned canary leaves nothing":   abandonedLeavesNothing,
		"a write from an old state conflicts":  oldStateConflicts,
		"an unready canary is not handed over": unreadyIsNotHandedOver,
		"a hand-over that is called off":       calledOff,
		"letting go":                           lettingGo,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, create(t))
		})
	}
}

func (f *Fixture) observe(t *testing.T) workloads.State {
	t.Helper()
	state, err := f.Workload.Observe(t.Context(), f.Client, f.Target)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// until observes until the state is as wanted.
func (f *Fixture) until(t *testing.T, what string, is func(workloads.State) bool) workloads.State {
	t.Helper()
	var state workloads.State
	eventually(t, func() error {
		if state = f.observe(t); !is(state) {
			return fmt.Errorf("not %s: %+v", what, state)
		}
		return nil
	})
	return state
}

// retried repeats a write that conflicts with the workload's own controllers, from a fresh state, as the loop does.
func (f *Fixture) retried(t *testing.T, write func(s workloads.State) error) {
	t.Helper()
	eventually(t, func() error { return write(f.observe(t)) })
}

// canaries brings the candidate to a size and waits until all its pods are available.
func (f *Fixture) canaries(t *testing.T, size int32) workloads.Revision {
	t.Helper()
	f.retried(t, func(s workloads.State) error {
		return f.Workload.Canaries(t.Context(), f.Client, f.Target, s.Candidate, size)
	})
	return f.until(t, fmt.Sprintf("a canary of %d", size), func(s workloads.State) bool {
		c := s.Candidate
		return c.Ours && c.Replicas == size && c.Present == size && c.Available == size
	}).Candidate
}

func (f *Fixture) handOver(t *testing.T, canary workloads.Revision) {
	t.Helper()
	f.retried(t, func(s workloads.State) error {
		seen, _ := s.Find(canary.Name)
		return f.Workload.Adopt(t.Context(), f.Client, f.Target, seen)
	})
	f.release(t)
	f.until(t, "settled", func(s workloads.State) bool { return s.Settled && !s.Held })
}

func (f *Fixture) release(t *testing.T) {
	t.Helper()
	f.retried(t, func(s workloads.State) error {
		return f.Workload.Release(t.Context(), f.Client, f.Target, s.ResourceVersion, "7.99")
	})
}

// held governs the workload and ships a version, which is to be held.
func (f *Fixture) held(t *testing.T, version string) workloads.State {
	t.Helper()
	if err := f.Workload.Govern(t.Context(), f.Client, f.Target, []string{"kubectl.kubernetes.io/restartedAt"}); err != nil {
		t.Fatal(err)
	}
	f.Ship(t, version)
	state := f.observe(t)
	if !state.Held {
		t.Fatalf("the template is not held: %+v", state)
	}
	return state
}

// pods gives the revision of every pod that is not going away, by the pod's identity.
func (f *Fixture) pods(t *testing.T) map[string]string {
	t.Helper()
	list := &corev1.PodList{}
	if err := f.Client.List(t.Context(), list, client.InNamespace(f.Target.Namespace)); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, pod := range list.Items {
		if pod.DeletionTimestamp == nil {
			out[string(pod.UID)] = pod.Labels["pod-template-hash"] + pod.Labels["controller-revision-hash"]
		}
	}
	return out
}

// podsOf are those of one revision, sorted.
func (f *Fixture) podsOf(t *testing.T, hash string) []string {
	t.Helper()
	pods := f.pods(t)
	maps.DeleteFunc(pods, func(_, of string) bool { return of != hash })
	return slices.Sorted(maps.Keys(pods))
}

func eventually(t *testing.T, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain: %v", err)
		case <-ticker.C:
		}
	}
}
