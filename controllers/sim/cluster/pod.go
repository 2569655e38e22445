package cluster

import (
	"fmt"
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/belay-dev/belay/controllers/sim/server"
)

// pod as neighbours think of it.
type pod struct {
	name       types.NamespacedName
	uid        types.UID
	object     *unstructured.Unstructured
	labels     labels.Set
	revision   string
	image      string
	controller types.UID
	created    time.Time
	ip         string
	running    bool
	ready      bool
	readySince time.Time
	crashed    bool
	deleting   bool
}

// life is what the node knows of a pod: when what is going to happen.
type life struct {
	start, ready, end, flap time.Time
	up                      bool
}

func podOf(u *unstructured.Unstructured, name types.NamespacedName) *pod {
	p := &pod{
		name: name, uid: u.GetUID(), object: u,
		labels: words(u.Object, "metadata", "labels"), controller: controllerOf(u),
		created: moment(u.Object, "metadata", "creationTimestamp"), deleting: text(u.Object, "metadata", "deletionTimestamp") != "",
		ip: text(u.Object, "status", "podIP"), running: text(u.Object, "status", "phase") == "Running",
	}
	p.revision = p.labels[hashKey]
	if containers := list(u.Object, "spec", "containers"); len(containers) > 0 {
		p.image = text(containers[0], "image")
	}
	for _, condition := range list(u.Object, "status", "conditions") {
		if text(condition, "type") == "Ready" && text(condition, "status") == "True" {
			p.ready, p.readySince = true, moment(condition, "lastTransitionTime")
		}
	}
	for _, status := range list(u.Object, "status", "containerStatuses") {
		p.crashed = p.crashed || part(status, "state", "waiting") != nil
	}
	return p
}

func (c *Cluster) noticePod(e server.Event) {
	name := nameOf(e.Key)
	before, after := c.pods.get(name), podOf(e.Object, name)
	if e.Type == watch.Deleted {
		c.pods.drop(name)
		delete(c.lives, after.uid)
		after = nil
	} else {
		c.pods.put(name, after)
		c.liven(before, after)
	}
	c.podChanged(before, after)
}

// liven has the node look at a pod that is new, or that is to end.
func (c *Cluster) liven(before, after *pod) {
	now := c.schedule.Now()
	l := c.lives[after.uid]
	if l == nil {
		l = &life{start: now.Add(c.delays.Start.draw(c.schedule))}
		c.lives[after.uid] = l
		c.plan(kubelet, keyOf(podKind, after.name), l.start.Sub(now))
	}
	if after.deleting && (before == nil || !before.deleting) {
		l.end = now
		if after.running {
			l.end = now.Add(c.delays.Drain.draw(c.schedule))
		}
		c.plan(kubelet, keyOf(podKind, after.name), l.end.Sub(now))
	}
}

// lookPod is the node's look at a pod: what has come due is done, and the next look is planned.
func (c *Cluster) lookPod(key server.Key) error {
	p := c.pods.get(nameOf(key))
	if p == nil {
		return nil
	}
	l, now := c.lives[p.uid], c.schedule.Now()
	if p.deleting {
		if c.later(key, l.end) {
			return nil
		}
		return c.writers[kubelet].end(p.object)
	}
	if !p.running {
		if c.later(key, l.start) {
			return nil
		}
		l.ready = now.Add(c.untilReady(p.image))
		c.address++
		ip := fmt.Sprintf("10.244.%d.%d", c.address/250, c.address%250+1)
		if err := c.reportPod(p, ip, false, false); err != nil {
			return err
		}
		p = c.pods.get(p.name)
	}
	ready, crashed, next := c.fares(p, l)
	if next.After(now) {
		c.plan(kubelet, key, next.Sub(now))
	}
	if ready == p.ready && crashed == p.crashed {
		return nil
	}
	return c.reportPod(p, p.ip, ready, crashed)
}

// later plans the look again if its moment has not come.
func (c *Cluster) later(key server.Key, due time.Time) bool {
	wait := due.Sub(c.schedule.Now())
	if wait > 0 {
		c.plan(kubelet, key, wait)
	}
	return wait > 0
}

func (c *Cluster) untilReady(image string) time.Duration {
	if c.health[image] == Slow {
		return c.delays.Slow.draw(c.schedule)
	}
	return c.delays.Ready.draw(c.schedule)
}

// fares says how a running pod is doing, and when that can change by itself.
func (c *Cluster) fares(p *pod, l *life) (ready, crashed bool, next time.Time) {
	now := c.schedule.Now()
	due := !now.Before(l.ready)
	switch c.health[p.image] {
	case NeverReady:
		return false, false, time.Time{}
	case Crashing:
		return false, due, l.ready
	case Flapping:
		if !due {
			return false, false, l.ready
		}
		if !now.Before(l.flap) {
			l.up, l.flap = !l.up, now.Add(c.delays.Flap.draw(c.schedule))
		}
		return l.up, false, l.flap
	}
	return due, false, l.ready
}

// restless says that a look is at a pod that flaps and would be looked at for ever.
func (c *Cluster) restless(l look) bool {
	if l.who != kubelet {
		return false
	}
	p := c.pods.get(nameOf(l.key))
	return p != nil && !p.deleting && p.running && c.health[p.image] == Flapping
}

// reportPod writes what the node says of a pod.
func (c *Cluster) reportPod(p *pod, ip string, ready, crashed bool) error {
	now := stamp(c.schedule.Now())
	word := map[bool]string{true: "True", false: "False"}
	state, restarts := fields{"running": fields{"startedAt": now}}, int64(0)
	if crashed {
		state, restarts = fields{"waiting": fields{"reason": "CrashLoopBackOff"}}, 3
	}
	var containers []any
	for _, container := range list(p.object.Object, "spec", "containers") {
		containers = append(containers, fields{
			"name": text(container, "name"), "image": text(container, "image"), "imageID": text(container, "image"),
			"ready": ready, "started": !crashed, "restartCount": restarts, "state": state,
		})
	}
	status := fields{
		"phase": "Running", "podIP": ip, "containerStatuses": containers,
		"conditions": []any{
			fields{"type": "PodScheduled", "status": "True", "lastTransitionTime": stamp(p.created)},
			fields{"type": "Ready", "status": word[ready], "lastTransitionTime": now},
		},
	}
	return c.writers[kubelet].status(edited(p.object, merged(part(p.object.Object, "status"), status), "status"))
}

// merged lays fields over others.
func merged(below, above fields) fields {
	out := maps.Clone(below)
	if out == nil {
		out = fields{}
	}
	maps.Copy(out, above)
	return out
}
