package observe

import (
	"context"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// answering is a server on which admission makes something of a dry run. It counts them.
func answering(t *testing.T, runs *int, admission func(*unstructured.Unstructured) error) client.Client {
	t.Helper()
	return interceptor.NewClient(cluster(t, web("web")).(client.WithWatch), interceptor.Funcs{
		Patch: func(_ context.Context, _ client.WithWatch, o client.Object, _ client.Patch, opts ...client.PatchOption) error {
			*runs++
			applied := client.PatchOptions{}
			applied.ApplyOptions(opts)
			if len(applied.DryRun) == 0 {
				t.Error("a proof wrote something")
			}
			return admission(o.(*unstructured.Unstructured))
		},
	})
}

func heldBy(o *unstructured.Unstructured) error {
	o.SetAnnotations(map[string]string{v1alpha1.AnnotationHold: "0.0/false"})
	return unstructured.SetNestedField(o.Object, true, "spec", "paused")
}

// guardedScene is a workload that is governed and not held.
func guardedScene() *Scene {
	s := sceneOf(v1alpha1.StageResting, "")
	s.Rollout.Spec.WorkloadRef = v1alpha1.WorkloadReference{Kind: "Deployment", Name: "web"}
	s.Workload.Found, s.Workload.Governor, s.Workload.UID = true, "web", "web-uid"
	return s
}

func TestProof(t *testing.T) {
	tests := map[string]struct {
		admission    func(*unstructured.Unstructured) error
		known, holds bool
	}{
		"held":     {heldBy, true, true},
		"not held": {func(*unstructured.Unstructured) error { return nil }, true, false},
		"annotated only": {func(o *unstructured.Unstructured) error {
			o.SetAnnotations(map[string]string{v1alpha1.AnnotationHold: "0.0/false"})
			return nil
		}, true, false},
		"paused by somebody": {func(o *unstructured.Unstructured) error {
			return unstructured.SetNestedField(o.Object, true, "spec", "paused")
		}, true, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			runs := 0
			g := &Guard{Client: answering(t, &runs, tc.admission), Clock: clocktesting.NewFakePassiveClock(noon), PolicyAPI: true}
			got, again := g.Prove(t.Context(), guardedScene())
			if got.Known != tc.known || got.Holds != tc.holds || got.Why == "" || !again.IsZero() || runs != 1 {
				t.Errorf("proof %+v after %d dry runs, again at %s", got, runs, again)
			}
		})
	}
}

func TestProofWithoutAsking(t *testing.T) {
	tests := map[string]struct {
		policies     bool
		change       func(*Scene)
		known, holds bool
		why          string
	}{
		"a server without the policy API": {false, func(*Scene) {}, true, false, "Belay needs Kubernetes 1.36 or newer"},
		"no workload":                     {true, func(s *Scene) { s.Workload.Found = false }, false, false, ""},
		"not governed":                    {true, func(s *Scene) { s.Workload.Governor = "" }, false, false, ""},
		"held at this moment":             {true, func(s *Scene) { s.Workload.Held = true }, true, true, "held at this moment"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			runs := 0
			g := &Guard{Client: answering(t, &runs, heldBy), Clock: clocktesting.NewFakePassiveClock(noon), PolicyAPI: tc.policies}
			s := guardedScene()
			tc.change(s)
			got, again := g.Prove(t.Context(), s)
			if got.Known != tc.known || got.Holds != tc.holds || !strings.Contains(got.Why, tc.why) || !again.IsZero() || runs > 0 {
				t.Errorf("proof %+v after %d dry runs, again at %s", got, runs, again)
			}
		})
	}
}

func TestProofIsKept(t *testing.T) {
	runs := 0
	clock := clocktesting.NewFakePassiveClock(noon)
	g := &Guard{Client: answering(t, &runs, heldBy), Clock: clock, PolicyAPI: true}
	proves := func(want int, when string) {
		t.Helper()
		if got, _ := g.Prove(t.Context(), guardedScene()); !got.Holds || runs != want {
			t.Errorf("%s: %d dry runs, want %d; proof %+v", when, runs, want, got)
		}
	}
	proves(1, "first")
	clock.SetTime(noon.Add(9 * time.Minute))
	proves(1, "while it is believed")
	g.Forget()
	proves(2, "after a policy changed")
	clock.SetTime(noon.Add(20 * time.Minute))
	proves(3, "when it is old")
	recreated := guardedScene()
	recreated.Workload.UID = "another"
	if got, _ := g.Prove(t.Context(), recreated); !got.Holds || runs != 4 {
		t.Errorf("of another workload: %d dry runs, proof %+v", runs, got)
	}
}

// A dry run that fails proves nothing. It is told, tried again after a while and not at every look.
// A server without policies is a problem of the Rollout, not only of its condition.
func TestPolicyAPIMissing(t *testing.T) {
	o := observer(cluster(t, rollout(), web("web"), webService("web", selectsWeb), httpRoute("web", "", "web")))
	o.Guard.PolicyAPI = false
	s, err := o.Observe(t.Context(), rollout())
	must(t, err)
	if len(s.Problems) != 1 || s.Problems[0].Reason != "PolicyAPIMissing" {
		t.Errorf("problems %+v", s.Problems)
	}
}
