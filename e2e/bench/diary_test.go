package bench

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
)

func at(second int) *metav1.MicroTime {
	t := metav1.NewMicroTime(noon.Add(time.Duration(second) * time.Second))
	return &t
}

func TestDiary(t *testing.T) {
	var d diary
	record := func(p v1alpha1.Progress) {
		d.look(&v1alpha1.Rollout{Status: v1alpha1.RolloutStatus{Progress: &p}})
	}
	d.look(&v1alpha1.Rollout{})
	record(v1alpha1.Progress{Stage: v1alpha1.StageResting})
	started, ended := at(1), v1alpha1.Ending{Outcome: v1alpha1.OutcomePromoted, At: *at(9)}
	record(v1alpha1.Progress{Attempt: 1, StartedAt: started, Stage: v1alpha1.StagePinning})
	record(v1alpha1.Progress{Attempt: 1, StartedAt: started, Stage: v1alpha1.StageStepping, Step: 1, StepSince: at(2)})
	record(v1alpha1.Progress{Attempt: 1, StartedAt: started, Stage: v1alpha1.StageStepping, Step: 1, StepSince: at(2)})
	record(v1alpha1.Progress{Attempt: 1, StartedAt: started, Stage: v1alpha1.StageStepping, Step: 2, StepSince: at(5)})
	if got := d.with(""); len(got) != 1 {
		t.Fatalf("under way: %+v", got)
	} else if _, _, over := got[0].step(1); over {
		t.Error("the second step is over while it is not")
	}
	record(v1alpha1.Progress{Attempt: 1, StartedAt: started, Stage: v1alpha1.StageUnpinning, StageSince: *at(7), Step: 2, StepSince: at(5)})
	record(v1alpha1.Progress{Attempt: 1, StartedAt: started, Stage: v1alpha1.StageResting, Ending: &ended})
	record(v1alpha1.Progress{Attempt: 2, StartedAt: at(11), Stage: v1alpha1.StagePinning})

	got := d.with(v1alpha1.OutcomePromoted)
	if len(got) != 1 || got[0].number != 1 || !got[0].started.Equal(started.Time) || !got[0].ended.Equal(ended.At.Time) || len(got[0].steps) != 2 {
		t.Fatalf("promoted: %+v", got)
	}
	for i, want := range [][2]int{{2, 5}, {5, 7}} {
		from, until, over := got[0].step(i)
		if !over || !from.Equal(at(want[0]).Time) || !until.Equal(at(want[1]).Time) {
			t.Errorf("step %d was from %s until %s (over: %t), want seconds %v", i, from, until, over, want)
		}
	}
}
