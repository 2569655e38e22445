package plan

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/workloads"
)

func TestCalledOff(t *testing.T) {
	const reason = "3 of 4 canary pods are ready after 10m0s"
	writes := want{rule: "handOver", reason: "the hand-over is called off: " + reason, phase: v1alpha1.PhaseProgressing, effects: []string{"CallOff"}}
	ends := want{rule: "handOver", reason: reason, phase: v1alpha1.PhaseAborted, record: "Aborting, outcome Failed"}
	late := func(o *Observed) { o.Progress.StageSince = micro(noon.Add(-time.Hour)) }
	pinned := func(o *Observed) { pin := o.pin(); o.Services[0].Pin, o.Services[0].Pinned = &pin, true }
	decide(t, map[string]decision{
		"nothing is written yet":                {calledOffState(), writes},
		"over its deadline":                     {calledOffState(late), writes},
		"a newer template came":                 {calledOffState(template("v3")), writes},
		"a Service is pinned again":             {calledOffState(pinned), writes},
		"a request waits for what comes of it":  {calledOffState(asks("abort", "v2")), writes},
		"called off in an attempt before":       {calledOffState(offAs("6.41")), writes},
		"called off before that was taken back": {calledOffState(offAs("7.40")), writes},
		"it is written":                         {calledOffState(offAs("7.41")), ends},
		"a newer template came meanwhile":       {calledOffState(offAs("7.41"), template("v3")), ends},
		"the ReplicaSet is gone":                {calledOffState(func(o *Observed) { o.Workload.Revisions = o.Workload.Revisions[:1] }), ends},
		"the workload was recreated":            {calledOffState(func(o *Observed) { o.Workload.UID = "another" }), ends},
		"the workload is gone":                  {calledOffState(func(o *Observed) { o.Workload = workloads.State{} }), ends},
		"the workload was faster": {calledOffState(adopted()), want{rule: "handOver", phase: v1alpha1.PhaseProgressing,
			reason: "the workload took the canary over before the hand-over was called off: it goes on", record: "no longer called off"}},
		"somebody gave it to the workload all the same": {calledOffState(adopted(), offAs("7.41")), want{rule: "handOver",
			reason: "the workload took the canary over before the hand-over was called off: it goes on", record: "no longer called off"}},
		"no canary pod is ready": {calledOffState(func(o *Observed) { o.Canary.Ready = 0 }), want{rule: "canaryLost",
			reason: "no canary pod is ready: its weight goes to zero", effects: []string{"Split"}}},
	})
}

// What was decided when it was called off is what stands in the books, and nothing of it stays elsewhere.
func TestCalledOffEnds(t *testing.T) {
	o := handing(v1alpha1.StageHandingOver, func(o *Observed) {
		o.Progress.StageSince = micro(noon.Add(-10 * time.Minute))
		o.Workload.Revisions[1].Ready, o.Workload.Revisions[1].Available = 3, 3
		o.Pods = []string{"container app of image shop:v2: CrashLoopBackOff"}
	})
	first := Decide(o).Progress
	if first.Stage != v1alpha1.StageHandingOver || first.Ending != nil || first.CalledOff == nil || first.Sequence != o.Progress.Sequence+1 {
		t.Fatalf("recorded %+v", first)
	}
	o.Progress, o.Now, o.Pods = *first.DeepCopy(), noon.Add(time.Minute), nil
	offAs(o.fence().String())(&o)
	second := Decide(o).Progress
	want := &v1alpha1.Ending{
		Outcome: v1alpha1.OutcomeFailed, Reason: "3 of 4 canary pods are ready after 10m0s: container app of image shop:v2: CrashLoopBackOff",
		At: micro(noon), Step: "3/3 (100%)", Evidence: []string{"container app of image shop:v2: CrashLoopBackOff"},
	}
	if !reflect.DeepEqual(second.Ending, want) || second.CalledOff != nil || second.Stage != v1alpha1.StageAborting {
		t.Errorf("it ends as %+v, called off %+v, in stage %s", second.Ending, second.CalledOff, second.Stage)
	}
}

// Whatever is observed: while a hand-over is called off nothing takes a step towards it, and from the hand-over an attempt
// ends only where the workload cannot take the canary over any more.
func TestNoHandOverOnceCalledOff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawObserved(t)
		p := Decide(o)
		for _, e := range p.Effects {
			switch e.(type) {
			case Adopt, Release:
				if o.Progress.CalledOff != nil {
					t.Errorf("%T is planned, and the hand-over is called off", e)
				}
			}
		}
		if o.Progress.Stage != v1alpha1.StageHandingOver || p.Progress == nil || p.Progress.Ending == nil {
			return
		}
		if c, _ := o.canary(); o.adoptable() && (o.Progress.CalledOff == nil || c.Owned || c.CalledOff != o.fence().String()) {
			t.Errorf("the attempt ends, and the workload may still take over %+v", c)
		}
	})
}
