package pods

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Status is what the node knows of the pod. It lacks what others write (PodScheduled, the QoS class).
func (p *Pod) Status() corev1.PodStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	status := corev1.PodStatus{
		ObservedGeneration:    p.object.Generation,
		Phase:                 p.phase(),
		HostIP:                p.rt.NodeIP,
		HostIPs:               []corev1.HostIP{{IP: p.rt.NodeIP}},
		PodIP:                 p.ip,
		PodIPs:                []corev1.PodIP{{IP: p.ip}},
		StartTime:             p.startTime.DeepCopy(),
		InitContainerStatuses: statuses(p.inits),
		ContainerStatuses:     statuses(p.containers),
	}
	p.updateConditions(status.Phase)
	status.Conditions = append(status.Conditions, p.conditions...)
	return status
}

func statuses(containers []*container) []corev1.ContainerStatus {
	var out []corev1.ContainerStatus
	for _, c := range containers {
		out = append(out, *c.status.DeepCopy())
	}
	return out
}

// phase is the pod's phase as a kubelet computes it from its containers.
func (p *Pod) phase() corev1.PodPhase {
	ended := closed(p.ended)
	failed := false
	for _, c := range append(p.inits[:len(p.inits):len(p.inits)], p.containers...) {
		state := c.status.State
		failed = failed || state.Terminated == nil || state.Terminated.ExitCode != 0
	}
	switch {
	case ended && failed:
		return corev1.PodFailed
	case ended:
		return corev1.PodSucceeded
	}
	for _, c := range p.inits {
		if done := c.status.State.Terminated; done == nil || done.ExitCode != 0 {
			return corev1.PodPending
		}
	}
	for _, c := range p.containers {
		if c.status.State.Waiting != nil && c.status.LastTerminationState.Terminated == nil {
			return corev1.PodPending
		}
	}
	return corev1.PodRunning
}

// updateConditions brings the conditions up to date; a condition's time moves only when its status does.
func (p *Pod) updateConditions(phase corev1.PodPhase) {
	initialized, uninitialized := ready(p.inits)
	containers, unready := ready(p.containers)
	reason := "ContainersNotReady"
	message := "containers with unready status: [" + strings.Join(unready, " ") + "]"
	if phase == corev1.PodSucceeded || phase == corev1.PodFailed {
		reason, message, containers = "PodCompleted", "", false
	}
	p.condition(corev1.PodReadyToStartContainers, true, "", "")
	p.condition(corev1.PodInitialized, initialized, "ContainersNotInitialized",
		"containers with incomplete status: ["+strings.Join(uninitialized, " ")+"]")
	p.condition(corev1.PodReady, containers, reason, message)
	p.condition(corev1.ContainersReady, containers, reason, message)
}

// ready says whether all containers are, and names those that are not.
func ready(containers []*container) (bool, []string) {
	var not []string
	for _, c := range containers {
		if !c.status.Ready {
			not = append(not, c.spec.Name)
		}
	}
	return len(not) == 0, not
}

func (p *Pod) condition(kind corev1.PodConditionType, ok bool, reason, message string) {
	next := corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, ObservedGeneration: p.object.Generation}
	if !ok {
		next.Status, next.Reason, next.Message = corev1.ConditionFalse, reason, message
	}
	next.LastTransitionTime = metav1.Now()
	for i, old := range p.conditions {
		if old.Type != kind {
			continue
		}
		if old.Status == next.Status {
			next.LastTransitionTime = old.LastTransitionTime
		}
		p.conditions[i] = next
		return
	}
	p.conditions = append(p.conditions, next)
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
