package controllers

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// written remembers the last sequence that this process recorded for each Rollout, so that no decision is made on a
// cache that does not show it yet. It is no state: losing it costs nothing, the server's preconditions stand behind it.
type written struct {
	mu   sync.Mutex
	last map[types.NamespacedName]mark
}

type mark struct {
	uid      types.UID
	sequence int64
}

func (w *written) remember(r *v1alpha1.Rollout, sequence int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last == nil {
		w.last = map[types.NamespacedName]mark{}
	}
	w.last[client.ObjectKeyFromObject(r)] = mark{r.UID, sequence}
}

// ahead says that the Rollout is older than what was recorded.
func (w *written) ahead(r *v1alpha1.Rollout) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, ok := w.last[client.ObjectKeyFromObject(r)]
	if !ok || m.uid != r.UID {
		return false
	}
	return r.Status.Progress == nil || r.Status.Progress.Sequence < m.sequence
}

func (w *written) forget(key types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.last, key)
}
