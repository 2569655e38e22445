package plan

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/workloads"
)

func TestUngoverned(t *testing.T) {
	decide(t, map[string]decision{
		"finalizer": {
			atRest(func(o *Observed) { o.Finalizer = false }),
			want{rule: "ungoverned", reason: "the Rollout takes up its work", phase: v1alpha1.PhasePending, effects: []string{"AddFinalizer"}},
		},
		"label": {
			atRest(func(o *Observed) { o.Workload.Governor = "" }),
			want{rule: "ungoverned", reason: "Deployment checkout comes under guard", effects: []string{"Govern"}},
		},
		"ignored template changes": {
			atRest(func(o *Observed) { o.Ignored = []string{"a", "b"} }),
			want{rule: "ungoverned", reason: "Deployment checkout comes under guard", effects: []string{"Govern"}},
		},
		"an invalid Rollout touches nothing": {
			atRest(problem("ServiceMissing"), func(o *Observed) { o.Finalizer, o.Workload.Governor = false, "" }),
			want{rule: "invalid", reason: "spec.services[0].name is wrong: correct it", phase: v1alpha1.PhaseDegraded, stalled: "ServiceMissing"},
		},
	})
}

func TestRequested(t *testing.T) {
	malformed := func(o *Observed) {
		o.Request = &Request{Verb: "unknown", Token: "go on", Malformed: `annotation belay.dev/request must be "<verb> <revision> <unique token>"`}
	}
	inconclusive := func(o *Observed) { o.Progress.Inconclusive = "no data" }
	paused := func(o *Observed) { o.Progress.Paused = true }
	refused := func(verb, why string) want {
		return want{rule: "requested", reason: "a request is refused: " + why, record: "request t-" + verb + " answered"}
	}
	decide(t, map[string]decision{
		"pause":                {baking(2, time.Minute, asks("pause", "v2")), want{rule: "requested", reason: "the attempt is paused: nothing advances, it is still judged", record: "paused=true, request t-pause answered"}},
		"pause while pinning":  {pinnedState(asks("pause", "v2")), want{rule: "requested", reason: "the attempt is paused: nothing advances, it is still judged", record: "paused=true, request t-pause answered"}},
		"pause at rest":        {atRest(asks("pause", "-")), refused("pause", "no attempt is in flight")},
		"resume":               {baking(2, time.Minute, paused, asks("resume", "v2")), want{rule: "requested", reason: "the attempt goes on", record: "paused=false, request t-resume answered"}},
		"resume: judge afresh": {baking(2, time.Minute, inconclusive, asks("resume", "v2")), want{rule: "requested", reason: "the attempt goes on", record: "clock stands at 0s, inconclusive=false, request t-resume answered"}},
		"promote":              {baking(2, time.Second, asks("promote", "v2")), want{rule: "requested", reason: "promoted by a person: step 3/3 (100%) begins", record: "step 3, request t-promote answered"}},
		"promote when paused":  {baking(2, time.Second, paused, asks("promote", "v2")), want{rule: "requested", reason: "promoted by a person: step 3/3 (100%) begins", record: "step 3, paused=false, request t-promote answered"}},
		"promote the last step": {
			baking(3, time.Second, inconclusive, asks("promote", "v2")),
			want{rule: "requested", reason: "a person promotes to 100 %", record: "inconclusive=false, request t-promote answered"},
		},
		"promote-full":          {baking(1, time.Second, inconclusive, asks("promote-full", "-")), want{rule: "requested", reason: "a person promotes to 100 %", record: "inconclusive=false, request t-promote-full answered"}},
		"promote at rest":       {atRest(asks("promote", "-")), refused("promote", "no step is in progress that could be promoted")},
		"promote too early":     {entered(2, asks("promote", "v2")), refused("promote", "the step's pods and weight are not there yet; promote when they are")},
		"promote when frozen":   {baking(2, time.Second, asks("promote", "v2"), func(o *Observed) { o.Suspend, o.Progress.FrozenSince = true, microPtr(noon) }), refused("promote", "the Rollout is suspended")},
		"retry":                 {heldState(asks("retry", "v2")), want{rule: "requested", reason: "revision v2 is tried again", phase: v1alpha1.PhasePending, record: "Resting, request t-retry answered"}},
		"retry nothing":         {atRest(asks("retry", "-")), refused("retry", "no failed revision is held")},
		"retry something newer": {heldState(template("v3"), asks("retry", "v2")), refused("retry", "no failed revision is held")},
		"retry ends the revert": {
			heldState(asks("retry", "v2"), wanting(v1alpha1.RevertRecord{}), func(o *Observed) {
				o.Progress.Quarantine = []v1alpha1.QuarantinedRevision{{ReplicaSet: "checkout-v0"}, {ReplicaSet: "checkout-v2"}}
			}),
			want{rule: "requested", reason: "revision v2 is tried again", record: "Resting, revert Skipped Retried, 1 in quarantine, request t-retry answered"},
		},
		"unknown verb":  {baking(2, time.Second, asks("hurry", "v2")), refused("hurry", `the verb "hurry" is unknown: promote, promote-full, pause, resume, abort or retry`)},
		"other words":   {baking(2, time.Second, malformed), want{rule: "requested", reason: `a request is refused: annotation belay.dev/request must be "<verb> <revision> <unique token>"`, record: "request go on answered"}},
		"wrong version": {baking(2, time.Second, asks("pause", "v7")), refused("pause", "it speaks of revision v7, the canary is v2")},
	})
}

func TestAnswerToRequest(t *testing.T) {
	at := &metav1.Time{Time: noon}
	tests := map[string]struct {
		state Observed
		want  v1alpha1.RequestStatus
	}{
		"accepted": {
			baking(2, time.Minute, asks("pause", "v2")),
			v1alpha1.RequestStatus{Verb: "pause", Revision: "v2", Token: "t-pause", User: "jo", At: at, Outcome: "Accepted", Message: "the attempt is paused: nothing advances, it is still judged"},
		},
		"refused": {
			atRest(asks("abort", "-")),
			v1alpha1.RequestStatus{Verb: "abort", Revision: "-", Token: "t-abort", User: "jo", At: at, Outcome: "Refused", Message: "no attempt is in flight that could still be aborted"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := Decide(tc.state)
			if p.Ack == nil || *p.Ack.At != *tc.want.At {
				t.Fatalf("answered %+v", p.Ack)
			}
			p.Ack.At = tc.want.At
			if *p.Ack != tc.want {
				t.Errorf("answered %+v, want %+v", *p.Ack, tc.want)
			}
		})
	}
	if p := Decide(baking(2, time.Minute, asks("resume", "v2"), func(o *Observed) { o.Progress.Inconclusive = "no data" })); !p.Afresh {
		t.Error("measurements go on after a resumption that judges afresh")
	}
}

func TestAdopting(t *testing.T) {
	adoptingState := func(edits ...edit) Observed {
		return atRest(append([]edit{func(o *Observed) { o.Progress.Stage, o.Progress.Stable = v1alpha1.StageAdopting, nil }}, edits...)...)
	}
	unsettled := func(o *Observed) { o.Workload.Settled = false }
	heldNewer := func(o *Observed) { o.Workload.Held, o.Workload.Settled = true, false; template("v2")(o) }
	stableKnown := func(o *Observed) {
		o.Progress.Stable = &v1alpha1.RevisionRecord{Revision: "v1", ReplicaSet: "checkout-v1", Source: "c1"}
	}
	midRoll := func(replicas int32) edit {
		return func(o *Observed) {
			r := set("v1b", replicas)
			r.Owned = true
			o.Workload.Revisions = append(o.Workload.Revisions, r)
		}
	}
	stable := func(n int32) edit {
		return func(o *Observed) {
			r := &o.Workload.Revisions[0]
			r.Replicas, r.Present, r.Ready, r.Available = n, n, n, n
		}
	}
	bypassed := func(o *Observed) {
		o.Workload.Bypassed = "hotfix"
		o.Progress.Stable = &v1alpha1.RevisionRecord{Revision: "v0", ReplicaSet: "checkout-v0"}
	}
	interrupted := "a new template came in the middle of a roll-out: the pods of revision v1b go back to stable v1 first"
	decide(t, map[string]decision{
		"first sight":  {adoptingState(func(o *Observed) { o.Progress = v1alpha1.Progress{} }), want{rule: "adopting", reason: "Deployment checkout is stable at revision v1", phase: v1alpha1.PhaseHealthy, record: "Resting"}},
		"own roll-out": {adoptingState(unsettled), want{rule: "adopting", reason: "waits until Deployment checkout has finished its own roll-out", phase: v1alpha1.PhasePending}},
		"invalid":      {adoptingState(problem("ServiceMissing")), want{rule: "adopting", reason: "spec.services[0].name is wrong: correct it", stalled: "ServiceMissing"}},
		"not its own ReplicaSet": {adoptingState(func(o *Observed) { o.Workload.Candidate.Owned = false }),
			want{rule: "adopting", reason: "waits until Deployment checkout has finished its own roll-out"}},
		"a canary Service from before": {
			adoptingState(func(o *Observed) {
				o.Progress.Retiring = &v1alpha1.RetiringService{Name: "checkout-canary", NotBefore: micro(noon)}
			}),
			want{rule: "adopting", reason: "the canary's Service is gone", record: "details"},
		},
		"a newer template before anything was known": {
			adoptingState(heldNewer),
			want{rule: "adopting", reason: "Deployment checkout is stable at revision v1, which serves; a newer template is held", phase: v1alpha1.PhasePending, record: "Resting"},
		},
		"nothing ever worked": {
			adoptingState(heldNewer, func(o *Observed) { o.Workload.Revisions[0].Ready = 0 }),
			want{rule: "adopting", reason: "nothing is known to be stable yet; Deployment checkout goes on with its newest template", effects: []string{"Release"}},
		},
		"in the middle of a roll-out: pod by pod":    {adoptingState(stableKnown, heldNewer, stable(3), midRoll(2)), want{rule: "adopting", reason: interrupted, effects: []string{"Resize", "Resize"}}},
		"in the middle of a roll-out: the last":      {adoptingState(stableKnown, heldNewer, midRoll(1)), want{rule: "adopting", reason: interrupted, effects: []string{"Resize"}}},
		"in the middle of a roll-out: the last ends": {adoptingState(stableKnown, heldNewer, midRoll(0), func(o *Observed) { o.Workload.Revisions[1].Present = 1 }), want{rule: "adopting", reason: interrupted}},
		"stable again, and its template too": {
			adoptingState(stableKnown, func(o *Observed) { o.Workload.Held, o.Workload.Settled = true, false }),
			want{rule: "adopting", reason: "the stable revision has all its pods again", record: "Resting"},
		},
		"let through by a person": {adoptingState(bypassed), want{rule: "adopting", reason: "Deployment checkout is stable at revision v1", record: "Resting"}},
	})
	p := Decide(adoptingState(bypassed))
	if p.Ended == nil || p.Ended.Outcome != v1alpha1.OutcomeBypassed || p.Ended.Reason != "let through unheld by a person: hotfix" {
		t.Errorf("history says %+v", p.Ended)
	}
	if p := Decide(adoptingState(stableKnown)); p.Progress.Stable.Source != "c1" {
		t.Errorf("the source of an unchanged stable revision is %q", p.Progress.Stable.Source)
	}
	if p := Decide(adoptingState(heldNewer, func(o *Observed) { o.Workload.Source = "c2" })); p.Progress.Stable.Source != "" {
		t.Errorf("stable is said to come from %q, which brought the newer template", p.Progress.Stable.Source)
	}
}

func TestHeld(t *testing.T) {
	text := "revision v2 is held (error-rate is 0.2 (result < 0.01)); stable serves until Git or a person takes the template back"
	released := func(o *Observed) { o.Workload.Held = false }
	retiring := func(after time.Duration) edit {
		return func(o *Observed) {
			o.Progress.Retiring = &v1alpha1.RetiringService{Name: "checkout-canary", NotBefore: micro(noon.Add(after))}
		}
	}
	decide(t, map[string]decision{
		"waits": {heldState(), want{rule: "held", reason: text, phase: v1alpha1.PhaseHeld}},
		"says what to run": {
			heldState(func(o *Observed) { o.Workload.Notice = "" }),
			want{rule: "held", effects: []string{"Notice"},
				reason: "held by Rollout checkout: revision v2 did not pass. Revert it in Git, or run: kubectl belay undo checkout -n shop (stable template back), kubectl belay retry checkout -n shop (try again)"},
		},
		"the canary's Service in time":   {heldState(retiring(0)), want{rule: "held", reason: "the canary's Service is not needed any more", effects: []string{"DeleteCanaryService"}}},
		"wakes for the canary's Service": {heldState(retiring(time.Minute)), want{rule: "held", reason: text, wake: time.Minute}},
		"stable template back":           {heldState(template("v1")), want{rule: "held", reason: "the stable template is back: the hold goes, nothing restarts", effects: []string{"Release"}}},
		"stable template released":       {heldState(template("v1"), released), want{rule: "held", reason: "the stable template is back in Deployment checkout", record: "Resting"}},
		"newer template":                 {heldState(template("v3")), want{rule: "held", reason: "a newer template is in Deployment checkout", phase: v1alpha1.PhasePending, record: "Resting"}},
		"let through":                    {heldState(released), want{rule: "held", reason: "Deployment checkout is not held any more", record: "Adopting"}},
		"gone":                           {heldState(func(o *Observed) { o.Workload = workloads.State{} }), want{rule: "held", reason: "Deployment checkout is not held any more", record: "Adopting"}},
		"let through while Git is asked": {
			heldState(released, wanting(v1alpha1.RevertRecord{}), func(o *Observed) { o.Progress.Ending.At = micro(noon) }),
			want{rule: "held", reason: "Deployment checkout is not held any more", record: "Adopting, revert Skipped NotHeld"},
		},
		"without an ending": {
			heldState(func(o *Observed) { o.Progress.Ending = nil }),
			want{rule: "held", reason: "revision v2 is held (it failed); stable serves until Git or a person takes the template back"},
		},
	})
}

func TestResting(t *testing.T) {
	let := func(o *Observed) { o.Workload.Held = false }
	pinned := func(o *Observed) { o.Services[0].Pin = &routers.Pin{} }
	quarantined := func(version string) edit {
		return func(o *Observed) {
			o.Progress.Quarantine = []v1alpha1.QuarantinedRevision{{ReplicaSet: "checkout-" + version}}
		}
	}
	beside := func(version string, replicas int32, owned bool) edit {
		return func(o *Observed) {
			r := set(version, replicas)
			r.Owned, r.Ours = owned, !owned
			o.Workload.Revisions = append(o.Workload.Revisions, r)
		}
	}
	decide(t, map[string]decision{
		"nothing":           {atRest(), want{rule: "resting", reason: "revision v1 is stable", phase: v1alpha1.PhaseHealthy}},
		"a new template":    {holding(), want{rule: "resting", reason: "a new template is held: attempt 7 begins with revision v2", phase: v1alpha1.PhaseProgressing, record: "Pinning"}},
		"stable held":       {holding(template("v1")), want{rule: "resting", reason: "the stable template is back: the hold goes, nothing restarts", effects: []string{"Release"}}},
		"let through":       {holding(let), want{rule: "resting", reason: "a template was let through unheld", record: "Adopting"}},
		"workload gone":     {atRest(func(o *Observed) { o.Workload = workloads.State{} }), want{rule: "resting", reason: "Deployment checkout is gone", record: "Adopting"}},
		"known bad":         {holding(quarantined("v2")), want{rule: "resting", reason: "revision v2 failed before and is not tried again by itself (KnownBadRevision)", phase: v1alpha1.PhaseHeld, record: "Held, outcome Failed, revert Skipped KnownBadRevision"}},
		"suspended":         {holding(func(o *Observed) { o.Suspend = true }), want{rule: "suspended", reason: "the Rollout is suspended; a new template is held", phase: v1alpha1.PhasePaused}},
		"suspended, quiet":  {atRest(func(o *Observed) { o.Suspend = true }), want{rule: "resting", reason: "revision v1 is stable"}},
		"invalid":           {holding(problem("ServiceMissing")), want{rule: "invalid", reason: "spec.services[0].name is wrong: correct it", phase: v1alpha1.PhaseDegraded, stalled: "ServiceMissing"}},
		"stable broken":     {holding(func(o *Observed) { o.Workload.Revisions[0].Ready = 0 }), want{rule: "stableBroken", reason: "no stable pod is ready: there is nothing to protect, the new template goes on unjudged", effects: []string{"Release"}}},
		"scaled to zero":    {holding(func(o *Observed) { o.Workload.Replicas = 0 }), want{rule: "stableBroken", reason: "the workload is scaled to zero: there is nothing to protect, the new template goes on unjudged", effects: []string{"Release"}}},
		"others still roll": {holding(beside("v1b", 1, true)), want{rule: "resting", reason: "a new template came in the middle of a roll-out: the pods of revision v1b go back to stable v1 first", effects: []string{"Resize"}}},
		"another revision serves": {
			holding(func(o *Observed) { o.Workload.Revisions = nil }, beside("v1b", 4, true)),
			want{rule: "stableBroken", reason: "Deployment checkout is stable at revision v1b, which serves; a newer template is held", record: "details"},
		},
		"route of another Rollout": {
			holding(func(o *Observed) { o.Routes[0].Other = &routers.Split{Service: "cart"} }),
			want{rule: "resting", stalled: "RouteContested", reason: "HTTPRoute shop is split for Service cart by another Rollout: the attempt starts when that one is over"},
		},
		"sweeps": {
			atRest(pinned, beside("v2", 0, false), func(o *Observed) { o.Attempt.Found, o.Routes[0].Divided = true, true }),
			want{rule: "resting", reason: "everything is as Git declares it again", effects: []string{"Unpin", "ClearSplit", "DeleteAttempt", "DropRevision"}},
		},
		"keeps what is in quarantine": {atRest(beside("v2", 0, false), quarantined("v2")), want{rule: "resting", reason: "revision v1 is stable"}},
		"the canary's Service": {
			atRest(func(o *Observed) {
				o.Progress.Retiring = &v1alpha1.RetiringService{Name: "checkout-canary", NotBefore: micro(noon)}
				o.Canary.Found, o.Canary.Foreign = true, true
			}),
			want{rule: "resting", reason: "the canary's Service is gone", record: "details"},
		},
	})
}

func TestStart(t *testing.T) {
	p := Decide(holding(func(o *Observed) {
		o.Workload.Source = "c2"
		o.Progress.Ending = &v1alpha1.Ending{}
		o.Progress.Revert = &v1alpha1.RevertRecord{}
		o.Progress.PromoteFull, o.Progress.Paused, o.Progress.Inconclusive = true, true, "no data"
		o.Progress.Request = "t-1"
		o.Progress.Quarantine = []v1alpha1.QuarantinedRevision{{ReplicaSet: "checkout-v0"}}
	})).Progress
	if p.Attempt != 7 || p.Sequence != 41 || p.Replicas != 4 || p.WorkloadUID != "uid" || p.SnapshotDigest != "d1" || p.CanaryService != "checkout-canary" {
		t.Errorf("attempt begins with %+v", p)
	}
	if c := p.Canary; c == nil || c.Revision != "v2" || c.ReplicaSet != "checkout-v2" || c.Source != "c2" || c.TakenOver {
		t.Errorf("canary is %+v", p.Canary)
	}
	if p.Ending != nil || p.Revert != nil || p.PromoteFull || p.Paused || p.Inconclusive != "" {
		t.Errorf("the attempt before lives on in %+v", p)
	}
	if p.Request != "t-1" || len(p.Quarantine) != 1 || p.Stable.Revision != "v1" {
		t.Errorf("what outlives an attempt is forgotten in %+v", p)
	}
	older := Decide(holding(func(o *Observed) {
		v2 := set("v2", 0)
		v2.Owned, v2.Current = true, true
		o.Workload.Revisions = append(o.Workload.Revisions, v2)
		o.Workload.Candidate = v2
	})).Progress
	if !older.Canary.TakenOver {
		t.Error("a ReplicaSet of the workload is not remembered as taken over")
	}
}

func TestKeepSource(t *testing.T) {
	unknown := func(o *Observed) { o.Progress.Stable.Source = "" }
	agent := func(o *Observed) { o.Workload.Source = "c7" }
	tip := func(question string) edit {
		return func(o *Observed) { o.Git.Tip = &Tip{For: question, Commit: "c8"} }
	}
	quiet := want{rule: "resting", reason: "revision v1 is stable"}
	asked := want{rule: "resting", reason: "revision v1 is stable", effects: []string{"ReadTip"}}
	noted := want{rule: "resting", reason: "revision v1 is stable", record: "details"}
	decide(t, map[string]decision{
		"follows the agent": {atRest(agent), noted},
		"asks Git":          {atRest(unknown), asked},
		"notes the answer":  {atRest(unknown, tip("stable/v1")), noted},
		"another answer":    {atRest(unknown, tip("stable/v0")), asked},
		"no Git":            {atRest(unknown, func(o *Observed) { o.Git.Configured = false }), quiet},
		"no access":         {atRest(unknown, func(o *Observed) { o.Git.Problem = &Problem{} }), quiet},
	})
	for name, tc := range map[string]struct {
		state Observed
		want  string
	}{"agent": {atRest(agent), "c7"}, "Git": {atRest(unknown, tip("stable/v1")), "c8"}} {
		if got := Decide(tc.state).Progress.Stable.Source; got != tc.want {
			t.Errorf("%s: source is %s, want %s", name, got, tc.want)
		}
	}
}
