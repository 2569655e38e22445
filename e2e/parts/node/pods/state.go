package pods

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/e2e/parts/node/process"
)

// waiting records that the container does not run and why. What ended before is kept as its last state.
func (c *container) waiting(reason, message string) {
	c.pod.set(func() {
		if c.status.State.Terminated != nil {
			c.status.LastTerminationState = c.status.State
		}
		c.status.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
		c.status.Ready = false
	})
}

// began and the functions below change the status and need the pod's mutex.
func (c *container) began(at metav1.Time) {
	if c.status.State.Terminated != nil {
		c.status.LastTerminationState = c.status.State
	}
	started := c.spec.StartupProbe == nil
	c.status.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at}}
	c.status.ContainerID = fmt.Sprintf("process://%s/%s/%d", c.pod.origin.UID, c.spec.Name, c.status.RestartCount)
	c.status.ImageID = c.spec.Image
	c.status.Started = &started
	c.status.Ready = started && c.spec.ReadinessProbe == nil && !c.init
}

func (c *container) exited(started metav1.Time, exit process.Exit) {
	no := false
	reason := "Completed"
	if exit.Code != 0 {
		reason = "Error"
	}
	if c.status.State.Terminated != nil {
		c.status.LastTerminationState = c.status.State
	}
	c.status.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode:    int32(exit.Code),
		Signal:      int32(exit.Signal),
		Reason:      reason,
		StartedAt:   started,
		FinishedAt:  metav1.NewTime(exit.At),
		ContainerID: c.status.ContainerID,
	}}
	c.status.Started = &no
	c.status.Ready = c.init && exit.Code == 0
}

func (c *container) succeeded() bool {
	c.pod.mu.Lock()
	defer c.pod.mu.Unlock()
	return c.status.State.Terminated != nil && c.status.State.Terminated.ExitCode == 0
}
