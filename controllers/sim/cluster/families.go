package cluster

import (
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/belay-dev/belay/controllers/sim/server"
)

// families is what the garbage collector knows: who is there, and who names whom as owner.
type families struct {
	there    map[types.UID]bool
	owners   map[server.Key][]types.UID
	children map[types.UID]map[server.Key]*unstructured.Unstructured
}

func newFamilies() families {
	return families{
		there:    map[types.UID]bool{},
		owners:   map[server.Key][]types.UID{},
		children: map[types.UID]map[server.Key]*unstructured.Unstructured{},
	}
}

func (c *Cluster) noticeFamily(e server.Event) {
	f := c.families
	for _, owner := range f.owners[e.Key] {
		delete(f.children[owner], e.Key)
	}
	delete(f.owners, e.Key)
	if e.Type == watch.Deleted {
		uid := e.Object.GetUID()
		delete(f.there, uid)
		for _, child := range slices.SortedFunc(maps.Keys(f.children[uid]), byKey) {
			c.planGarbage(child)
		}
		return
	}
	f.there[e.Object.GetUID()] = true
	orphan := false
	for _, owner := range ownersOf(e.Object) {
		if f.children[owner] == nil {
			f.children[owner] = map[server.Key]*unstructured.Unstructured{}
		}
		f.children[owner][e.Key] = e.Object
		f.owners[e.Key] = append(f.owners[e.Key], owner)
		orphan = orphan || !f.there[owner]
	}
	if orphan {
		c.planGarbage(e.Key)
	}
}

func (c *Cluster) planGarbage(child server.Key) {
	c.plan(garbageCollector, child, c.delays.Garbage.draw(c.schedule))
}

// lookChild deletes an object none of whose owners is there any more.
func (c *Cluster) lookChild(key server.Key) error {
	var child *unstructured.Unstructured
	for _, owner := range c.families.owners[key] {
		if c.families.there[owner] {
			return nil
		}
		child = c.families.children[owner][key]
	}
	if child == nil || child.GetDeletionTimestamp() != nil {
		return nil
	}
	return c.writers[garbageCollector].remove(child)
}

func ownersOf(u *unstructured.Unstructured) []types.UID {
	var out []types.UID
	for _, reference := range list(u.Object, "metadata", "ownerReferences") {
		out = append(out, types.UID(text(reference, "uid")))
	}
	return out
}

// controllerOf is the one owner that manages an object; empty: none does.
func controllerOf(u *unstructured.Unstructured) types.UID {
	for _, reference := range list(u.Object, "metadata", "ownerReferences") {
		if flag(reference, "controller") {
			return types.UID(text(reference, "uid"))
		}
	}
	return ""
}

// controlledBy gives the owner references with a controller added.
func controlledBy(u *unstructured.Unstructured, group, kind string, owner *unstructured.Unstructured) []any {
	references, _ := at(u.Object, "metadata", "ownerReferences").([]any)
	return append(slices.Clone(references), fields{
		"apiVersion": group, "kind": kind, "name": owner.GetName(), "uid": string(owner.GetUID()),
		"controller": true, "blockOwnerDeletion": true,
	})
}

// released gives the owner references without one owner.
func released(u *unstructured.Unstructured, owner types.UID) []any {
	references, _ := at(u.Object, "metadata", "ownerReferences").([]any)
	return slices.DeleteFunc(slices.Clone(references), func(reference any) bool {
		f, _ := reference.(fields)
		return types.UID(text(f, "uid")) == owner
	})
}

func byKey(a, b server.Key) int {
	if a.Kind != b.Kind {
		return strings.Compare(a.Kind.String(), b.Kind.String())
	}
	return byName(nameOf(a), nameOf(b))
}

// stamp is a moment as objects carry it.
func stamp(t time.Time) string { return metav1.NewTime(t).UTC().Format(time.RFC3339) }
