package sim

import (
	"context"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/sim/server"
)

// cache is what a process has seen of the API server: one watch for each kind, and each of them lags by itself. Between
// two looks of a watch only the last version of an object is seen.
type cache struct {
	process *process
	mu      sync.Mutex
	seen    *server.Objects
	watches map[schema.GroupKind]*watching
	stopped bool
}

// watching is one watch.
type watching struct {
	kind schema.GroupKind
	// at is how far in the history of its kind it has come.
	at      int
	pending bool
}

// wakes are the kinds whose changes have the Rollouts of their namespace looked at, as controllers.Setup registers them.
var wakes = []string{"Rollout", "ConfigMap", "Service", "EndpointSlice", "AnalysisTemplate", "ClusterAnalysisTemplate", "Repository", "Deployment", "ReplicaSet", "HTTPRoute"}

func newCache(p *process) *cache {
	return &cache{process: p, seen: p.world.api.Objects().Empty(), watches: map[schema.GroupKind]*watching{}}
}

// start lists every kind, maybe from a server that lags itself, and then watches. Every Rollout is looked at.
func (c *cache) start() {
	w := c.process.world
	for _, kind := range w.history.kinds {
		at := len(w.history.of[kind])
		if back := w.faults.staleStart(); back > 0 {
			at = w.history.before(kind, w.schedule.Now().Add(-back))
		}
		c.watches[kind] = &watching{kind: kind}
		c.advance(c.watches[kind], at)
	}
	for _, key := range c.rollouts() {
		c.process.queue.add(key)
	}
	for _, kind := range w.history.kinds {
		c.changed(kind)
	}
}

func (c *cache) stop() { c.stopped = true }

// changed says that there is something new of a kind.
func (c *cache) changed(kind schema.GroupKind) {
	w := c.process.world
	seen, ok := c.watches[kind]
	if !ok {
		seen = &watching{kind: kind}
		c.watches[kind] = seen
	}
	if seen.pending || c.stopped || seen.at >= len(w.history.of[kind]) {
		return
	}
	seen.pending = true
	w.schedule.After(w.faults.lag(), c.process.name+" sees "+kind.Kind, func() {
		c.process.do(func() { c.look(seen) })
	})
}

// look takes what has happened up to now, or a part of it.
func (c *cache) look(kind *watching) {
	kind.pending = false
	if c.stopped {
		return
	}
	w := c.process.world
	end := len(w.history.of[kind.kind])
	if n := end - kind.at; n > 1 && w.schedule.Chance(0.3) {
		end = kind.at + 1 + w.schedule.Rand().IntN(n-1)
	}
	news := c.advance(kind, end)
	if slices.Contains(wakes, kind.kind.Kind) && !w.faults.dropsNews(c.process) {
		c.wake(kind.kind, news)
	}
	c.changed(kind.kind)
}

func (c *cache) advance(seen *watching, end int) (namespaces []string) {
	w := c.process.world
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range w.history.of[seen.kind][seen.at:end] {
		if e.Key.Kind.Kind == "ConfigMap" && e.Object.GetLabels()[v1alpha1.LabelAttempt] != "true" {
			e.Type = watch.Deleted
		}
		c.seen.Put(e)
		namespaces = append(namespaces, e.Key.Namespace)
	}
	seen.at = end
	return namespaces
}

func (c *cache) wake(kind schema.GroupKind, namespaces []string) {
	everywhere := kind.Kind == "ClusterAnalysisTemplate" || kind.Kind == "Repository"
	for _, key := range c.rollouts() {
		if everywhere || slices.Contains(namespaces, key.Namespace) {
			c.process.queue.add(key)
		}
	}
}

// rollouts that the cache shows, in order.
func (c *cache) rollouts() []types.NamespacedName {
	var list v1alpha1.RolloutList
	if err := c.List(context.Background(), &list); err != nil {
		return nil
	}
	var out []types.NamespacedName
	for i := range list.Items {
		out = append(out, client.ObjectKeyFromObject(&list.Items[i]))
	}
	return out
}

// Get and List are called from every goroutine of the process.
func (c *cache) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen.Get(ctx, key, o, opts...)
}

func (c *cache) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen.List(ctx, list, opts...)
}
