package apply

import (
	"reflect"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/measure"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/gitops"
)

type tape struct{ analysis.Reader }

// Whoever measures is told everything that a comparison needs: both arms, the weights, stable's pods, the source of samples.
func TestMeasureIsToldEverything(t *testing.T) {
	s := staged(t)
	s.scene.Reader = tape{}
	s.scene.Plans = []analysis.Plan{{Interval: time.Minute}}
	s.scene.Config.Service = "web"
	s.scene.Progress.Stable.Revision = "a"
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	exposures := []v1alpha1.Exposure{{Step: 1, WeightPermille: 50, Pods: 1, Since: metav1.NewMicroTime(since)}}
	var got measure.Job
	s.applier.Measure = func(_ types.NamespacedName, j measure.Job) { got = j }
	effect := plan.Measure{Attempt: 7, Step: 2, Since: since, Exposures: exposures, StablePods: 4}
	if err := s.applier.Apply(t.Context(), s.scene, []plan.Effect{effect}); err != nil {
		t.Fatal(err)
	}
	want := measure.Job{
		Attempt: 7, Step: 2, Since: since, Plans: s.scene.Plans, Provider: silent{}, Reader: tape{}, Exposures: exposures, StablePods: 4,
		Vars:     analysis.Vars{Namespace: "shop", Name: "web", Service: "web-canary", Revision: "b", Arm: "canary"},
		Stable:   analysis.Vars{Namespace: "shop", Name: "web", Service: "web", Revision: "a", Arm: "stable"},
		Restored: s.scene.Rollout.Status.Metrics,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("told is\n%+v\nwant\n%+v", got, want)
	}
	for i := range reflect.TypeFor[measure.Job]().NumField() {
		if reflect.ValueOf(got).Field(i).IsZero() {
			t.Errorf("nothing is told of %s", reflect.TypeFor[measure.Job]().Field(i).Name)
		}
	}
	// A record of before there was a stable revision: nothing that could be told, and no panic.
	s.scene.Progress.Stable = nil
	if err := s.applier.Apply(t.Context(), s.scene, []plan.Effect{effect}); err != nil || got.Stable.Revision != "" || got.Stable.Service != "web" {
		t.Errorf("told is %+v, %v", got.Stable, err)
	}
}

// The commit says what the attempt cost, after what led to its end.
func TestFailureTellsItsCost(t *testing.T) {
	const cost = "361 of the canary's 5,012 requests were bad, 345 more than at stable's share"
	for name, tc := range map[string]struct {
		cost string
		want []gitops.Evidence
	}{
		"counted": {cost, []gitops.Evidence{{Name: "errors", Value: "7.2 % against 0.3 %", Limit: "1.1 × stable", Remark: "fail"}, {Name: cost}}},
		"not":     {"", []gitops.Evidence{{Name: "errors", Value: "7.2 % against 0.3 %", Limit: "1.1 × stable", Remark: "fail"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := (&Applier{}).failure(&observe.Scene{Observed: plan.Observed{Progress: v1alpha1.Progress{
				Stable: &v1alpha1.RevisionRecord{},
				Ending: &v1alpha1.Ending{Reason: "errors: canary 361/5,012", Evidence: []string{"errors\t7.2 % against 0.3 %\t1.1 × stable\tFail"}, Cost: tc.cost},
			}}})
			if !slices.Equal(got.Evidence, tc.want) || got.Headline != "errors 7.2 % against 0.3 %" {
				t.Errorf("told %+v", got)
			}
		})
	}
}
