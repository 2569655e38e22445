package plan

// rules in the order in which they decide. What protects users stands before what makes progress.
var rules = []rule{
	{"newerProgress", newerProgress},       // written by a newer controller: hands off
	{"deleted", deleted},                   // the Rollout goes: back to stable, then everything of ours off
	{"abortRequested", abortRequested},     // a person wants it to end
	{"aborted", aborted},                   // decided: traffic first, then pods, then the rest
	{"superseded", superseded},             // the template under judgement is not the workload's any more
	{"workloadFailed", workloadFailed},     // pods or routes did not come up in time
	{"analysisFailed", analysisFailed},     // a verdict says so
	{"snapshotLost", snapshotLost},         // nobody can say any more what the attempt was to do
	{"canaryLost", canaryLost},             // weight without a ready pod: to zero at once
	{"handOver", handOver},                 // judged good: finish what cannot be taken back
	{"frozenTooLong", frozenTooLong},       // suspended or invalid beyond the deadline: back to stable
	{"ungoverned", ungoverned},             // put finalizer and label on; a problem comes first
	{"requested", requested},               // pause, resume, retry, promote
	{"adopting", adopting},                 // nothing known to be stable yet
	{"held", held},                         // a failed revision is in the workload
	{"stableBroken", stableBroken},         // nothing to protect: do not block the fix
	{"suspended", suspended},               // no new attempt
	{"invalid", invalid},                   // no new attempt either
	{"resting", resting},                   // a new template starts an attempt
	{"pinning", pinning},                   // stable is pinned before a canary pod exists
	{"stableLost", stableLost},             // users are on a stable that is gone: do not block the fix
	{"upkeep", upkeep},                     // pins and the canary's Service stay as they were made
	{"podsPending", podsPending},           // scale up before traffic
	{"trafficPending", trafficPending},     // then the weight, programmed
	{"clockStopped", clockStopped},         // then the clock
	{"stepUnfinished", stepUnfinished},     // bake and verdicts
	{"waitingForPerson", waitingForPerson}, // paused, inconclusive, frozen
	{"stepFinished", stepFinished},         // next rung
	{"finished", finished},                 // judged good
}
