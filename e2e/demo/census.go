package demo

import (
	"context"
	"fmt"

	"github.com/belay-dev/belay/e2e/world"
)

// census counts pods of an image over time, by their identity.
type census struct {
	shop  *world.Shop
	image string
	ever  map[string]bool
	now   map[string]world.Pod
}

func (d *Demo) census(image string) *census {
	return &census{shop: d.shop, image: image, ever: map[string]bool{}}
}

// take looks at the pods that are there. A look that fails is left out; the last one, after the act, is not.
func (c *census) take(ctx context.Context) {
	pods, err := c.shop.Pods(ctx)
	if err != nil {
		return
	}
	c.now = world.PodsOf(pods, c.image)
	for _, p := range c.now {
		c.ever[p.UID] = true
	}
}

// unmoved says that every pod that was ever seen is still there and was never restarted.
func (c *census) unmoved() bool {
	for _, p := range c.now {
		if p.Restarts > 0 {
			return false
		}
	}
	return len(c.now) > 0 && len(c.ever) == len(c.now)
}

func (c *census) story() string {
	restarts := int32(0)
	for _, p := range c.now {
		restarts += p.Restarts
	}
	return fmt.Sprintf("%d pods of %s serve, %d were ever started, %d restarts", len(c.now), c.image, len(c.ever), restarts)
}
