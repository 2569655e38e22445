package cluster

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/belay-dev/belay/controllers/sim/server"
)

// service as neighbours think of it.
type service struct {
	name     types.NamespacedName
	uid      types.UID
	object   *unstructured.Unstructured
	selector labels.Selector // nil: it selects nothing
	// publishes addresses of pods that are not ready, too.
	publishes bool
}

// slice is an EndpointSlice.
type slice struct {
	name      types.NamespacedName
	object    *unstructured.Unstructured
	service   types.NamespacedName
	owner     types.UID
	endpoints []endpoint
}

// endpoint is one address of a Service.
type endpoint struct {
	pod, ip                     string
	ready, serving, terminating bool
}

func serviceOf(u *unstructured.Unstructured, name types.NamespacedName) *service {
	s := &service{name: name, uid: u.GetUID(), object: u, publishes: flag(u.Object, "spec", "publishNotReadyAddresses")}
	if selector := words(u.Object, "spec", "selector"); len(selector) > 0 && text(u.Object, "spec", "type") != "ExternalName" {
		s.selector = labels.SelectorFromSet(selector)
	}
	return s
}

func sliceOf(u *unstructured.Unstructured, name types.NamespacedName) *slice {
	s := &slice{name: name, object: u, owner: controllerOf(u)}
	s.service = types.NamespacedName{Namespace: name.Namespace, Name: text(u.Object, "metadata", "labels", "kubernetes.io/service-name")}
	for _, e := range list(u.Object, "endpoints") {
		found := endpoint{
			pod: text(e, "targetRef", "name"), ready: flag(e, "conditions", "ready"),
			serving: flag(e, "conditions", "serving"), terminating: flag(e, "conditions", "terminating"),
		}
		if addresses, _ := e["addresses"].([]any); len(addresses) > 0 {
			found.ip, _ = addresses[0].(string)
		}
		s.endpoints = append(s.endpoints, found)
	}
	return s
}

func (c *Cluster) noticeService(e server.Event) {
	name := nameOf(e.Key)
	before := c.services.get(name)
	if e.Type == watch.Deleted {
		c.services.drop(name)
	} else {
		c.services.put(name, serviceOf(e.Object, name))
		c.planEndpoints(name)
	}
	if before == nil || e.Type == watch.Deleted {
		c.planSee(e.Key)
		for _, r := range c.routes.in(name.Namespace, func(r *route) bool { return r.names(name) }) {
			c.planRoute(r)
		}
	}
}

func (c *Cluster) noticeSlice(e server.Event) {
	name := nameOf(e.Key)
	if e.Type == watch.Deleted {
		c.slices.drop(name)
		if service := sliceOf(e.Object, name).service; c.services.get(service) != nil {
			c.planEndpoints(service)
		}
	} else {
		c.slices.put(name, sliceOf(e.Object, name))
	}
	c.planSee(e.Key)
}

func (c *Cluster) planEndpoints(name types.NamespacedName) {
	c.plan(endpointSliceController, keyOf(serviceKind, name), c.delays.Endpoints.draw(c.schedule))
}

// endpointsChanged has the Services looked at that select a pod, or did.
func (c *Cluster) endpointsChanged(before, after *pod) {
	either := after
	if either == nil {
		either = before
	}
	for _, s := range c.services.in(either.name.Namespace, func(s *service) bool {
		return s.selector != nil && s.lists(before) != s.lists(after)
	}) {
		c.planEndpoints(s.name)
	}
}

// lists is what a Service's EndpointSlice has to say of a pod; nothing is an endpoint without an address.
func (s *service) lists(p *pod) endpoint {
	if p == nil || p.ip == "" || !s.selector.Matches(p.labels) {
		return endpoint{}
	}
	return endpoint{pod: p.name.Name, ip: p.ip, ready: p.ready && !p.deleting || s.publishes, serving: p.ready, terminating: p.deleting}
}

// lookService writes the one EndpointSlice of a Service.
func (c *Cluster) lookService(key server.Key) error {
	s := c.services.get(nameOf(key))
	if s == nil || s.selector == nil {
		return nil
	}
	var wanted []endpoint
	for _, p := range c.pods.in(key.Namespace, func(p *pod) bool { return s.lists(p) != endpoint{} }) {
		wanted = append(wanted, s.lists(p))
	}
	w := c.writers[endpointSliceController]
	for _, stored := range c.slices.in(key.Namespace, func(e *slice) bool { return e.service == s.name }) {
		switch {
		case stored.owner != s.uid: // the Service was made anew
			if err := w.remove(stored.object); err != nil {
				return err
			}
		case slices.Equal(stored.endpoints, wanted):
			return nil
		default:
			return w.update(edited(stored.object, endpointsOf(key.Namespace, wanted), "endpoints"))
		}
	}
	return w.create(c.newSlice(s, wanted))
}

func (c *Cluster) newSlice(s *service, wanted []endpoint) *unstructured.Unstructured {
	var ports []any
	for _, port := range list(s.object.Object, "spec", "ports") {
		target, isNumber := port["targetPort"].(int64)
		if !isNumber {
			target, _ = port["port"].(int64)
		}
		ports = append(ports, fields{"name": text(port, "name"), "port": target, "protocol": "TCP"})
	}
	u := &unstructured.Unstructured{Object: fields{
		"apiVersion": "discovery.k8s.io/v1", "kind": sliceKind.Kind, "addressType": "IPv4", "ports": ports,
		"endpoints": endpointsOf(s.name.Namespace, wanted),
		"metadata": fields{
			"namespace": s.name.Namespace, "name": s.name.Name + "-" + c.letters(5),
			"labels": fields{
				"kubernetes.io/service-name":             s.name.Name,
				"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
			},
			"ownerReferences": controlledBy(&unstructured.Unstructured{}, "v1", serviceKind.Kind, s.object),
		},
	}}
	return u
}

func endpointsOf(namespace string, wanted []endpoint) []any {
	out := make([]any, 0, len(wanted))
	for _, e := range wanted {
		out = append(out, fields{
			"addresses":  []any{e.ip},
			"conditions": fields{"ready": e.ready, "serving": e.serving, "terminating": e.terminating},
			"targetRef":  fields{"kind": podKind.Kind, "namespace": namespace, "name": e.pod},
		})
	}
	return out
}

// letters are a suffix of a name that nobody else has.
func (c *Cluster) letters(n int) string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[c.schedule.Rand().IntN(len(alphabet))]
	}
	return string(out)
}
