package server

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// unread is how many events a watch keeps for somebody who does not read them; then it ends, as a real one does.
const unread = 1000

// Watch tells of the changes from now on of the objects that a list would give. An object that stops to match is told as
// deleted, one that begins to as added.
func (c *connection) Watch(_ context.Context, list client.ObjectList, opts ...client.ListOption) (watch.Interface, error) {
	options := (&client.ListOptions{}).ApplyOptions(opts)
	k, err := c.s.schemas.ofList(list)
	if err != nil {
		return nil, err
	}
	_, untyped := list.(runtime.Unstructured)
	w := &watcher{s: c.s, k: k, options: options, untyped: untyped, events: make(chan watch.Event, unread)}
	c.s.OnWrite(w.told)
	return w, nil
}

type watcher struct {
	s       *Server
	k       *kind
	options *client.ListOptions
	untyped bool

	mu      sync.Mutex
	stopped bool
	events  chan watch.Event
}

func (w *watcher) ResultChan() <-chan watch.Event { return w.events }

// Stop ends the watch.
func (w *watcher) Stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop()
}

func (w *watcher) stop() {
	if !w.stopped {
		w.stopped = true
		close(w.events)
	}
}

func (w *watcher) told(e Event) {
	if e.Key.Kind != w.k.gvk.GroupKind() || (w.options.Namespace != "" && e.Key.Namespace != w.options.Namespace) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return
	}
	out, is := w.event(e)
	if !is {
		return
	}
	select {
	case w.events <- out:
	default:
		w.stop()
	}
}

// event is what the watcher sees of a change.
func (w *watcher) event(e Event) (watch.Event, bool) {
	before := e.Old != nil && w.matches(&version{object: e.Old})
	after := e.Type != watch.Deleted && w.matches(e.version)
	out := watch.Event{Type: watch.Modified}
	switch {
	case !before && !after:
		return out, false
	case !before:
		out.Type = watch.Added
	case !after:
		out.Type = watch.Deleted
	}
	shown := e.version
	if !after && e.Type != watch.Deleted {
		shown = e.unmatched()
	}
	object, err := w.copy(shown)
	if err != nil {
		return watch.Event{}, false
	}
	out.Object = object
	return out, true
}

func (w *watcher) matches(v *version) bool {
	chosen, err := choose([]row{{version: v}}, w.options)
	return err == nil && len(chosen) == 1
}

// unmatched is the last state that matched, with the version of the change.
func (e Event) unmatched() *version {
	last := editable(e.Old.Object)
	metadata(last)["resourceVersion"] = e.Object.GetResourceVersion()
	return newVersion(last, e.was.owners)
}

func (w *watcher) copy(v *version) (runtime.Object, error) {
	w.s.writing.Lock()
	defer w.s.writing.Unlock()
	v, err := w.s.shown(v)
	if err != nil {
		return nil, err
	}
	if w.untyped {
		return v.object.DeepCopy(), nil
	}
	shared, err := v.as(w.s.schemas.scheme, w.k.gvk)
	if err != nil {
		return nil, err
	}
	object := shared.DeepCopyObject()
	return object, untyped(object, nil)
}
