package bench

import (
	"context"
	"strings"
	"time"

	"github.com/belay-dev/belay/e2e/world"
)

// atOnce is the shortest ladder: all traffic, no bake.
const atOnce = "[{weight: 100, bake: 0s}]"

// candidate is a shop in the comparison and how long its roll-outs took.
type candidate struct {
	shop  *shop
	plain bool
	// toRolledOut and toPromoted count from the commit.
	toRolledOut, toPromoted []time.Duration
}

// overhead compares roll-outs of a plain Deployment with such under a Rollout that asks for nothing but a start of all
// pods: without metrics, and with one that has to pass.
func (b *bench) overhead(ctx context.Context) ([]Figure, error) {
	var all []*candidate
	for _, o := range []world.ShopOptions{
		{Name: "plain", WithoutRollout: true},
		{Name: "unmeasured", Steps: atOnce, Edit: withoutMetrics},
		{Name: "measured", Steps: atOnce},
	} {
		b.Say("opening the shop %s", o.Name)
		s, err := b.open(ctx, o)
		if err != nil {
			return nil, err
		}
		all = append(all, &candidate{shop: s, plain: o.WithoutRollout})
	}
	for i := range b.Rounds {
		image := []string{"shop:v2", "shop:v4"}[i%2]
		for _, c := range all {
			b.Say("%s: roll-out %d of %d", c.shop.Name, i+1, b.Rounds)
			if err := c.roll(ctx, image); err != nil {
				return nil, err
			}
		}
	}
	plain, unmeasured, measured := all[0], all[1], all[2]
	usual := figure("commit → rolled out, plain Deployment", "", "s", seconds(plain.toRolledOut)...)
	bare := figure("commit → rolled out, Rollout of one step (100 %, bake 0s, settle 1s)", "", "s", seconds(unmeasured.toRolledOut)...)
	judged := figure("commit → rolled out, the same with a metric that must pass", "", "s", seconds(measured.toRolledOut)...)
	return []Figure{
		usual, bare,
		figure("  until promoted", "", "s", seconds(unmeasured.toPromoted)...),
		figure("  Belay's overhead, medians compared", "", "s", bare.Median-usual.Median),
		judged,
		figure("  until promoted", "", "s", seconds(measured.toPromoted)...),
	}, nil
}

func (c *candidate) roll(ctx context.Context, image string) error {
	from := time.Now()
	if err := c.shop.ship(ctx, image); err != nil {
		return err
	}
	if err := c.shop.rolledOut(ctx); err != nil {
		return err
	}
	c.toRolledOut = append(c.toRolledOut, time.Since(from))
	if c.plain {
		return nil
	}
	if err := c.shop.promoted(ctx, image); err != nil {
		return err
	}
	c.toPromoted = append(c.toPromoted, time.Since(from))
	return nil
}

// withoutMetrics leaves the analysis out of the Rollout: it is judged by its pods alone.
func withoutMetrics(files map[string]string) {
	const path = world.Path + "/rollout.yaml"
	before, rest, _ := strings.Cut(files[path], "  analysis:\n")
	_, after, _ := strings.Cut(rest, "  git:\n")
	files[path] = before + "  git:\n" + after
}
