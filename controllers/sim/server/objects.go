package server

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Key names an object.
type Key struct {
	Kind            schema.GroupKind
	Namespace, Name string
}

func (k Key) String() string { return k.Kind.String() + " " + k.path() }

// path orders objects as the real server's lists do: by the bytes of the whole path, so that namespace a-b is before a.
func (k Key) path() string { return k.Namespace + "/" + k.Name }

// Event is one change of one object.
type Event struct {
	// Version is the resourceVersion of the change; there is one counter for all kinds.
	Version int64
	Type    watch.EventType
	Key     Key
	// Object is the object after the change (its last state when it was deleted), Old the one before; nil: none. They are
	// shared: never change them. They have no managedFields.
	Object, Old *unstructured.Unstructured
	// User is who wrote.
	User string

	version, was *version
}

// Objects is a set of versions of objects: what a server stores, or what a cache has seen of it. It is read as a cache is:
// managedFields are left out. The zero value is not usable; Clone one of a Server.
//
// It may be read by many, but not while Put is called.
type Objects struct {
	schemas *Schemas
	lends   bool
	latest  int64
	kinds   map[schema.GroupKind][]row
}

type row struct {
	path    string
	version *version
}

// Clone is another set with the same content. It shares all versions, so it costs little.
func (o *Objects) Clone() *Objects {
	return &Objects{schemas: o.schemas, lends: o.lends, latest: o.latest, kinds: maps.Clone(o.kinds)}
}

// Empty is another set of the same kinds, with nothing in it.
func (o *Objects) Empty() *Objects {
	return &Objects{schemas: o.schemas, lends: o.lends, kinds: map[schema.GroupKind][]row{}}
}

// Put takes a change in. An older state may follow a newer one: what is put last is what the set has.
func (o *Objects) Put(e Event) {
	o.latest = max(o.latest, e.Version)
	if e.Type == watch.Deleted {
		o.remove(e.Key)
		return
	}
	v := e.version
	if v == nil {
		v = &version{object: e.Object}
	}
	o.set(e.Key, v)
}

// set replaces rows by a copy, because clones share them.
func (o *Objects) set(key Key, v *version) {
	rows := o.kinds[key.Kind]
	i, found := find(rows, key.path())
	changed := make([]row, 0, len(rows)+1)
	changed = append(append(changed, rows[:i]...), row{key.path(), v})
	if found {
		i++
	}
	o.kinds[key.Kind] = append(changed, rows[i:]...)
}

func (o *Objects) remove(key Key) {
	rows := o.kinds[key.Kind]
	if i, found := find(rows, key.path()); found {
		o.kinds[key.Kind] = slices.Delete(slices.Clone(rows), i, i+1)
	}
}

func find(rows []row, path string) (int, bool) {
	return slices.BinarySearchFunc(rows, path, func(r row, path string) int { return strings.Compare(r.path, path) })
}

func (o *Objects) version(key Key) *version {
	rows := o.kinds[key.Kind]
	if i, found := find(rows, key.path()); found {
		return rows[i].version
	}
	return nil
}

// Shared is the object itself, without a copy: never change it. Nil: there is none.
func (o *Objects) Shared(key Key) *unstructured.Unstructured {
	if v := o.version(key); v != nil {
		return v.object
	}
	return nil
}

// All are the objects of a kind in the order of a list, without copies: never change them. With a namespace, only those in it.
func (o *Objects) All(kind schema.GroupKind, namespace string) []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, r := range o.within(kind, namespace) {
		all = append(all, r.version.object)
	}
	return all
}

// within are the rows of a namespace, or all.
func (o *Objects) within(kind schema.GroupKind, namespace string) []row {
	rows := o.kinds[kind]
	if namespace == "" {
		return rows
	}
	first, _ := find(rows, namespace+"/")
	last, _ := find(rows, namespace+"0") // the character after the slash
	return rows[first:last]
}

// Latest is the resourceVersion of the last change in the set.
func (o *Objects) Latest() int64 { return o.latest }

// Get implements client.Reader.
func (o *Objects) Get(_ context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	k, err := o.schemas.of(object)
	if err != nil {
		return err
	}
	v := o.version(k.key(key.Namespace, key.Name))
	if v == nil {
		return apierrors.NewNotFound(k.groupResource(), key.Name)
	}
	return o.give(v, object, k)
}

// List implements client.Reader.
func (o *Objects) List(_ context.Context, list client.ObjectList, opts ...client.ListOption) error {
	options := (&client.ListOptions{}).ApplyOptions(opts)
	k, err := o.schemas.ofList(list)
	if err != nil {
		return err
	}
	chosen, err := choose(o.within(k.gvk.GroupKind(), options.Namespace), options)
	if err != nil {
		return err
	}
	list.SetResourceVersion(strconv.FormatInt(o.latest, 10))
	return fill(list, chosen, func(r row, into runtime.Object) error { return o.give(r.version, into, k) })
}

func (k *kind) key(namespace, name string) Key {
	if !k.namespaced {
		namespace = ""
	}
	return Key{Kind: k.gvk.GroupKind(), Namespace: namespace, Name: name}
}

// ConfigMaps are those of a namespace that a selector matches, in the order of their names, without copies: never change
// them. Admission policies have them as params.
func (o *Objects) ConfigMaps(namespace string, selector labels.Selector) []*unstructured.Unstructured {
	var chosen []*unstructured.Unstructured
	for _, u := range o.All(schema.GroupKind{Kind: "ConfigMap"}, namespace) {
		if selector.Matches(labelsOf(u)) {
			chosen = append(chosen, u)
		}
	}
	return chosen
}
