package sim

import (
	"sort"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/belay-dev/belay/controllers/sim/server"
)

// history is every version of every object, by kind, in the order of the writes.
type history struct {
	kinds []schema.GroupKind
	of    map[schema.GroupKind][]server.Event
	at    map[schema.GroupKind][]time.Time
}

func newHistory() *history {
	return &history{of: map[schema.GroupKind][]server.Event{}, at: map[schema.GroupKind][]time.Time{}}
}

func (h *history) add(e server.Event, now time.Time) {
	kind := e.Key.Kind
	if _, known := h.of[kind]; !known {
		h.kinds = append(h.kinds, kind)
	}
	h.of[kind] = append(h.of[kind], e)
	h.at[kind] = append(h.at[kind], now)
}

// before is how many versions of a kind there were at a moment.
func (h *history) before(kind schema.GroupKind, t time.Time) int {
	at := h.at[kind]
	return sort.Search(len(at), func(i int) bool { return at[i].After(t) })
}
