package cluster

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/belay-dev/belay/controllers/sim/server"
)

// deployment as its controller thinks of it.
type deployment struct {
	name       types.NamespacedName
	uid        types.UID
	object     *unstructured.Unstructured
	generation int64
	deleting   bool
	selector   labels.Selector
	print      string
	replicas   int32
	paused     bool
	recreate   bool
	minReady   int32
	// surge and missing are how many pods more and fewer than replicas a roll-out may have.
	surge, missing int32
	annotations    map[string]string
}

func deploymentOf(u *unstructured.Unstructured, name types.NamespacedName, before *deployment) *deployment {
	spec := part(u.Object, "spec")
	d := &deployment{
		name: name, uid: u.GetUID(), object: u, generation: u.GetGeneration(),
		deleting: text(u.Object, "metadata", "deletionTimestamp") != "", replicas: replicasOf(u), paused: flag(spec, "paused"),
		recreate: text(spec, "strategy", "type") == "Recreate", minReady: number(spec, "minReadySeconds"),
		annotations: words(u.Object, "metadata", "annotations"),
	}
	if before != nil && before.uid == d.uid && before.generation == d.generation {
		d.selector, d.print = before.selector, before.print
	} else {
		d.selector, d.print = selectorOf(part(spec, "selector")), fingerprint(part(spec, "template"))
	}
	if !d.recreate {
		d.surge = scaled(at(spec, "strategy", "rollingUpdate", "maxSurge"), "25%", d.replicas, true)
		d.missing = scaled(at(spec, "strategy", "rollingUpdate", "maxUnavailable"), "25%", d.replicas, false)
		if d.surge == 0 && d.missing == 0 {
			d.missing = 1 // or nothing would ever move
		}
		d.missing = min(d.missing, d.replicas)
	}
	return d
}

func (c *Cluster) noticeDeployment(e server.Event) {
	name := nameOf(e.Key)
	if e.Type == watch.Deleted {
		c.deployments.drop(name)
		return
	}
	before := c.deployments.get(name)
	after := deploymentOf(e.Object, name, before)
	c.deployments.put(name, after)
	if before == nil || before.uid != after.uid || before.generation != after.generation || before.deleting != after.deleting ||
		!sameBut(before.annotations, after.annotations, revisionKey) {
		c.planDeployment(name)
	}
}

func (c *Cluster) planDeployment(name types.NamespacedName) {
	c.plan(deploymentController, keyOf(deploymentKind, name), c.delays.Controller.draw(c.schedule))
}

// replicaSetChanged tells the Deployments that control a ReplicaSet, did so before, or could.
func (c *Cluster) replicaSetChanged(before, after *replicaSet) {
	for _, r := range []*replicaSet{before, after} {
		if r != nil {
			for _, d := range c.deployments.in(r.name.Namespace, func(d *deployment) bool { return d.minds(r) }) {
				c.planDeployment(d.name)
			}
		}
	}
}

func (d *deployment) minds(r *replicaSet) bool {
	return r.controller == d.uid || r.controller == "" && d.selector.Matches(r.labels)
}

// roll is one look of the Deployments' controller at one of them.
type roll struct {
	c *Cluster
	w writer
	d *deployment
	// wrote says that a ReplicaSet was written, which calls for another look.
	wrote bool
	// revision is the number of the new ReplicaSet; empty: there is none.
	revision string
}

// lookDeployment is one round of the Deployments' controller.
func (c *Cluster) lookDeployment(key server.Key) error {
	d := c.deployments.get(nameOf(key))
	if d == nil {
		return nil
	}
	r := &roll{c: c, w: c.writers[deploymentController], d: d}
	if err := r.claim(); err != nil {
		return err
	}
	var err error
	switch {
	case d.deleting:
	case d.paused || r.resized():
		err = r.resize()
	case d.recreate:
		err = r.recreate()
	default:
		err = r.advance()
	}
	if err != nil || r.wrote {
		return err // what comes of it is reported then
	}
	return r.report()
}

// claim takes over what nobody controls and lets go of what is not selected any more.
func (r *roll) claim() error {
	d := r.d
	for _, set := range r.c.replicaSets.in(d.name.Namespace, d.minds) {
		var owners []any
		switch selected := d.selector.Matches(set.labels); {
		case set.controller == d.uid && !selected:
			owners = released(set.object, d.uid)
		case set.controller == "" && selected && !d.deleting && !set.deleting:
			owners = controlledBy(set.object, "apps/v1", deploymentKind.Kind, d.object)
		default:
			continue
		}
		if err := r.update(edited(set.object, owners, "metadata", "ownerReferences")); err != nil {
			return err
		}
	}
	return nil
}

// update writes a ReplicaSet.
func (r *roll) update(set *unstructured.Unstructured) error {
	r.wrote = true
	return r.w.update(set)
}

// sets are the ReplicaSets of the Deployment as they are stored now, the oldest first.
func (r *roll) sets() []*replicaSet {
	out := r.c.replicaSets.in(r.d.name.Namespace, func(s *replicaSet) bool { return s.controller == r.d.uid })
	slices.SortStableFunc(out, byAge)
	return out
}

func byAge(a, b *replicaSet) int {
	if order := a.created.Compare(b.created); order != 0 {
		return order
	}
	return strings.Compare(a.name.Name, b.name.Name)
}

// fresh is the ReplicaSet with the present template: the oldest of them, if there are several.
func (r *roll) fresh() *replicaSet {
	for _, s := range r.sets() {
		if s.print == r.d.print {
			return s
		}
	}
	return nil
}

// old are all others, with pods or without.
func (r *roll) old() []*replicaSet {
	fresh := r.fresh()
	return slices.DeleteFunc(r.sets(), func(s *replicaSet) bool { return s == fresh })
}

// active are those that want pods.
func active(sets []*replicaSet) []*replicaSet {
	return slices.DeleteFunc(slices.Clone(sets), func(s *replicaSet) bool { return s.replicas == 0 })
}

func wanted(sets []*replicaSet) (n int32) {
	for _, s := range sets {
		n += s.replicas
	}
	return n
}

func available(sets []*replicaSet) (n int32) {
	for _, s := range sets {
		n += s.status.available
	}
	return n
}

// sameBut compares two maps, one key aside.
func sameBut(a, b map[string]string, key string) bool {
	without := func(m map[string]string) int {
		if _, has := m[key]; has {
			return len(m) - 1
		}
		return len(m)
	}
	if without(a) != without(b) {
		return false
	}
	for k, v := range a {
		if other, has := b[k]; k != key && (!has || other != v) {
			return false
		}
	}
	return true
}
