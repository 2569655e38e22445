package delivery

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/controllers/gitwork"
	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/controllers/sim/schedule"
	"github.com/belay-dev/belay/gitops"
)

// asDesk has the product's desk take two applications' bad versions out of Git, on a bad day, and tells what happened when.
func asDesk(t *testing.T, seed uint64) (told string, r *Repository, failed []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := schedule.New(seed, noon, synctest.Wait)
		var lines []string
		r = NewRepository(RepositoryOptions{Schedule: s})
		r.OnPush(func(c *Commit) { lines = append(lines, fmt.Sprintf("%s %s %s", s.Now().Sub(noon), c.ID, c.Message)) })
		orders := map[types.NamespacedName]gitwork.Order{}
		var desk *gitwork.Desk
		wake := func(key types.NamespacedName) {
			s.Hand("wakes "+key.Name, func() {
				lines = append(lines, fmt.Sprintf("%s %s %s", s.Now().Sub(noon), key.Name, state(desk.State(key))))
				if a := desk.State(key).Answer; a != nil && a.Result == "Planned" {
					s.After(s.Between(0, 100*time.Millisecond), "record", func() {
						o := orders[key]
						o.Recorded = a.Commit
						desk.Do(key, o)
					})
				}
			})
		}
		desk = gitwork.New(gitwork.Options{Engine: r.Engine("belay-1"), Clock: s.Clock("belay-1", nil), Wake: wake, Log: logr.Discard()})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = desk.Start(ctx) }()
		s.Settle()
		r.Faults = Faults{Down: 0.3, Unanswered: 0.2, Racing: 0.3, Least: time.Second, Most: 20 * time.Second}
		for _, name := range []string{"web", "shop"} {
			a := Application{Namespace: "shop", Name: name, Version: "v1"}
			v1 := r.Push("ada", Change{Message: name, Edit: a.Declare})
			v2 := r.Push("ada", a.Ship("v2"))
			failed = append(failed, v2.ID)
			key := types.NamespacedName{Namespace: "shop", Name: name}
			src := gitops.Source{Branch: "main", Paths: []string{a.Folder()}, Workload: gitops.ObjectRef{Kind: "Deployment", Namespace: "shop", Name: name}}
			orders[key] = gitwork.Order{
				Kind: gitwork.Revert, Name: "1/", Source: src,
				Repository: func(context.Context) (gitops.Repository, error) { return gitops.Repository{URL: r.URL()}, nil },
				Revert:     gitops.Revert{Source: src, Interval: gitops.Interval{Stable: v1.ID, Failed: v2.ID}, Failure: gitops.Failure{Rollout: name, At: noon}},
			}
			desk.Do(key, orders[key])
		}
		s.Settle()
		s.Run(noon.Add(10 * time.Minute))
		r.Faults = Faults{}
		s.Run(noon.Add(30 * time.Minute))
		cancel()
		s.Settle()
		told = strings.Join(lines, "\n")
	})
	return told, r, failed
}

func state(g plan.Git) string {
	switch {
	case g.Failure != nil:
		return g.Failure.Reason
	case g.Answer != nil:
		return g.Answer.Result + " " + g.Answer.Commit
	}
	return "nothing"
}

func TestDesk(t *testing.T) {
	differ := map[string]bool{}
	for seed := range uint64(20) {
		told, r, failed := asDesk(t, seed)
		for _, f := range failed {
			if n := len(r.Reverts(f)); n != 1 {
				t.Errorf("seed %d: %d commits take out %s\n%s", seed, n, f, told)
			}
		}
		for _, want := range []string{"GitTransient", "Planned"} {
			differ[fmt.Sprint(want, " ", strings.Contains(told, want))] = true
		}
		differ[told] = true
		for range 3 {
			if again, _, _ := asDesk(t, seed); again != told {
				t.Fatalf("seed %d went\n%s\nand then\n%s", seed, told, again)
			}
		}
	}
	if !differ["GitTransient true"] || !differ["Planned true"] || len(differ) < 15 {
		t.Error("the faults made no difference")
	}
}
