package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/cmd/kubectl-belay/gather"
	"github.com/belay-dev/belay/cmd/kubectl-belay/view"
)

// promoted says that an image is stable and nothing is in flight.
func promoted(image string) func(*v1alpha1.Rollout) bool {
	return func(r *v1alpha1.Rollout) bool {
		s := r.Status
		return s.Phase == v1alpha1.PhaseHealthy && s.Stable != nil && s.Stable.Image == image && s.Canary == nil
	}
}

// withdrawn says that the last attempt failed, was reverted in Git, and that the stable image is at rest.
func withdrawn(stable string) func(*v1alpha1.Rollout) bool {
	return func(r *v1alpha1.Rollout) bool {
		s := r.Status
		return s.Phase == v1alpha1.PhaseHealthy && s.Stable != nil && s.Stable.Image == stable &&
			len(s.History) > 0 && s.History[0].Outcome == v1alpha1.OutcomeFailed && s.History[0].Commit != ""
	}
}

// watch shows the Rollout until it is as wanted, and calls look at every glance.
func (d *Demo) watch(ctx context.Context, within time.Duration, done func(*v1alpha1.Rollout) bool, look func(context.Context)) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	show := d.show()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s", within)
		case <-tick.C:
		}
		tree, err := gather.Tree(ctx, d.world.Client, d.shop.Name, "shop", time.Now())
		if err != nil {
			continue // the next glance tells; a lasting failure ends with the deadline
		}
		look(ctx)
		if err := show(tree); err != nil {
			return err
		}
		if done(tree.Rollout) {
			return nil
		}
	}
}

// show draws in place on a terminal, and prints what changed elsewhere.
func (d *Demo) show() func(view.Tree) error {
	if d.Terminal {
		screen := view.NewScreen(d.Out, func() int { return d.Height })
		return func(t view.Tree) error {
			users := d.shop.Users.Last(2 * time.Second)
			text := view.Render(t, view.Options{Width: d.Width, Colour: true})
			return screen.Draw(text + fmt.Sprintf("\nusers, last 2 s: %d answers, %d failed\n", users.Answered, users.Failed))
		}
	}
	var last *v1alpha1.Rollout
	said := time.Now()
	return func(t view.Tree) error {
		for _, line := range view.Changes(last, t.Rollout, t.Now) {
			d.print("  %s", line)
			said = time.Now()
		}
		last = t.Rollout
		if time.Since(said) > 8*time.Second {
			d.print("  %s %s: still %s", t.Now.UTC().Format(time.TimeOnly), t.Rollout.Name, t.Rollout.Status.Message)
			said = time.Now()
		}
		return nil
	}
}
