package pods

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/e2e/parts/node/images"
	"github.com/belay-dev/belay/e2e/parts/node/process"
)

// container runs one container of a pod. Its status is guarded by the pod's mutex.
type container struct {
	pod    *Pod
	spec   corev1.Container
	init   bool
	status corev1.ContainerStatus
}

func newContainer(p *Pod, spec corev1.Container, init bool) *container {
	no := false
	reason := "ContainerCreating"
	if init || len(p.origin.Spec.InitContainers) > 0 {
		reason = "PodInitializing"
	}
	return &container{pod: p, spec: spec, init: init, status: corev1.ContainerStatus{
		Name:    spec.Name,
		Image:   spec.Image,
		Started: &no,
		State:   corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}},
	}}
}

// run starts the container again and again as its restart policy says and returns when it will not run any more.
func (c *container) run() {
	image, ok := c.pull()
	if !ok {
		return
	}
	backoff := delays{Backoff: c.pod.rt.Restart}
	for {
		began := time.Now()
		exit := c.once(image)
		select {
		case <-c.pod.terminating:
			return
		default:
		}
		if !c.restarts(exit) {
			return
		}
		if wait := backoff.after(time.Since(began)); wait > 0 {
			message := fmt.Sprintf("back-off %s restarting failed container=%s pod=%s_%s(%s)", wait, c.spec.Name,
				c.pod.origin.Name, c.pod.origin.Namespace, c.pod.origin.UID)
			c.waiting("CrashLoopBackOff", message)
			c.pod.event(corev1.EventTypeWarning, "BackOff", "Back-off restarting failed container "+c.spec.Name)
			if !c.pod.pause(wait) {
				return
			}
		}
		c.pod.set(func() { c.status.RestartCount++ })
	}
}

// pull waits until the image exists; false means that the pod is being terminated.
func (c *container) pull() (images.Image, bool) {
	backoff := delays{Backoff: c.pod.rt.Pull, next: c.pod.rt.Pull.Initial}
	for {
		image, err := c.pod.rt.Images.Lookup(c.spec.Image)
		if err == nil {
			return image, true
		}
		c.waiting("ErrImagePull", err.Error())
		c.pod.event(corev1.EventTypeWarning, "Failed", fmt.Sprintf("Failed to pull image %q: %v", c.spec.Image, err))
		if !c.pod.pause(min(time.Second, c.pod.rt.Pull.Initial)) {
			return images.Image{}, false
		}
		c.waiting("ImagePullBackOff", fmt.Sprintf("Back-off pulling image %q: ErrImagePull: %v", c.spec.Image, err))
		if !c.pod.pause(backoff.after(0)) {
			return images.Image{}, false
		}
	}
}

// once runs the container from its start to its end and records both.
func (c *container) once(image images.Image) process.Exit {
	log, err := os.OpenFile(c.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return c.notStarted(err)
	}
	defer func() { _ = log.Close() }()
	env, err := environment(c.pod.Object(), c.pod.ip, c.pod.rt.NodeIP, image, c.spec)
	if err != nil {
		return c.notStarted(err)
	}
	proc, err := c.pod.rt.Starter.Start(process.Spec{
		Command: expandAll(image.Run(c.spec.Command, c.spec.Args), env),
		Env:     env,
		Dir:     c.spec.WorkingDir,
		Output:  log,
	})
	if err != nil {
		return c.notStarted(err)
	}
	started := metav1.Now()
	c.pod.set(func() { c.began(started) })
	c.pod.event(corev1.EventTypeNormal, "Started", "Started container "+c.spec.Name)
	c.supervise(proc, env, started.Time)
	exit := proc.Exit()
	c.pod.set(func() { c.exited(started, exit) })
	return exit
}

// notStarted records a container that could not be started, as a container runtime reports it.
func (c *container) notStarted(err error) process.Exit {
	c.pod.event(corev1.EventTypeWarning, "Failed", "Error: "+err.Error())
	now := metav1.Now()
	exit := process.Exit{Code: 128, At: now.Time}
	c.pod.set(func() {
		c.exited(now, exit)
		c.status.State.Terminated.Reason = "StartError"
		c.status.State.Terminated.Message = err.Error()
	})
	return exit
}

func (c *container) restarts(exit process.Exit) bool {
	switch policy := c.pod.origin.Spec.RestartPolicy; {
	case c.init || policy == corev1.RestartPolicyOnFailure:
		return exit.Code != 0 && policy != corev1.RestartPolicyNever
	default:
		return policy != corev1.RestartPolicyNever
	}
}

func (c *container) logFile() string {
	name := fmt.Sprintf("%s_%s_%s.log", c.pod.origin.Namespace, c.pod.origin.Name, c.spec.Name)
	return filepath.Join(c.pod.rt.LogDir, name)
}
