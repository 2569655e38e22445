package outcomes

// The cells by kind. A foreign write never ends an intent; what it changes of
// Git's own content goes through.

var deploymentCells = []cell{
	{by: "server-side apply", state: atRest, form: "image v1; rollout web", pods: "v1"},
	{by: "server-side apply", state: inFlight, form: "image v2, paused; rollout web; hold 7.1/false", pods: "v1", after: "image v2; rollout web"},

	{by: "server-side apply, forced, against the intent", state: atRest, form: "image v1; rollout web", pods: "v1"},
	// An annotation of a Deployment moves its generation; the next apply changes nothing more.
	{by: "server-side apply, forced, against the intent", state: inFlight, moves: 1, pods: "v1",
		form: "image v2, paused; rollout web; hold 7.1/false; contested-by agent", after: "image v2; rollout web"},

	{by: "client-side apply", state: atRest, form: "image v1; rollout web", pods: "v1"},
	{by: "client-side apply", state: inFlight, form: "image v2, paused; rollout web; hold 7.1/false", pods: "v1", after: "image v2; rollout web"},

	{by: "PUT of a copy from before the attempt", state: atRest, form: "image v1; rollout web", pods: "v1"},
	// The old template goes through (it is what a revert does) and stays held until the controller lets go.
	{by: "PUT of a copy from before the attempt", state: inFlight, moves: 1, drifts: true, owners: "agent, tool (update)", pods: "v1",
		form: "image v1, paused; rollout web; hold 7.1/false; contested-by alice", after: "image v1; rollout web"},

	// The copy brings the bad template back, so it is a change like any other: held anew, by the policy's own number.
	{by: "PUT of a copy from the attempt", state: atRest, moves: 1, drifts: true, owners: "agent, tool (update)", pods: "v1",
		form: "image v2, paused; rollout web; hold 0.0/false"},
	{by: "PUT of a copy from the attempt", state: inFlight, form: "image v2, paused; rollout web; hold 7.1/false", pods: "v1", after: "image v2; rollout web"},

	{by: "JSON patch removes", state: atRest, form: "image v1; rollout web", pods: "v1"},
	{by: "JSON patch removes", state: inFlight, moves: 1, pods: "v1",
		form: "image v2, paused; rollout web; hold 7.1/false; contested-by alice", after: "image v2; rollout web"},

	// A hold that nobody placed ends at once, and leaves paused as it says: a person who may write this may pause.
	{by: "JSON patch forges", state: atRest, moves: 1, owners: "agent, tool (update)", form: "image v1, paused; rollout web", pods: "v1"},
	{by: "JSON patch forges", state: inFlight, moves: 1, owners: "agent, tool (update)", pods: "v1",
		form: "image v2, paused; rollout web; hold 7.1/false; contested-by alice", after: "image v2; rollout web"},

	// Deleting a workload kills its pods in any case; the new one is not governed until the controller says so.
	{by: "delete and create", state: atRest, form: "image v1", pods: "v1"},
	{by: "delete and create", state: inFlight, form: "image v2", pods: "v2", after: "image v2"},
	{by: "delete and create from a copy of the attempt", state: atRest, form: "image v2", owners: "tool (update)", drifts: true, pods: "v2"},
	{by: "delete and create from a copy of the attempt", state: inFlight, form: "image v2", owners: "tool (update)", pods: "v2", after: "image v2"},

	{by: "scale", state: atRest, moves: 1, drifts: true, owners: "agent, tool (update)", form: "image v1; rollout web", pods: "v1"},
	{by: "scale", state: inFlight, moves: 1, drifts: true, owners: "agent, tool (update)", pods: "v1",
		form: "image v2, paused; rollout web; hold 7.1/false", after: "image v2; rollout web"},

	{by: "rollout undo", state: atRest, moves: 1, drifts: true, owners: "agent, tool (update)", pods: "v1",
		form: "image v0, paused; rollout web; hold 0.0/false"},
	{by: "rollout undo", state: inFlight, moves: 1, drifts: true, owners: "agent, tool (update)", pods: "v1",
		form: "image v0, paused; rollout web; hold 7.1/false; contested-by alice", after: "image v0; rollout web"},

	// A restart is no release.
	{by: "rollout restart", state: atRest, moves: 1, owners: "agent, tool (update)", form: "image v1; rollout web", pods: "v1 v1"},
	{by: "rollout restart", state: inFlight, moves: 1, owners: "agent, tool (update)", pods: "v1",
		form: "image v2, paused; rollout web; hold 7.1/false", after: "image v2; rollout web"},

	{by: "rollout resume", state: atRest, form: "image v1; rollout web", pods: "v1"},
	// To the first evaluation the manifest looks changed; to the last it does not, and what was held is let go.
	{by: "server-side apply every second, beside a webhook", state: atRest, form: "image mirror/v1; rollout web", pods: "mirror/v1"},
	{by: "server-side apply every second, beside a webhook", state: inFlight, pods: "mirror/v1",
		form: "image mirror/v2, paused; rollout web; hold 7.1/false", after: "image mirror/v2; rollout web"},

	{by: "rollout resume", state: inFlight, moves: 1, pods: "v1",
		form: "image v2, paused; rollout web; hold 7.1/false; contested-by alice", after: "image v2; rollout web"},
}

const pinned = "app=web, pod-template-hash=abc12; pin " + pin

// A Service has no generation.
var serviceCells = []cell{
	{by: "server-side apply", state: atRest, form: "app=web"},
	{by: "server-side apply", state: inFlight, form: pinned, after: "app=web"},

	// Another selector is Git's to choose, and is pinned like the first.
	{by: "server-side apply, forced, against the intent", state: atRest, form: "app=web, tier=front"},
	{by: "server-side apply, forced, against the intent", state: inFlight,
		form: "app=web, pod-template-hash=abc12, tier=front; pin " + pin, after: "app=web, tier=front"},

	{by: "client-side apply", state: atRest, form: "app=web"},
	{by: "client-side apply", state: inFlight, form: pinned, after: "app=web"},

	{by: "PUT of a copy from before the attempt", state: atRest, form: "app=web"},
	{by: "PUT of a copy from before the attempt", state: inFlight, form: pinned + "; contested-by alice", after: "app=web"},

	// What the tool owns is the annotation that it brought in vain.
	{by: "PUT of a copy from the attempt", state: atRest, owners: "agent, tool (update)", form: "app=web"},
	{by: "PUT of a copy from the attempt", state: inFlight, form: pinned, after: "app=web"},

	{by: "JSON patch removes", state: atRest, form: "app=web"},
	{by: "JSON patch removes", state: inFlight, form: pinned + "; contested-by alice", after: "app=web"},

	{by: "JSON patch forges", state: atRest, owners: "agent, tool (update)", form: "app=web"},
	{by: "JSON patch forges", state: inFlight, owners: "agent, tool (update)", form: pinned + "; contested-by alice", after: "app=web"},

	{by: "server-side apply every second, beside a webhook", state: atRest, form: "app=web"},
	{by: "server-side apply every second, beside a webhook", state: inFlight, form: pinned, after: "app=web"},

	// Here no attempt has a ConfigMap; recreated_test.go has the cells with one.
	{by: "delete and create", state: atRest, form: "app=web"},
	{by: "delete and create", state: inFlight, form: "app=web", after: "app=web"},
	{by: "delete and create from a copy of the attempt", state: atRest, owners: "tool (update)", form: "app=web"},
	{by: "delete and create from a copy of the attempt", state: inFlight, owners: "tool (update)", form: "app=web", after: "app=web"},
}

const (
	whole   = "web 90, other 10"
	divided = "web 8550, web-canary 450, other 1000; split " + split
)

var routeCells = []cell{
	{by: "server-side apply", state: atRest, form: whole},
	{by: "server-side apply", state: inFlight, form: divided, after: whole},

	// Other weights are Git's to choose, and are the new shares under the split.
	{by: "server-side apply, forced, against the intent", state: atRest, moves: 1, form: "web 70, other 30"},
	{by: "server-side apply, forced, against the intent", state: inFlight, moves: 1,
		form: "web 6650, web-canary 350, other 3000; split " + split, after: "web 70, other 30"},

	{by: "client-side apply", state: atRest, form: whole},
	{by: "client-side apply", state: inFlight, form: divided, after: whole},

	{by: "PUT of a copy from before the attempt", state: atRest, form: whole},
	{by: "PUT of a copy from before the attempt", state: inFlight, form: divided + "; contested-by alice", after: whole},

	// What the tool owns is the annotation that it brought in vain.
	{by: "PUT of a copy from the attempt", state: atRest, owners: "agent, tool (update)", form: whole},
	{by: "PUT of a copy from the attempt", state: inFlight, form: divided, after: whole},

	{by: "JSON patch removes", state: atRest, form: whole},
	{by: "JSON patch removes", state: inFlight, form: divided + "; contested-by alice", after: whole},

	{by: "JSON patch forges", state: atRest, owners: "agent, tool (update)", form: whole},
	{by: "JSON patch forges", state: inFlight, owners: "agent, tool (update)", form: divided + "; contested-by alice", after: whole},

	{by: "server-side apply every second, beside a webhook", state: atRest, form: whole},
	{by: "server-side apply every second, beside a webhook", state: inFlight, form: divided, after: whole},

	{by: "delete and create", state: atRest, form: whole},
	{by: "delete and create", state: inFlight, form: whole, after: whole},
	{by: "delete and create from a copy of the attempt", state: atRest, owners: "tool (update)", form: whole},
	{by: "delete and create from a copy of the attempt", state: inFlight, owners: "tool (update)", form: whole, after: whole},
}
