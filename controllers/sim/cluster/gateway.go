package cluster

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/belay-dev/belay/controllers/sim/server"
)

// route is an HTTPRoute as the gateway thinks of it.
type route struct {
	name       types.NamespacedName
	object     *unstructured.Unstructured
	generation int64
	rules      []rule
}

// rule sends requests to backends by weight.
type rule struct {
	title    string
	backends []backend
	total    int64
}

type backend struct {
	service types.NamespacedName
	weight  int64
}

func routeOf(u *unstructured.Unstructured, name types.NamespacedName) *route {
	r := &route{name: name, object: u, generation: u.GetGeneration()}
	for i, fields := range list(u.Object, "spec", "rules") {
		next := rule{title: fmt.Sprintf("HTTPRoute %s rule %d", name.Name, i+1)}
		for _, ref := range list(fields, "backendRefs") {
			b := backend{service: types.NamespacedName{Namespace: name.Namespace, Name: text(ref, "name")}, weight: 1}
			if other := text(ref, "namespace"); other != "" {
				b.service.Namespace = other
			}
			if weight, said := ref["weight"].(int64); said {
				b.weight = weight
			}
			next.backends = append(next.backends, b)
			next.total += b.weight
		}
		r.rules = append(r.rules, next)
	}
	return r
}

// names says that a rule sends requests to a Service.
func (r *route) names(service types.NamespacedName) bool {
	for _, rule := range r.rules {
		for _, b := range rule.backends {
			if b.service == service {
				return true
			}
		}
	}
	return false
}

func (c *Cluster) noticeRoute(e server.Event) {
	name := nameOf(e.Key)
	before := c.routes.get(name)
	if e.Type == watch.Deleted {
		c.routes.drop(name)
		c.planRoute(before)
		return
	}
	after := routeOf(e.Object, name)
	c.routes.put(name, after)
	if before == nil || before.generation != after.generation {
		c.planRoute(after)
	}
}

func (c *Cluster) planRoute(r *route) {
	delay := c.delays.Gateway
	if c.gateway == Late {
		delay = c.delays.Late
	}
	c.plan(gatewayController, keyOf(routeKind, r.name), delay.draw(c.schedule))
}

// lookRoute is the gateway's look at a route.
func (c *Cluster) lookRoute(key server.Key) error {
	r := c.routes.get(nameOf(key))
	if r == nil {
		delete(c.data.programmed, nameOf(key))
		c.planSee(key)
		return nil
	}
	switch c.gateway {
	case Stuck:
		return nil
	case Stale:
		if r.generation == 1 {
			return nil
		}
		return c.reportRoute(r, r.generation-1, "")
	case Refusing:
		return c.reportRoute(r, r.generation, "RefNotPermitted")
	}
	c.data.programmed[r.name] = r
	c.planSee(key)
	if c.schedule.Chance(0.3) { // the data plane may be ahead of the report, too
		if err := c.see(key); err != nil {
			return err
		}
	}
	return c.reportRoute(r, r.generation, c.unresolved(r))
}

// unresolved is why a route's backends cannot all be reached; empty: they can. The rest of such a route is programmed all
// the same, and what was to go to the missing Service is answered with an error.
func (c *Cluster) unresolved(r *route) string {
	for _, rule := range r.rules {
		for _, b := range rule.backends {
			if c.services.get(b.service) == nil {
				return "BackendNotFound"
			}
		}
	}
	return ""
}

// reportRoute writes what the gateway says of a route to each of its parents.
func (c *Cluster) reportRoute(r *route, generation int64, problem string) error {
	resolved := fields{"type": "ResolvedRefs", "status": "True", "reason": "ResolvedRefs"}
	if problem != "" {
		resolved = fields{"type": "ResolvedRefs", "status": "False", "reason": problem}
	}
	accepted := fields{"type": "Accepted", "status": "True", "reason": "Accepted"}
	now := stamp(c.schedule.Now())
	for _, condition := range []fields{accepted, resolved} {
		condition["observedGeneration"], condition["message"], condition["lastTransitionTime"] = generation, "", now
	}
	if c.reported(r, accepted, resolved) {
		return nil
	}
	var parents []any
	for _, ref := range list(r.object.Object, "spec", "parentRefs") {
		parents = append(parents, fields{
			"parentRef": ref, "controllerName": "gateway.example.com/simulated", "conditions": []any{accepted, resolved},
		})
	}
	return c.writers[gatewayController].status(edited(r.object, parents, "status", "parents"))
}

// reported says that the same was said before, to every parent.
func (c *Cluster) reported(r *route, wanted ...fields) bool {
	parents := list(r.object.Object, "status", "parents")
	if len(parents) != len(list(r.object.Object, "spec", "parentRefs")) {
		return false
	}
	for _, parent := range parents {
		conditions := list(parent, "conditions")
		for i, want := range wanted {
			if len(conditions) != len(wanted) || conditions[i]["status"] != want["status"] || conditions[i]["reason"] != want["reason"] ||
				conditions[i]["observedGeneration"] != want["observedGeneration"] {
				return false
			}
		}
	}
	return true
}
