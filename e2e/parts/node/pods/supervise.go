package pods

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/belay-dev/belay/e2e/parts/node/probe"
	"github.com/belay-dev/belay/e2e/parts/node/process"
)

// minimumGrace is what a process gets for SIGTERM even when its preStop hook used up the grace period.
const minimumGrace = 2 * time.Second

// eager is how often a container that is not ready is asked, whatever the probe's period.
const eager = 100 * time.Millisecond

// supervise returns when the process is gone: by itself, or stopped because a probe or the pod's termination wants it.
func (c *container) supervise(proc *process.Process, env []string, started time.Time) {
	var probes sync.WaitGroup
	defer probes.Wait()
	// Readiness is asked until the process is gone, the others only until it is to stop.
	whole, endWhole := context.WithCancel(context.Background())
	defer endWhole()
	judged, endJudged := context.WithCancel(whole)
	defer endJudged()
	unhealthy := make(chan *corev1.Probe, 2)
	probes.Go(func() { c.probe(whole, judged, &probes, env, started, unhealthy) })

	select {
	case <-proc.Done():
	case failed := <-unhealthy:
		endJudged()
		kill, cancel := context.WithTimeout(c.pod.kill, c.grace(failed))
		defer cancel()
		c.stop(kill, proc, env)
	case <-c.pod.terminating:
		endJudged()
		c.pod.event(corev1.EventTypeNormal, "Killing", "Stopping container "+c.spec.Name)
		c.stop(c.pod.kill, proc, env)
	}
}

func (c *container) grace(failed *corev1.Probe) time.Duration {
	for _, seconds := range []*int64{failed.TerminationGracePeriodSeconds, c.pod.origin.Spec.TerminationGracePeriodSeconds} {
		if seconds != nil {
			return time.Duration(*seconds) * time.Second
		}
	}
	return 30 * time.Second
}

// stop ends the process: preStop, SIGTERM, and SIGKILL when kill ends.
func (c *container) stop(kill context.Context, proc *process.Process, env []string) {
	if hook := c.preStop(); hook != nil {
		ctx, cancel := context.WithCancel(kill)
		go func() {
			select {
			case <-proc.Done():
			case <-ctx.Done():
			}
			cancel()
		}()
		if err := c.handle(ctx, hook, env); err != nil && !errors.Is(err, context.Canceled) {
			c.pod.event(corev1.EventTypeWarning, "FailedPreStopHook", err.Error())
		}
		cancel()
		if kill.Err() != nil {
			var more context.CancelFunc
			kill, more = context.WithTimeout(context.Background(), minimumGrace)
			defer more()
		}
	}
	proc.Terminate()
	select {
	case <-proc.Done():
	case <-kill.Done():
		proc.Kill()
		<-proc.Done()
	}
}

// probe runs the container's probes until their contexts end. A probe that wants the container stopped goes to unhealthy.
func (c *container) probe(whole, judged context.Context, group *sync.WaitGroup, env []string, started time.Time, unhealthy chan<- *corev1.Probe) {
	stopOn := func(kind string, p *corev1.Probe) func(probe.Verdict) {
		return func(v probe.Verdict) {
			if v.Healthy {
				return
			}
			c.pod.event(corev1.EventTypeNormal, "Killing", fmt.Sprintf("Container %s failed %s probe, will be restarted", c.spec.Name, kind))
			select {
			case unhealthy <- p:
			default:
			}
		}
	}
	if p := c.spec.StartupProbe; p != nil {
		began := false
		ctx, cancel := context.WithCancel(judged)
		bad := stopOn("startup", p)
		c.watch(ctx, "Startup", p, env, started, false, func(v probe.Verdict) {
			if began = v.Healthy; began {
				cancel()
			}
			bad(v)
		})
		cancel()
		if !began {
			return
		}
		c.pod.set(func() {
			c.status.Started = &began
			c.status.Ready = c.spec.ReadinessProbe == nil && !c.init
		})
	}
	if p := c.spec.LivenessProbe; p != nil {
		group.Go(func() { c.watch(judged, "Liveness", p, env, started, true, stopOn("liveness", p)) })
	}
	if p := c.spec.ReadinessProbe; p != nil {
		c.watch(whole, "Readiness", p, env, started, false, func(v probe.Verdict) {
			c.pod.set(func() { c.status.Ready = v.Healthy })
		})
	}
}

func (c *container) watch(ctx context.Context, kind string, p *corev1.Probe, env []string, started time.Time, initial bool, changed func(probe.Verdict)) {
	timing := timingOf(p, time.Since(started))
	if kind == "Readiness" && timing.Success == 1 {
		timing.Eager = eager
	}
	var told time.Time
	failed := func(err error) {
		if time.Since(told) < timing.Period {
			return // the eager questions in between would drown the pod's other events
		}
		told = time.Now()
		c.pod.event(corev1.EventTypeWarning, "Unhealthy", fmt.Sprintf("%s probe failed: %v", kind, err))
	}
	probe.Watch(ctx, timing, c.check(p.ProbeHandler, env), initial, failed, changed)
}
