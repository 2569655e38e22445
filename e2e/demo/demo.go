package demo

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/belay-dev/belay/e2e/load"
	"github.com/belay-dev/belay/e2e/world"
)

// Options of the demo.
type Options struct {
	Out io.Writer
	// Terminal draws in place; otherwise changes are printed as lines.
	Terminal bool
	// Width and Height of the terminal; 0: unknown.
	Width, Height int
	// Keep leaves the cluster up until ctx ends.
	Keep bool
}

// Demo is one performance.
type Demo struct {
	Options
	world *world.World
	shop  *world.Shop
	start time.Time
	// wrong lists what was not as it should be.
	wrong []string
}

// ladder of the demo's Rollout: short, because people watch.
const ladder = "[{weight: 10, bake: 4s}, {weight: 50, bake: 4s}, {weight: 100, bake: 3s}]"

// Run plays the demo. The error says what was not as it should be.
func Run(ctx context.Context, o Options) error {
	d := &Demo{Options: o, start: time.Now()}
	var err error
	d.world, err = world.Start(ctx, world.Options{Say: d.say, ClusterName: "demo"})
	if err != nil {
		return err
	}
	defer d.world.Stop()
	if err := d.play(ctx); err != nil {
		return err
	}
	if err := d.figures(ctx); err != nil {
		return err
	}
	if o.Keep && ctx.Err() == nil {
		if err := d.keep(ctx); err != nil {
			return err
		}
	}
	return d.verdict()
}

func (d *Demo) play(ctx context.Context) error {
	d.title("A shop: a Deployment, a Service, an HTTPRoute, and a Rollout next to them in Git")
	d.say("the GitOps agent applies the first commit; users send 100 requests a second")
	var err error
	d.shop, err = d.world.Open(ctx, world.ShopOptions{Name: "shop", Replicas: 4, Rate: 100, Steps: ladder})
	if err != nil {
		return err
	}
	acts := []struct {
		title string
		play  func(context.Context) error
	}{
		{"1. A commit ships v2, a good release", d.good("shop:v2")},
		{"2. A commit ships v3, which answers 20 % of its requests with 500", d.bad},
		{"3. A commit ships v4, the fix", d.good("shop:v4")},
		{"4. v2 once more", d.good("shop:v2")},
		{"5. And v4 again", d.good("shop:v4")},
	}
	for _, a := range acts {
		d.title(a.title)
		if err := a.play(ctx); err != nil {
			return fmt.Errorf("%s: %w\n%s", a.title, err, d.world.Belay.LogTail())
		}
	}
	d.shop.Users.Stop()
	return nil
}

// good ships a release that has to be promoted, without one lost request and without one restarted pod.
func (d *Demo) good(image string) func(context.Context) error {
	return func(ctx context.Context) error {
		mark, began := d.shop.Users.Mark(), time.Now()
		sha, err := d.shop.Ship(ctx, image, nil)
		if err != nil {
			return err
		}
		d.say("commit %.10s: %s", sha, image)
		seen := d.census(image)
		if err := d.watch(ctx, 2*time.Minute, promoted(image), seen.take); err != nil {
			return err
		}
		seen.take(ctx)
		totals := d.shop.Users.Since(mark)
		d.say("%s is promoted after %.0f s; %s", image, time.Since(began).Seconds(), requests(totals))
		d.expect(totals.Failed == 0, "%s: %d requests failed during a good release", image, totals.Failed)
		d.expect(seen.unmoved(), "%s: canary pods were replaced or restarted: %s", image, seen.story())
		d.say("hand-over: %s", seen.story())
		return nil
	}
}

// bad ships v3 together with another team's file.
func (d *Demo) bad(ctx context.Context) error {
	mark, began := d.shop.Users.Mark(), time.Now()
	stable := d.census("shop:v2")
	stable.take(ctx)
	words := "Opening hours: always.\n"
	culprit, err := d.shop.Ship(ctx, "shop:v3", map[string]string{"docs/hours.md": words})
	if err != nil {
		return err
	}
	d.say("commit %.10s: shop:v3, and docs/hours.md, which has nothing to do with it", culprit)
	if err := d.watch(ctx, 2*time.Minute, withdrawn("shop:v2"), stable.take); err != nil {
		return err
	}
	stable.take(ctx)
	totals := d.shop.Users.Since(mark)
	ours := totals.FailedOf("v3")
	d.say("stable serves alone again, Git and cluster agree, %.0f s after the commit; %s", time.Since(began).Seconds(), requests(totals))
	d.expect(ours > 0, "v3 answered no request with 500, so nothing was shown")
	d.expect(totals.Failed == ours, "%d requests failed that v3 has nothing to do with", totals.Failed-ours)
	d.expect(stable.unmoved(), "stable pods were replaced or restarted: %s", stable.story())
	if span, ok := totals.Bad["v3"]; ok {
		d.say("from the first bad answer to the last: %.1f s, %d bad answers", span.Length().Seconds(), ours)
	}
	return d.gitAgrees(ctx, culprit, words)
}

// gitAgrees shows the log and the revert, and checks both.
func (d *Demo) gitAgrees(ctx context.Context, culprit, words string) error {
	log, err := d.shop.Repo.Log(ctx, "main", 20)
	if err != nil {
		return err
	}
	d.heading("git log")
	for _, c := range log {
		d.print("  %.10s  %-6s  %s", c.SHA, c.Name, c.Subject)
	}
	head := log[0]
	d.expect(head.Parent == culprit, "the revert is not the only commit after v3's")
	d.expect(len(head.ChangedFiles) == 1 && head.ChangedFiles[0] == world.Path+"/deployment.yaml", "the revert changes %v", head.ChangedFiles)
	d.heading("git show --no-patch HEAD")
	d.indent(head.Message)
	kept, err := d.shop.Repo.File(ctx, "main", "docs/hours.md")
	if err != nil {
		return err
	}
	d.expect(kept == words, "docs/hours.md was touched by the revert")
	if err := d.shop.Agent.WaitApplied(ctx, head.SHA); err != nil {
		return err
	}
	diff, err := d.shop.Agent.Diff(ctx)
	if err != nil {
		return err
	}
	d.expect(len(diff) == 0, "cluster and Git differ: %v", diff)
	d.shop.Files[world.Path+"/deployment.yaml"] = world.WithImage(d.shop.Files[world.Path+"/deployment.yaml"], "shop:v2")
	return nil
}

func requests(t load.Totals) string {
	return fmt.Sprintf("%d requests, %d failed, %d of them by v3", t.Answered, t.Failed, t.FailedOf("v3"))
}
