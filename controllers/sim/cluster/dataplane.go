package cluster

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/controllers/sim/server"
)

// dataPlane is what gateway and callers go by: each route, Service and EndpointSlice as it was some time ago, each lagging
// by itself, so that changes arrive in any order.
type dataPlane struct {
	// programmed are the routes that the gateway has handed down.
	programmed map[types.NamespacedName]*route
	routes     *shelf[*route]
	services   *shelf[*service]
	slices     *shelf[*slice]
}

func newDataPlane() dataPlane {
	return dataPlane{
		programmed: map[types.NamespacedName]*route{},
		routes:     newShelf[*route](),
		services:   newShelf[*service](),
		slices:     newShelf[*slice](),
	}
}

// planSee has the data plane see a change within its bound.
func (c *Cluster) planSee(key server.Key) {
	c.plan(proxy, key, c.schedule.Between(0, c.delays.Settle))
}

// see takes over what an object is at this moment.
func (c *Cluster) see(key server.Key) error {
	name := nameOf(key)
	switch key.Kind {
	case routeKind:
		follow(c.data.routes, name, c.data.programmed[name])
	case serviceKind:
		follow(c.data.services, name, c.services.get(name))
	case sliceKind:
		follow(c.data.slices, name, c.slices.get(name))
	}
	return nil
}

func follow[T any](seen *shelf[*T], name types.NamespacedName, now *T) {
	if now == nil {
		seen.drop(name)
		return
	}
	seen.put(name, now)
}

// reachable are the endpoints of a Service that get requests, as the data plane sees them.
func (d *dataPlane) reachable(service types.NamespacedName) []endpoint {
	var out []endpoint
	for _, s := range d.slices.in(service.Namespace, func(s *slice) bool { return s.service == service }) {
		for _, e := range s.endpoints {
			if e.ready {
				out = append(out, e)
			}
		}
	}
	return out
}
