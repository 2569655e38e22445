package pods

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/belay-dev/belay/e2e/parts/node/images"
	"github.com/belay-dev/belay/e2e/parts/node/process"
)

// Backoff is how long to wait between tries: Initial, doubled each time, up to Max.
type Backoff struct {
	Initial, Max time.Duration
}

// Runtime is what the pods of a node share.
type Runtime struct {
	Starter *process.Starter
	Images  images.File
	// LogDir receives one file per container, <namespace>_<pod>_<container>.log, over all of its restarts.
	LogDir string
	NodeIP string
	// Restart applies to containers that end, Pull to images that are not there.
	Restart, Pull Backoff
	// Event reports what a kubelet would report as an Event. kind is corev1.EventTypeNormal or EventTypeWarning.
	Event func(pod *corev1.Pod, kind, reason, message string)
}

// delays hands out the waits of one container. The first restart is immediate, as with a kubelet.
type delays struct {
	Backoff
	next time.Duration
}

// after is the wait before the next try when the last one lasted ran.
func (d *delays) after(ran time.Duration) time.Duration {
	if ran >= 2*d.Max {
		d.next = 0
	}
	wait := d.next
	d.next = min(max(2*d.next, d.Initial), d.Max)
	return wait
}
