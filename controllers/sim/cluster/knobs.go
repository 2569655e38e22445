package cluster

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/controllers/sim/schedule"
)

// Range is a duration by chance.
type Range struct{ From, To time.Duration }

func (r Range) draw(s *schedule.Schedule) time.Duration { return s.Between(r.From, r.To) }

// Delays are how long neighbours take.
type Delays struct {
	// Controller is how long the controllers of Deployments and ReplicaSets take to see a change. They have to be
	// much quicker than pods: where two pods get ready before the end of an old one is counted, a rolling update ends one
	// too many, with the real ones too.
	Controller Range
	// Endpoints is the same of EndpointSlices.
	Endpoints Range
	// Garbage is how long something outlives its owner.
	Garbage Range
	// Start is from a pod's creation until it runs, Ready from then until it is ready; Slow replaces Ready for slow images.
	Start, Ready, Slow Range
	// Flap is how long a flapping pod keeps a state.
	Flap Range
	// Drain is how long a pod goes on serving after it was asked to end. It has to be longer than Endpoints and Settle
	// together, or requests are lost in every rolling update.
	Drain Range
	// Gateway is how long the gateway takes to program and report a route; Late is the same of a late one.
	Gateway, Late Range
	// Settle is how far the data plane may lag behind what the gateway reports, and behind EndpointSlices and Services.
	Settle time.Duration
}

// Normal is a cluster in good health. What is programmed and reported is in force within two seconds, which is less than
// what Belay waits for (spec.strategy.canary.settle, three seconds).
func Normal() Delays {
	return Delays{
		Controller: Range{time.Millisecond, 30 * time.Millisecond},
		Endpoints:  Range{5 * time.Millisecond, 500 * time.Millisecond},
		Garbage:    Range{100 * time.Millisecond, 2 * time.Second},
		Start:      Range{500 * time.Millisecond, 2 * time.Second},
		Ready:      Range{300 * time.Millisecond, 3 * time.Second},
		Slow:       Range{time.Minute, 4 * time.Minute},
		Flap:       Range{3 * time.Second, 20 * time.Second},
		Drain:      Range{4 * time.Second, 6 * time.Second},
		Gateway:    Range{20 * time.Millisecond, time.Second},
		Late:       Range{5 * time.Second, 45 * time.Second},
		Settle:     2 * time.Second,
	}
}

// Health is how pods of an image fare.
type Health string

// Healths of an image.
const (
	Healthy    Health = ""
	NeverReady Health = "never ready"
	Crashing   Health = "crashing"
	Flapping   Health = "flapping"
	Slow       Health = "slow"
)

// GatewayMode is how the gateway treats changes of routes.
type GatewayMode string

// Modes of the gateway.
const (
	// Prompt programs and reports.
	Prompt GatewayMode = ""
	// Late does so much later.
	Late GatewayMode = "late"
	// Stuck neither programs nor reports anything.
	Stuck GatewayMode = "stuck"
	// Stale programs nothing, and reports again that the form before is accepted.
	Stale GatewayMode = "stale"
	// Refusing programs nothing, and reports that the stored form cannot be.
	Refusing GatewayMode = "refusing"
)

// SetDelays changes how long neighbours take from now on. What is planned already keeps its moment.
func (c *Cluster) SetDelays(d Delays) { c.delays = d }

// Delays that apply now.
func (c *Cluster) Delays() Delays { return c.delays }

// SetGateway changes what the gateway does. It looks at every route again.
func (c *Cluster) SetGateway(m GatewayMode) {
	c.gateway = m
	for _, r := range c.routes.all() {
		c.planRoute(r)
	}
}

// Gateway is the mode of the gateway.
func (c *Cluster) Gateway() GatewayMode { return c.gateway }

// SetHealth says how pods of an image fare from now on, those that run included.
func (c *Cluster) SetHealth(image string, h Health) {
	c.health[image] = h
	for _, p := range c.pods.all() {
		if l := c.lives[p.uid]; p.image == image && l != nil && !p.deleting {
			if !p.ready {
				l.ready = c.schedule.Now().Add(c.untilReady(image))
			}
			c.plan(kubelet, keyOf(podKind, p.name), c.delays.Controller.draw(c.schedule))
		}
	}
}

// Vanish takes a pod away at once, as when its node is lost and removed. It says whether there was one.
func (c *Cluster) Vanish(name types.NamespacedName) bool {
	p := c.pods.get(name)
	return p != nil && c.writers[kubelet].end(p.object) == nil
}

// Calm ends what was drawn out: delays are normal, the gateway is prompt, and what was planned for a far moment happens
// soon. Images keep their health.
func (c *Cluster) Calm() {
	c.SetDelays(Normal())
	c.SetGateway(Prompt)
	for _, l := range slices.SortedFunc(maps.Keys(c.planned), byLook) {
		if l.who == kubelet {
			c.hasten(nameOf(l.key))
			continue
		}
		c.plan(l.who, l.key, c.schedule.Between(0, time.Second))
	}
}

// hasten brings a pod's next change near.
func (c *Cluster) hasten(name types.NamespacedName) {
	p := c.pods.get(name)
	if p == nil {
		return
	}
	l := c.lives[p.uid]
	now := c.schedule.Now()
	for _, hasten := range []struct {
		at *time.Time
		in Range
	}{{&l.start, c.delays.Start}, {&l.ready, c.delays.Ready}, {&l.end, c.delays.Drain}} {
		if near := now.Add(hasten.in.To); hasten.at.After(near) {
			*hasten.at = now.Add(hasten.in.draw(c.schedule))
		}
	}
	c.plan(kubelet, keyOf(podKind, name), c.schedule.Between(0, time.Second))
}

func byLook(a, b look) int {
	if a.who != b.who {
		return int(a.who) - int(b.who)
	}
	return byKey(a.key, b.key)
}

// Pod is one pod as it is stored.
type Pod struct {
	types.NamespacedName
	Revision, Image    string
	Ready, Terminating bool
}

// Pods lists all pods in the order of their names.
func (c *Cluster) Pods() []Pod {
	var out []Pod
	for _, p := range c.pods.all() {
		out = append(out, Pod{p.name, p.revision, p.image, p.ready, p.deleting})
	}
	return out
}
