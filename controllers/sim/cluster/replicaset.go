package cluster

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/belay-dev/belay/controllers/sim/server"
)

// replicaSet as neighbours think of it.
type replicaSet struct {
	name       types.NamespacedName
	uid        types.UID
	object     *unstructured.Unstructured
	generation int64
	controller types.UID
	created    time.Time
	deleting   bool
	labels     labels.Set
	selector   labels.Selector
	// print tells its template from others, the hash aside.
	print    string
	replicas int32
	minReady time.Duration
	status   counts
}

// counts is the status of a ReplicaSet.
type counts struct {
	observed                  int64
	present, ready, available int32
}

// replicaSetOf reads a version of a ReplicaSet. What only its spec decides is taken over from the version before where the
// generation is the same.
func replicaSetOf(u *unstructured.Unstructured, name types.NamespacedName, before *replicaSet) *replicaSet {
	r := &replicaSet{
		name: name, uid: u.GetUID(), object: u, generation: u.GetGeneration(), controller: controllerOf(u),
		created: moment(u.Object, "metadata", "creationTimestamp"), deleting: text(u.Object, "metadata", "deletionTimestamp") != "",
		labels:   words(u.Object, "metadata", "labels"),
		replicas: replicasOf(u), minReady: time.Duration(number(u.Object, "spec", "minReadySeconds")) * time.Second,
	}
	status := part(u.Object, "status")
	r.status.observed, _ = status["observedGeneration"].(int64)
	r.status.present, r.status.ready, r.status.available =
		number(status, "replicas"), number(status, "readyReplicas"), number(status, "availableReplicas")
	if before != nil && before.uid == r.uid && before.generation == r.generation {
		r.selector, r.print = before.selector, before.print
	} else {
		r.selector, r.print = selectorOf(part(u.Object, "spec", "selector")), fingerprint(part(u.Object, "spec", "template"))
	}
	return r
}

// replicasOf reads spec.replicas; where nothing is said it is one.
func replicasOf(u *unstructured.Unstructured) int32 {
	if at(u.Object, "spec", "replicas") == nil {
		return 1
	}
	return number(u.Object, "spec", "replicas")
}

func (c *Cluster) noticeReplicaSet(e server.Event) {
	name := nameOf(e.Key)
	before := c.replicaSets.get(name)
	after := replicaSetOf(e.Object, name, before)
	if e.Type == watch.Deleted {
		c.replicaSets.drop(name)
	} else {
		c.replicaSets.put(name, after)
		// What its own controller reports is nothing new to it.
		if before == nil || before.generation != after.generation || before.controller != after.controller || before.deleting != after.deleting {
			c.planReplicaSet(name)
		}
	}
	c.replicaSetChanged(before, after)
}

func (c *Cluster) planReplicaSet(name types.NamespacedName) {
	c.plan(replicaSetController, keyOf(replicaSetKind, name), c.delays.Controller.draw(c.schedule))
}

// podChanged tells the ReplicaSets and Services of a pod.
func (c *Cluster) podChanged(before, after *pod) {
	if before != nil && after != nil && before.ready == after.ready && before.running == after.running &&
		before.deleting == after.deleting && before.controller == after.controller && before.ip == after.ip && maps.Equal(before.labels, after.labels) {
		return
	}
	for _, p := range []*pod{before, after} {
		if p != nil {
			for _, r := range c.replicaSets.in(p.name.Namespace, func(r *replicaSet) bool { return r.minds(p) }) {
				c.planReplicaSet(r.name)
			}
		}
	}
	c.endpointsChanged(before, after)
}

// minds says that a pod is the ReplicaSet's, or could become so.
func (r *replicaSet) minds(p *pod) bool {
	return p.controller == r.uid || p.controller == "" && r.selector.Matches(p.labels)
}

// lookReplicaSet is one round of the ReplicaSets' controller.
func (c *Cluster) lookReplicaSet(key server.Key) error {
	r := c.replicaSets.get(nameOf(key))
	if r == nil {
		return nil
	}
	pods, err := c.claimPods(r)
	if err != nil {
		return err
	}
	if int(r.replicas) != len(pods) && !r.deleting {
		// What comes of it is counted at the next look, which the pods call for.
		return c.resizePods(r, pods)
	}
	status, next := r.count(pods, c.schedule.Now())
	if next > 0 {
		c.plan(replicaSetController, key, next)
	}
	if status == r.status {
		return nil
	}
	return c.writers[replicaSetController].status(edited(r.object, status.fields(), "status"))
}

// claimPods gives the pods that count for a ReplicaSet: its own, after it took over what nobody controls and let go of
// what it does not select any more.
func (c *Cluster) claimPods(r *replicaSet) ([]*pod, error) {
	w := c.writers[replicaSetController]
	var out []*pod
	for _, p := range c.pods.in(r.name.Namespace, func(p *pod) bool { return !p.deleting && r.minds(p) }) {
		selected := r.selector.Matches(p.labels)
		switch {
		case p.controller == r.uid && selected:
			out = append(out, p)
		case p.controller == r.uid:
			if err := w.update(edited(p.object, released(p.object, r.uid), "metadata", "ownerReferences")); err != nil {
				return nil, err
			}
		case !r.deleting:
			owners := controlledBy(p.object, "apps/v1", replicaSetKind.Kind, r.object)
			if err := w.update(edited(p.object, owners, "metadata", "ownerReferences")); err != nil {
				return nil, err
			}
			out = append(out, c.pods.get(p.name))
		}
	}
	return out, nil
}

// count says how many of the pods are there, ready and available, and when one more becomes available by itself.
func (r *replicaSet) count(pods []*pod, now time.Time) (status counts, next time.Duration) {
	status = counts{observed: r.generation, present: int32(len(pods))}
	for _, p := range pods {
		if !p.ready {
			continue
		}
		status.ready++
		wait := p.readySince.Add(r.minReady).Sub(now)
		if r.minReady == 0 || wait <= 0 {
			status.available++
		} else if next == 0 || wait < next {
			next = wait
		}
	}
	return status, next
}

func (s counts) fields() fields {
	out := fields{"replicas": int64(s.present), "observedGeneration": s.observed}
	for name, n := range map[string]int32{"fullyLabeledReplicas": s.present, "readyReplicas": s.ready, "availableReplicas": s.available} {
		if n > 0 {
			out[name] = int64(n)
		}
	}
	return out
}

// resizePods makes the pods that are missing, or asks those to end that are too many.
func (c *Cluster) resizePods(r *replicaSet, pods []*pod) error {
	for range int(r.replicas) - len(pods) {
		if err := c.writers[replicaSetController].create(c.newPod(r)); err != nil {
			return err
		}
	}
	slices.SortStableFunc(pods, dispensable)
	for _, p := range pods[:max(0, len(pods)-int(r.replicas))] {
		if err := c.writers[replicaSetController].remove(p.object); err != nil {
			return err
		}
	}
	return nil
}

// dispensable puts pods first that are missed least: what does not run or is not ready, then what is youngest.
func dispensable(a, b *pod) int {
	return cmp.Or(
		falseFirst(a.running, b.running),
		falseFirst(a.ready, b.ready),
		b.readySince.Compare(a.readySince),
		b.created.Compare(a.created),
		strings.Compare(a.name.Name, b.name.Name),
	)
}

func falseFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func (c *Cluster) newPod(r *replicaSet) *unstructured.Unstructured {
	template := part(r.object.Object, "spec", "template")
	metadata := fields{
		"namespace": r.name.Namespace, "name": r.name.Name + "-" + c.letters(5),
		"ownerReferences": controlledBy(&unstructured.Unstructured{}, "apps/v1", replicaSetKind.Kind, r.object),
	}
	for _, field := range []string{"labels", "annotations"} {
		if value := at(template, "metadata", field); value != nil {
			metadata[field] = value
		}
	}
	return &unstructured.Unstructured{Object: fields{
		"apiVersion": "v1", "kind": podKind.Kind, "metadata": metadata,
		// A pod without a node would end without a drain.
		"spec": with(part(template, "spec"), nodeName, "nodeName"),
	}}
}
