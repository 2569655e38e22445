package crashpoints

import (
	"strings"
	"sync"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/tell"
)

// tale is a release that is told again and again, each time with a death at another point.
type tale struct {
	name, steps string
	// rungs of the ladder that the canary gets to, and how long each has to last: settle time and bake.
	rungs []tell.Rung
	told  func(*shop)
	// whole: the writes by which the shop comes under guard belong to it, too.
	whole bool
	// writes that every telling has, in whatever order and with whatever beside them.
	writes []string

	// end is what the undisturbed telling came to, when ended is closed.
	end   string
	ended chan struct{}
}

const settle = time.Second

// push is the name of what is no write to the API server and a point all the same: the commit is on its way to Git.
const push = "push"

func tales() []*tale {
	return []*tale{
		{
			name: "good", whole: true, told: good, writes: goodWrites(), steps: "[{weight: 50, bake: 2s}, {weight: 100, bake: 1s}]",
			ended: make(chan struct{}),
			rungs: []tell.Rung{{Share: "50%", Least: settle + 2*time.Second}, {Share: "100%", Least: settle + time.Second}},
		},
		// So long a bake that the verdict falls in it, however slow the machine is.
		{name: "bad", told: bad, writes: badWrites(), ended: make(chan struct{}), steps: "[{weight: 50, bake: 30s}, {weight: 100, bake: 1s}]"},
	}
}

func goodWrites() []string {
	return []string{
		"patch rollouts finalizer", "patch deployments +ignore-template-changes", "record Resting",
		"record Pinning", "patch deployments +hold", "post configmaps", "post services", "patch services +pin", splitTo("0%"),
		"record Stepping 1", "post replicasets of Rollout replicas 1", splitTo("50%"), "record Stepping 1 programmed",
		"record Stepping 2", "patch replicasets replicas 2", splitTo("100%"), "record Stepping 2 programmed",
		"record Unpinning", "patch services -contested-by -pin", "record HandingOver", "patch replicasets of Deployment", release,
		"record Completing", "record Clearing", "patch httproutes -contested-by -split", "delete configmaps", "record Resting again",
		"delete services", "record retiring",
	}
}

func badWrites() []string {
	return []string{
		"record Pinning", "patch deployments +hold", "post configmaps", "post services", "patch services +pin", splitTo("0%"),
		"record Stepping 1", "post replicasets of Rollout replicas 1", splitTo("50%"), "record Stepping 1 programmed",
		"record Aborting", "patch httproutes -contested-by -split", "record Draining",
		"record revert Wanted", "record revert Planned", "record revert Pushed",
		"record Retiring", "patch replicasets replicas 0", "patch services -contested-by -pin", "delete configmaps",
		"record Held", release, "record Resting again", "delete services", "record retiring",
	}
}

// release is the name of the write that takes the hold off.
const release = "patch deployments -contested-by -held -hold"

// good: v2 goes up the ladder and the Deployment takes its pods over. No step is shorter than it is to be, no pod
// restarts, nobody writes to Git, no request is lost.
func good(s *shop) {
	weights, ever := s.EveryWeight(), s.EveryPod("shop:v2")
	sha := s.Ship("shop:v2")

	s.await(2*time.Minute, "v2 is promoted", func(r *v1alpha1.Rollout) bool {
		return r.Status.Phase == v1alpha1.PhaseHealthy && r.Status.Stable.Image == "shop:v2" && r.Status.Canary == nil
	})
	s.rests()

	s.shares(weights(), "0%", "50%", "100%", "open", "0%")
	s.notShortened()
	s.SamePods("v2, and all that ever were", ever(), s.Pods())
	s.NoCommit(sha)
	s.NoRequestLost()
}

// bad: v3 loses its traffic and leaves Git by one commit. It gets no share back, no stable pod restarts, and no request
// fails but by v3's own answers.
func bad(s *shop) {
	weights, stable := s.EveryWeight(), s.Pods()
	if s.mortal.at(point{push, before}) {
		s.Repo.BeforePush(sync.OnceFunc(func() { s.mortal.die() }))
	}
	sha := s.Ship("shop:v3")

	s.await(2*time.Minute, "v3 is out of Git", func(r *v1alpha1.Rollout) bool {
		p := r.Status.Progress
		return p.Revert != nil && reverted(p.Revert.State)
	})
	s.rests()

	s.shares(weights(), "0%", "50%", "0%", "open")
	s.SamePods("v1", stable, s.Pods())
	c := s.OneRevert(sha)
	if h := s.Rollout().Status.History; len(h) != 1 || h[0].Commit != c.SHA {
		s.T.Errorf("the history is %+v, want one attempt and the commit %s", h, c.SHA)
	}
	s.OnlyFailed("v3")
}

// reverted says that a failed revision is out of Git. A controller that died between its push and the record of it may find,
// when it is back, that the agent was quicker; then it says that nothing was left to do.
func reverted(s v1alpha1.RevertState) bool {
	return s == v1alpha1.RevertPushed || s == v1alpha1.RevertUnneeded
}

// splitTo is the name of the write that gives the canary a share.
func splitTo(share string) string {
	return "patch httproutes +split " + strings.TrimSuffix(share, "%") + "/100"
}
