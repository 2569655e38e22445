package plan

import (
	"testing"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
)

func TestHandOver(t *testing.T) {
	endpoints := func(n int32) edit { return func(o *Observed) { o.Services[0].Ready["v2"] = n } }
	unpinned := func(o *Observed) { o.Services[0].Pin, o.Services[0].Pinned = nil, false }
	since := func(d time.Duration) edit { return func(o *Observed) { o.Progress.StageSince = micro(noon.Add(-d)) } }
	released := func(o *Observed) { o.Workload.Held = false }
	oldLeft := func(o *Observed) { r := set("v1", 1); r.Owned = true; o.Workload.Revisions[0] = r }
	held := func(o *Observed) { o.Workload.Held, o.Workload.Settled = true, false }
	ready := func(n int32) edit {
		return func(o *Observed) { r := &o.Workload.Revisions[1]; r.Ready, r.Available = n, n }
	}
	gone := func(o *Observed) { o.Workload.Revisions = o.Workload.Revisions[:1] }
	silent := func(o *Observed) { o.Routes[0].Programmed, o.Routes[0].Why = false, "Gateway edge is silent" }
	done := func(o *Observed) { o.Attempt = AttemptState{} }
	oldEndpoints := func(o *Observed) { o.Services[0].Ready["v1"] = 1 }
	clearedFor := func(d time.Duration) edit { return func(o *Observed) { o.Progress.ClearedAt = microPtr(noon.Add(-d)) } }
	left := 10*time.Minute - time.Second
	unpinning, handingOver, completing, clearing := v1alpha1.StageUnpinning, v1alpha1.StageHandingOver, v1alpha1.StageCompleting, v1alpha1.StageClearing
	letGo := "waits until Deployment checkout has let the old revision go"
	back := want{rule: "handOver", reason: "the routes are to go back to Git's form", record: "Clearing"}
	decide(t, map[string]decision{
		"unpinning":                    {handing(unpinning), want{rule: "handOver", reason: "the Services take the canary's pods in", phase: v1alpha1.PhaseProgressing, effects: []string{"Unpin"}}},
		"unpinning: pods":              {handing(unpinning, unpinned, ready(3)), want{rule: "handOver", reason: "waits until 4 canary pods are available, 3 are", wake: left}},
		"unpinning: endpoints":         {handing(unpinning, unpinned, endpoints(3)), want{rule: "handOver", reason: "waits until Service checkout has 4 endpoints of the canary, it has 3", wake: left}},
		"unpinned":                     {handing(unpinning, unpinned, endpoints(4)), want{rule: "handOver", reason: "every Service carries the canary's pods: the workload takes them over", record: "HandingOver"}},
		"adopts":                       {handing(handingOver), want{rule: "handOver", reason: "the workload takes the canary's ReplicaSet over", effects: []string{"Adopt"}}},
		"adopts when all are ready":    {handing(handingOver, ready(3)), want{rule: "handOver", reason: "waits until 4 canary pods are available, 3 are", wake: left}},
		"adopted":                      {handing(handingOver, adopted()), want{rule: "handOver", reason: "the hold goes: the canary's pods are the workload's own", effects: []string{"Release"}}},
		"released":                     {handing(handingOver, adopted(), released), want{rule: "handOver", reason: "revision v2 is stable now; the workload lets the old one go", record: "Completing"}},
		"adopted, and a newer one":     {handing(handingOver, adopted(), template("v3")), want{rule: "handOver", reason: "revision v2 is stable now; the workload lets the old one go", record: "Completing"}},
		"a newer one before":           {handing(handingOver, template("v3")), want{rule: "handOver", reason: "the hand-over is called off: a newer template came before the workload took the canary over", phase: v1alpha1.PhaseProgressing, record: "called off"}},
		"the ReplicaSet is gone":       {handing(handingOver, gone), want{rule: "handOver", reason: "Deployment checkout or the canary's ReplicaSet was deleted at the hand-over", record: "Aborting, outcome Superseded"}},
		"completing":                   {handing(completing), back},
		"completing: old pods":         {handing(completing, oldLeft), want{rule: "handOver", reason: letGo, wake: left}},
		"completing: not settled":      {handing(completing, func(o *Observed) { o.Workload.Settled = false }), want{rule: "handOver", reason: letGo, wake: left}},
		"completing: too few pods":     {handing(completing, ready(3)), want{rule: "handOver", reason: letGo, wake: left}},
		"completing: a pod never came": {handing(completing, ready(3), since(10*time.Minute)), back},
		"completing: old pods remain": {
			handing(completing, oldLeft, since(10*time.Minute)),
			want{rule: "handOver", stalled: "HandOverIncomplete",
				reason: "Deployment checkout has not let the old revision go within 10m0s: its conditions say why; all traffic is on the promoted revision"},
		},
		"completing: a newer template came":            {handing(completing, oldLeft, held), want{rule: "handOver", reason: "the old revision ends", effects: []string{"Resize"}}},
		"completing: a newer template, and no old pod": {handing(completing, held), back},
		"completing: a newer template mends it":        {handing(completing, oldLeft, held, ready(0)), back},
		"completing: a newer template, some pods fail": {handing(completing, oldLeft, held, ready(2)), want{rule: "handOver", reason: letGo, wake: left}},
		"completing: recreated":                        {handing(completing, func(o *Observed) { o.Workload.UID = "another" }), back},
		"a Service was recreated with its pin":         {handing(completing, func(o *Observed) { o.Services[0].Pin = &routers.Pin{} }), want{rule: "handOver", reason: "the Services take the canary's pods in", effects: []string{"Unpin"}}},
		"completing: a Service lags":                   {handing(completing, oldEndpoints), want{rule: "handOver", reason: "waits until Service checkout has let the old revision go", wake: left}},
		"completing: a Service lags for ever":          {handing(completing, oldEndpoints, since(10*time.Minute)), back},
		"clearing: gateways lag behind the endpoints":  {handing(clearing), want{rule: "handOver", reason: "the gateways learn which pods stand behind the Services now", phase: v1alpha1.PhaseProgressing, wake: 2 * time.Second}},
		"clearing":                       {handing(clearing, since(3*time.Second)), want{rule: "handOver", reason: "the routes go back to Git's form", effects: []string{"ClearSplit"}}},
		"clearing: gateway":              {handing(clearing, cleared, silent, since(4*time.Second)), want{rule: "handOver", reason: "waits until HTTPRoute shop is programmed: Gateway edge is silent", wake: left}},
		"clearing: gateway stays silent": {handing(clearing, cleared, silent, since(10*time.Minute+3*time.Second)), want{rule: "handOver", reason: "the gateways settle", phase: v1alpha1.PhaseProgressing, record: "cleared"}},
		"cleared":                        {handing(clearing, cleared, since(5*time.Second)), want{rule: "handOver", reason: "the gateways settle", record: "cleared"}},
		"cleared: settles":               {handing(clearing, cleared, since(5*time.Second), clearedFor(time.Second)), want{rule: "handOver", reason: "the gateways settle", wake: 2 * time.Second}},
		"cleared: a split comes back":    {handing(clearing, since(9*time.Second), clearedFor(time.Second)), want{rule: "handOver", reason: "the routes go back to Git's form", effects: []string{"ClearSplit"}}},
		"cleared: parameters":            {handing(clearing, cleared, since(8*time.Second), clearedFor(3*time.Second)), want{rule: "handOver", reason: "the attempt's parameters go", effects: []string{"DeleteAttempt"}}},
		"promoted":                       {handing(clearing, cleared, done, since(8*time.Second), clearedFor(3*time.Second)), want{rule: "handOver", reason: "revision v2 is promoted", phase: v1alpha1.PhaseHealthy, record: "Resting, outcome Promoted"}},
	})
}

func TestPromoted(t *testing.T) {
	p := Decide(handing(v1alpha1.StageClearing, cleared, func(o *Observed) {
		o.Attempt, o.Progress.StageSince, o.Progress.ClearedAt = AttemptState{}, micro(noon.Add(-time.Minute)), microPtr(noon.Add(-50*time.Second))
	}))
	after := p.Progress
	if after.Canary != nil || after.Step != 0 || after.WeightPermille != 0 || after.Stable.Revision != "v2" {
		t.Errorf("at rest with %+v", after)
	}
	if r := after.Retiring; r == nil || r.Name != "checkout-canary" || !r.NotBefore.Time.Equal(noon.Add(time.Minute)) {
		t.Errorf("the canary's Service is kept until %+v", after.Retiring)
	}
	if at := after.ClearedAt; at == nil || !at.Equal(microPtr(noon.Add(-50*time.Second))) {
		t.Errorf("the split is said to be cleared at %v", at)
	}
	if a := p.Ended; a == nil || a.Outcome != v1alpha1.OutcomePromoted || a.Attempt != 7 || a.Revision != "v2" || a.Step != "3/3" || a.Duration != "5s" {
		t.Errorf("history says %+v", p.Ended)
	}
	stable := Decide(handing(v1alpha1.StageHandingOver, adopted(), func(o *Observed) { o.Workload.Held = false })).Progress.Stable
	if *stable != (v1alpha1.RevisionRecord{Revision: "v2", ReplicaSet: "checkout-v2", Image: "shop:v2", Source: "c2"}) {
		t.Errorf("stable is recorded as %+v", stable)
	}
}

// When the routes were seen in Git's form is remembered, and the status says at once what is waited for.
func TestClearedIsRemembered(t *testing.T) {
	p := Decide(handing(v1alpha1.StageClearing, cleared, func(o *Observed) { o.Progress.StageSince = micro(noon.Add(-time.Minute)) }))
	if at := p.Progress.ClearedAt; at == nil || !at.Equal(microPtr(noon)) || p.Progress.Stage != v1alpha1.StageClearing {
		t.Errorf("recorded is %+v", p.Progress)
	}
	if w := p.Waiting; !p.Quiet || w == nil || w.For != "the gateways settle" || !w.Until.Time.Equal(noon.Add(3*time.Second)) {
		t.Errorf("told is %+v, quiet: %t", p.Waiting, p.Quiet)
	}
}

func TestAborted(t *testing.T) {
	reason := "error-rate is 0.2 (result < 0.01)"
	on := "all traffic is on stable; the canary finishes what it has begun"
	failed := v1alpha1.OutcomeFailed
	aborting, draining, retiring := v1alpha1.StageAborting, v1alpha1.StageDraining, v1alpha1.StageRetiring
	silent := func(o *Observed) { o.Routes[0].Programmed, o.Routes[0].Why = false, "Gateway edge is silent" }
	since := func(d time.Duration) edit { return func(o *Observed) { o.Progress.StageSince = micro(noon.Add(-d)) } }
	recreated := func(o *Observed) { o.Workload.UID = "another" }
	unpinned := func(o *Observed) { o.Services[0].Pin, o.Services[0].Pinned = nil, false }
	noParameters := func(o *Observed) { o.Attempt = AttemptState{} }
	taken := func(o *Observed) { o.Progress.Canary.TakenOver = true }
	clearedAt := func(d time.Duration) edit { return func(o *Observed) { o.Progress.ClearedAt = microPtr(noon.Add(-d)) } }
	decide(t, map[string]decision{
		"traffic":                          {endingAt(aborting, failed), want{rule: "aborted", reason: reason, phase: v1alpha1.PhaseAborted, effects: []string{"ClearSplit"}}},
		"traffic, Services unpinned again": {endingAt(aborting, failed, unpinned), want{rule: "aborted", reason: reason, effects: []string{"Pin", "ClearSplit"}}},
		"traffic, workload recreated":      {endingAt(aborting, failed, recreated), want{rule: "aborted", reason: reason, effects: []string{"ClearSplit", "Unpin"}}},
		"traffic is back, the pin is not":  {endingAt(aborting, failed, cleared, unpinned), want{rule: "aborted", reason: reason, effects: []string{"Pin"}}},
		"traffic is back":                  {endingAt(aborting, failed, cleared), want{rule: "aborted", reason: reason, record: "Draining, revert Wanted"}},
		"drains":                           {endingAt(draining, failed), want{rule: "aborted", reason: on, wake: 32 * time.Second}},
		"drains: gateway":                  {endingAt(draining, failed, silent), want{rule: "aborted", reason: "all traffic is written back to stable; waits until HTTPRoute shop is programmed: Gateway edge is silent", wake: 10*time.Minute - time.Second}},
		"drains: gateway stays silent":     {endingAt(draining, failed, silent, since(10*time.Minute), clearedAt(10*time.Minute)), want{rule: "aborted", reason: "the canary has drained", record: "Retiring"}},
		"drains: nobody is there":          {endingAt(draining, failed, canaryPods(0, 0)), want{rule: "aborted", reason: "the canary has drained", record: "Retiring"}},
		"drains: workload recreated":       {endingAt(draining, failed, recreated), want{rule: "aborted", reason: reason, effects: []string{"Unpin"}}},
		"drained":                          {endingAt(draining, failed, clearedAt(33*time.Second)), want{rule: "aborted", reason: "the canary has drained", record: "Retiring"}},
		"pods":                             {endingAt(retiring, failed), want{rule: "aborted", reason: "the canary's pods end", effects: []string{"Canaries"}}},
		"pods end":                         {endingAt(retiring, failed, canaryPods(0, 0), func(o *Observed) { o.Workload.Revisions[1].Present = 1 }), want{rule: "aborted", reason: "waits until the canary's pods have ended"}},
		"unpins":                           {endingAt(retiring, failed, canaryPods(0, 0)), want{rule: "aborted", reason: "the Services select by the user's own selectors again", effects: []string{"Unpin"}}},
		"parameters":                       {endingAt(retiring, failed, canaryPods(0, 0), unpinned), want{rule: "aborted", reason: "the attempt's parameters go", effects: []string{"DeleteAttempt"}}},
		"held":                             {endingAt(retiring, failed, canaryPods(0, 0), unpinned, noParameters), want{rule: "aborted", reason: reason, record: "Held, 1 in quarantine"}},
		"held, taken over":                 {endingAt(retiring, failed, canaryPods(0, 0), unpinned, noParameters, taken), want{rule: "aborted", reason: reason, record: "Held, 1 in quarantine"}},
		"given back":                       {endingAt(retiring, failed, canaryPods(0, 0), unpinned, noParameters, taken, template("v3")), want{rule: "aborted", reason: "the ReplicaSet goes back to the workload", effects: []string{"ReturnRevision"}}},
		"superseded": {
			endingAt(retiring, v1alpha1.OutcomeSuperseded, canaryPods(0, 0), unpinned, noParameters),
			want{rule: "aborted", reason: reason, phase: v1alpha1.PhasePending, record: "Resting"},
		},
		"no ReplicaSet ever": {
			endingAt(retiring, failed, unpinned, noParameters, func(o *Observed) { o.Workload.Revisions = o.Workload.Revisions[:1]; o.Progress.CanaryService = "" }),
			want{rule: "aborted", reason: reason, record: "Held, 1 in quarantine"},
		},
	})
	p := Decide(endingAt(aborting, failed))
	if !p.Breach.Equal(noon.Add(-2 * time.Second)) {
		t.Errorf("the breach was at %v", p.Breach)
	}
	if s, ok := Decide(endingAt(retiring, failed)).Effects[0].(Canaries); !ok || s.Size != 0 {
		t.Errorf("pods end as %+v", s)
	}
}

func TestClosed(t *testing.T) {
	p := Decide(endingAt(v1alpha1.StageRetiring, v1alpha1.OutcomeFailed, canaryPods(0, 0), func(o *Observed) {
		o.Services[0].Pin, o.Attempt = nil, AttemptState{}
		o.Progress.Revert = &v1alpha1.RevertRecord{State: v1alpha1.RevertPushed, Commit: "r1"}
		for _, v := range []string{"a", "b", "checkout-v2", "c", "d", "e"} {
			o.Progress.Quarantine = append(o.Progress.Quarantine, v1alpha1.QuarantinedRevision{ReplicaSet: v})
		}
	}))
	if q := p.Progress.Quarantine; len(q) != 5 || q[0].ReplicaSet != "checkout-v2" || q[0].Reason == "" || q[1].ReplicaSet != "a" || q[4].ReplicaSet != "d" {
		t.Errorf("in quarantine: %+v", q)
	}
	if r := p.Progress.Retiring; r == nil || !r.NotBefore.Time.Equal(noon.Add(25*time.Second)) {
		t.Errorf("the canary's Service is kept until %+v", p.Progress.Retiring)
	}
	if a := p.Ended; a == nil || a.Outcome != v1alpha1.OutcomeFailed || a.Commit != "r1" || a.Step != "2/3" || a.Duration != "3s" || a.Image != "shop:v2" {
		t.Errorf("history says %+v", p.Ended)
	}
}

// Which endings Git has to follow.
func TestWantedRevert(t *testing.T) {
	at := func(outcome v1alpha1.Outcome, edits ...edit) Observed {
		return endingAt(v1alpha1.StageAborting, outcome, append([]edit{cleared}, edits...)...)
	}
	tests := map[string]struct {
		state Observed
		want  string
	}{
		"failed":      {at(v1alpha1.OutcomeFailed), "Wanted"},
		"aborted":     {at(v1alpha1.OutcomeAborted), "Wanted"},
		"timed out":   {at(v1alpha1.OutcomeTimedOut), "Wanted"},
		"undecided":   {at(v1alpha1.OutcomeUndecided), "Skipped NotNeeded"},
		"superseded":  {at(v1alpha1.OutcomeSuperseded), "Skipped NotNeeded"},
		"withdrawn":   {at(v1alpha1.OutcomeWithdrawn), "Skipped NotNeeded"},
		"deleted":     {at(v1alpha1.OutcomeAborted, func(o *Observed) { o.Deleting = true }), "Skipped RolloutDeleted"},
		"no Git":      {at(v1alpha1.OutcomeFailed, func(o *Observed) { o.Git.Configured = false }), "Skipped NoGit"},
		"off":         {at(v1alpha1.OutcomeFailed, func(o *Observed) { o.Git.Off = "mode is Off" }), "Skipped Off"},
		"no source":   {at(v1alpha1.OutcomeFailed, func(o *Observed) { o.Progress.Stable.Source = "" }), "Skipped NoStableSource"},
		"no stable":   {at(v1alpha1.OutcomeFailed, func(o *Observed) { o.Progress.Stable, o.Services = nil, nil }), "Skipped NoStableSource"},
		"still wants": {at(v1alpha1.OutcomeFailed, func(o *Observed) { o.Git.Problem = &Problem{"RepositoryMissing", ""} }), "Wanted"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := Decide(tc.state)
			if p.Progress == nil || p.Progress.Stage != v1alpha1.StageDraining {
				t.Fatalf("decided %+v", p)
			}
			if got := revertState(*p.Progress); got != tc.want {
				t.Errorf("revert is %s, want %s", got, tc.want)
			}
		})
	}
}

func TestRevert(t *testing.T) {
	fresh := func(r v1alpha1.RevertRecord, edits ...edit) Observed {
		return heldState(append([]edit{wanting(r), func(o *Observed) { o.Progress.Ending.At = micro(noon.Add(-time.Minute)) }}, edits...)...)
	}
	bounds := v1alpha1.RevertRecord{Stable: "c1", Failed: "c2"}
	planned := v1alpha1.RevertRecord{State: v1alpha1.RevertPlanned, Stable: "c1", Failed: "c2", Key: "key", Commit: "r1"}
	behind := v1alpha1.RevertRecord{Stable: "c1", Failed: "c2", Barrier: "c9", BarrierSince: microPtr(noon.Add(-time.Minute))}
	says := func(a Answer) edit {
		return func(o *Observed) {
			if a.For == "" {
				a.For = o.order()
			}
			o.Git.Answer = &a
		}
	}
	located := func(question string) edit {
		return func(o *Observed) { o.Git.Located = &Located{For: question, Stable: "c1", Failed: "c2"} }
	}
	text := "revision v2 is held (error-rate is 0.2 (result < 0.01)); stable serves until Git or a person takes the template back"
	maxAge := 59*time.Minute + time.Second
	asks := func(kind string) want {
		return want{rule: "held", reason: text, phase: v1alpha1.PhaseReverting, effects: []string{kind}, wake: maxAge}
	}
	settled := func(record, reason string) want { return want{rule: "held", reason: reason, record: record} }
	decide(t, map[string]decision{
		"asks for the bounds":        {fresh(v1alpha1.RevertRecord{}), asks("Locate")},
		"bounds of another attempt":  {fresh(v1alpha1.RevertRecord{}, located("6")), asks("Locate")},
		"bounds":                     {fresh(v1alpha1.RevertRecord{}, located("7")), settled("details", "the commit that brought the failed revision is found")},
		"asks for the commit":        {fresh(bounds), asks("Revert")},
		"an older answer":            {fresh(bounds, says(Answer{For: "6/", Result: "Committed"})), asks("Revert")},
		"planned":                    {fresh(bounds, says(Answer{Result: "Planned", Key: "key", Commit: "r1"})), settled("revert Planned", "the revert commit is made and about to be pushed")},
		"planned and recorded":       {fresh(planned, says(Answer{Result: "Planned", Key: "key", Commit: "r1"})), asks("Revert")},
		"beaten, another is planned": {fresh(planned, says(Answer{Result: "Planned", Key: "key", Commit: "r2"})), settled("details", "the revert commit is made and about to be pushed")},
		"committed":                  {fresh(planned, says(Answer{Result: "Committed", Key: "key", Commit: "r1"})), settled("revert Pushed Pushed", "commit r1 takes the failed revision out of Git")},
		"committed and applied":      {fresh(planned, template("v1"), says(Answer{Result: "Committed", Key: "key", Commit: "r1"})), settled("revert Pushed Pushed", "commit r1 takes the failed revision out of Git")},
		"already reverted":           {fresh(bounds, says(Answer{Result: "AlreadyReverted", Commit: "r0"})), settled("revert Unneeded AlreadyReverted", "the failed revision is no longer in Git")},
		"not from Git":               {fresh(bounds, says(Answer{Result: "NotFromGit", Why: "the files are the same"})), settled("revert Unneeded NotFromGit", "the files are the same")},
		"superseded in Git":          {fresh(bounds, says(Answer{Result: "Superseded", Why: "a newer value"})), settled("revert Superseded Superseded", "a newer value")},
		"conflict":                   {fresh(bounds, says(Answer{Result: "Conflict", Why: "structure changed"})), settled("revert Blocked Conflict", "structure changed; take the change out of Git by hand")},
		"denied":                     {fresh(bounds, says(Answer{Result: "PushDenied", Why: "the branch is protected"})), settled("revert Blocked PushDenied", "the branch is protected; take the change out of Git by hand")},
		"stable is back":             {fresh(bounds, template("v1")), settled("revert Unneeded AlreadyReverted", "the stable template is back in the cluster")},
		"newer in the cluster":       {fresh(bounds, template("v3")), settled("revert Superseded Superseded", "a newer template is in the cluster")},
		"too old":                    {fresh(bounds, func(o *Observed) { o.Git.MaxAge = time.Minute - time.Second }), settled("revert Blocked TooOld", "the failure is older than spec.git.maxAge (59s): take the change out of Git by hand")},
		"spec.git taken out":         {fresh(bounds, func(o *Observed) { o.Git = Git{} }), settled("revert Skipped NoGit", "spec.git was taken out: the failed revision stays in Git until a person takes it out")},
		"mode set to Off":            {fresh(bounds, func(o *Observed) { o.Git.Off = "spec.git.mode is Off" }), settled("revert Skipped Off", "spec.git.mode is Off")},
		"no access":                  {fresh(bounds, func(o *Observed) { o.Git.Problem = &Problem{} }), want{rule: "held", reason: text}},
		"head moved":                 {fresh(bounds, says(Answer{Result: "HeadMoved", Head: "c9"})), settled("details", "Git has a newer change of the same files")},
		"head moved further":         {fresh(behind, says(Answer{Result: "HeadMoved", Head: "c10"})), settled("details", "Git has a newer change of the same files")},
		"behind the barrier":         {fresh(behind, says(Answer{Result: "HeadMoved", Head: "c9"})), want{rule: "held", reason: text, wake: 9 * time.Minute}},
		"the agent applied it": {
			fresh(behind, says(Answer{Result: "HeadMoved", Head: "c9"}), func(o *Observed) { o.Workload.Source = "c9" }),
			settled("details", "the newer change is applied and the failing template is still there"),
		},
		"it never was": {
			fresh(behind, says(Answer{Result: "HeadMoved", Head: "c9"}), func(o *Observed) { o.Progress.Revert.BarrierSince = microPtr(noon.Add(-10 * time.Minute)) }),
			settled("details", "the newer change is applied and the failing template is still there"),
		},
		"behind the barrier, the answer was lost": {
			fresh(behind, func(o *Observed) { o.Progress.Revert.BarrierSince = microPtr(noon.Add(-11 * time.Minute)) }),
			want{rule: "held", reason: text, effects: []string{"Revert"}, wake: maxAge},
		},
		"past the barrier": {
			fresh(behind, func(o *Observed) { o.Progress.Revert.Accepted = "c9" }, says(Answer{For: "7/", Result: "HeadMoved", Head: "c9"})),
			asks("Revert"),
		},
		"while it drains": {
			endingAt(v1alpha1.StageDraining, v1alpha1.OutcomeFailed, wanting(bounds)),
			want{rule: "aborted", reason: "all traffic is on stable; the canary finishes what it has begun", phase: v1alpha1.PhaseAborted, effects: []string{"Revert"}, wake: 32 * time.Second},
		},
		"while pods end": {
			endingAt(v1alpha1.StageRetiring, v1alpha1.OutcomeFailed, wanting(bounds)),
			want{rule: "aborted", reason: "the canary's pods end", effects: []string{"Canaries", "Revert"}, wake: time.Hour - time.Second},
		},
		"an answer while pods end": {
			endingAt(v1alpha1.StageRetiring, v1alpha1.OutcomeFailed, wanting(bounds), says(Answer{Result: "Conflict", Why: "structure changed"})),
			want{rule: "aborted", reason: "structure changed; take the change out of Git by hand", phase: v1alpha1.PhaseAborted, record: "revert Blocked Conflict"},
		},
		"never before traffic is back": {
			endingAt(v1alpha1.StageAborting, v1alpha1.OutcomeFailed, wanting(bounds)),
			want{rule: "aborted", reason: "error-rate is 0.2 (result < 0.01)", effects: []string{"ClearSplit"}},
		},
	})
}

func TestRevertRemembers(t *testing.T) {
	asked := func(a Answer) *v1alpha1.RevertRecord {
		o := heldState(wanting(v1alpha1.RevertRecord{Stable: "c1", Failed: "c2"}), func(o *Observed) { o.Progress.Ending.At = micro(noon) })
		a.For = o.order()
		o.Git.Answer = &a
		return Decide(o).Progress.Revert
	}
	if r := asked(Answer{Result: "Planned", Key: "key", Commit: "r1"}); r.Key != "key" || r.Commit != "r1" {
		t.Errorf("planned as %+v", r)
	}
	if r := asked(Answer{Result: "Committed", Key: "key", Commit: "r1"}); r.Key != "key" || r.Commit != "r1" || r.At == nil || r.Message == "" {
		t.Errorf("pushed as %+v", r)
	}
	if r := asked(Answer{Result: "AlreadyReverted", Commit: "r0"}); r.Commit != "r0" {
		t.Errorf("reverted by %+v", r)
	}
	if r := asked(Answer{Result: "HeadMoved", Head: "c9"}); r.Barrier != "c9" || !r.BarrierSince.Equal(microPtr(noon)) {
		t.Errorf("behind %+v", r)
	}
	locate := Decide(heldState(wanting(v1alpha1.RevertRecord{}), func(o *Observed) { o.Progress.Ending.At = micro(noon) })).Effects
	if e, ok := locate[0].(Locate); !ok || e != (Locate{For: "7", Record: "c1", Head: "c2"}) {
		t.Errorf("asked for the bounds with %+v", locate)
	}
}
