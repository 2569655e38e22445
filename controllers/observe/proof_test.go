package observe

import (
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/workloads"
)

// A dry run that fails, for whatever reason, says nothing about anything else: the loop goes on, and the server is not
// asked at every round.
func TestProofThatFails(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	answer, asked := error(apierrors.NewForbidden(corev1.Resource("deployments"), "web", errors.New("10.0.0.7:9443 says no"))), 0
	server := interceptor.NewClient(reader(t).(client.WithWatch), interceptor.Funcs{
		Patch: func(_ context.Context, _ client.WithWatch, o client.Object, _ client.Patch, _ ...client.PatchOption) error {
			asked++
			if answer == nil {
				o.SetAnnotations(map[string]string{v1alpha1.AnnotationHold: "0.0/false"})
				return unstructured.SetNestedField(o.(*unstructured.Unstructured).Object, true, "spec", "paused")
			}
			return answer
		},
	})
	clock := clocktesting.NewFakeClock(start)
	o := &Observer{Guard: &Guard{Client: server, Clock: clock, PolicyAPI: true}}
	proves := func(want plan.Proof, again time.Time, times int) {
		t.Helper()
		s := sceneOf(v1alpha1.StageResting, "")
		s.Workload = workloads.State{Found: true, UID: "u", Governor: "web"}
		if err := o.guard(t.Context(), s); err != nil {
			t.Fatalf("the observation fails: %v", err)
		}
		if s.Guarded != want || !s.ProveAgain.Equal(again) || asked != times {
			t.Errorf("proved %+v, again at %s, asked %d times; want %+v, %s, %d", s.Guarded, s.ProveAgain, asked, want, again, times)
		}
	}

	failed := plan.Proof{Why: `a dry run of a new template failed: deployments "web" is forbidden: … says no`}
	proves(failed, start.Add(30*time.Second), 1)
	clock.Step(29 * time.Second)
	proves(failed, start.Add(30*time.Second), 1)
	clock.Step(time.Second)
	proves(failed, start.Add(time.Minute), 2)
	clock.Step(30 * time.Second)
	answer = nil
	proved := plan.Proof{Known: true, Holds: true, Why: "a dry run of a new template came back held"}
	proves(proved, time.Time{}, 3)
	clock.Step(9 * time.Minute)
	proves(proved, time.Time{}, 3)
	answer = errors.New("boom")
	o.Guard.Forget()
	proves(plan.Proof{Why: "a dry run of a new template failed: boom"}, clock.Now().Add(30*time.Second), 4)
}
