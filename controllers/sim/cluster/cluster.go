package cluster

import (
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/controllers/sim/schedule"
	"github.com/belay-dev/belay/controllers/sim/server"
)

// Cluster is all neighbours of one API server.
type Cluster struct {
	schedule *schedule.Schedule
	writers  map[neighbour]writer
	planned  map[look]planned
	failures []string

	deployments *shelf[*deployment]
	replicaSets *shelf[*replicaSet]
	pods        *shelf[*pod]
	services    *shelf[*service]
	slices      *shelf[*slice]
	routes      *shelf[*route]
	families    families

	delays  Delays
	gateway GatewayMode
	health  map[string]Health
	lives   map[types.UID]*life
	address int

	data   dataPlane
	record Record
}

// look is what a neighbour is going to look at.
type look struct {
	who neighbour
	key server.Key
}

type planned struct {
	due    time.Time
	cancel func()
}

// New puts neighbours beside an API server. It has to be empty: what was written before is not seen.
func New(s *schedule.Schedule, api *server.Server) *Cluster {
	c := &Cluster{
		schedule:    s,
		writers:     writers(api),
		planned:     map[look]planned{},
		deployments: newShelf[*deployment](),
		replicaSets: newShelf[*replicaSet](),
		pods:        newShelf[*pod](),
		services:    newShelf[*service](),
		slices:      newShelf[*slice](),
		routes:      newShelf[*route](),
		families:    newFamilies(),
		delays:      Normal(),
		health:      map[string]Health{},
		lives:       map[types.UID]*life{},
		data:        newDataPlane(),
		record:      newRecord(),
	}
	api.OnWrite(c.notice)
	return c
}

// notice is told of every write. It only takes notes and plans: whoever wrote waits for it.
func (c *Cluster) notice(e server.Event) {
	c.noticeFamily(e)
	switch e.Key.Kind {
	case deploymentKind:
		c.noticeDeployment(e)
	case replicaSetKind:
		c.noticeReplicaSet(e)
	case podKind:
		c.noticePod(e)
	case serviceKind:
		c.noticeService(e)
	case sliceKind:
		c.noticeSlice(e)
	case routeKind:
		c.noticeRoute(e)
	}
}

// plan has a neighbour look at something after a while, or sooner if it was going to anyway.
func (c *Cluster) plan(who neighbour, key server.Key, after time.Duration) {
	l := look{who, key}
	due := c.schedule.Now().Add(after)
	if p, waits := c.planned[l]; waits {
		if !due.Before(p.due) {
			return
		}
		p.cancel()
	}
	c.planned[l] = planned{due, c.schedule.After(after, who.String()+" looks at "+key.Name, func() {
		delete(c.planned, l)
		c.look(l)
	})}
}

// look carries a planned look out. One that fails is repeated, as neighbours do. A name that was taken is no failure: the
// next look takes another.
func (c *Cluster) look(l look) {
	err := c.looker(l.who)(l.key)
	if apierrors.IsAlreadyExists(err) {
		c.plan(l.who, l.key, c.delays.Controller.draw(c.schedule))
		return
	}
	if err != nil {
		text := fmt.Sprintf("%s at %s %s: %v", l.who, l.key.Kind.Kind, l.key.Name, err)
		if !slices.Contains(c.failures, text) {
			c.failures = append(c.failures, text)
		}
		c.plan(l.who, l.key, c.schedule.Between(time.Second, 2*time.Second))
	}
}

func (c *Cluster) looker(who neighbour) func(server.Key) error {
	switch who {
	case deploymentController:
		return c.lookDeployment
	case replicaSetController:
		return c.lookReplicaSet
	case kubelet:
		return c.lookPod
	case endpointSliceController:
		return c.lookService
	case garbageCollector:
		return c.lookChild
	case gatewayController:
		return c.lookRoute
	default:
		return c.see
	}
}

// Failures are the errors that neighbours got from the API server, each once. In a sound cluster there is none.
func (c *Cluster) Failures() []string { return slices.Clone(c.failures) }

// Quiet says that no neighbour has anything to do. Pods that flap do so for ever and do not count.
func (c *Cluster) Quiet() bool {
	for l := range c.planned {
		if !c.restless(l) {
			return false
		}
	}
	return true
}

// Pending lists what neighbours are going to do, for messages.
func (c *Cluster) Pending() []string {
	var out []string
	for l, p := range c.planned {
		if !c.restless(l) {
			out = append(out, fmt.Sprintf("%s at %s %s in %s", l.who, l.key.Kind.Kind, l.key.Name, p.due.Sub(c.schedule.Now())))
		}
	}
	slices.Sort(out)
	return out
}
