package pods

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/belay-dev/belay/e2e/parts/node/probe"
	"github.com/belay-dev/belay/e2e/parts/node/process"
)

// timingOf reads a probe's numbers. The API server has filled in the defaults; running is how long the container runs
// already, because the delay counts from its start.
func timingOf(p *corev1.Probe, running time.Duration) probe.Timing {
	seconds := func(n int32) time.Duration { return time.Duration(n) * time.Second }
	return probe.Timing{
		Delay:   max(0, seconds(p.InitialDelaySeconds)-running),
		Period:  max(seconds(p.PeriodSeconds), time.Second),
		Timeout: max(seconds(p.TimeoutSeconds), time.Second),
		Success: max(int(p.SuccessThreshold), 1),
		Failure: max(int(p.FailureThreshold), 1),
	}
}

func (c *container) preStop() *corev1.LifecycleHandler {
	if c.spec.Lifecycle == nil {
		return nil
	}
	return c.spec.Lifecycle.PreStop
}

// handle runs a lifecycle hook to its end.
func (c *container) handle(ctx context.Context, hook *corev1.LifecycleHandler, env []string) error {
	if hook.Sleep != nil {
		select {
		case <-time.After(time.Duration(hook.Sleep.Seconds) * time.Second):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return c.check(corev1.ProbeHandler{Exec: hook.Exec, HTTPGet: hook.HTTPGet, TCPSocket: hook.TCPSocket}, env)(ctx)
}

// check makes a question out of the part that probes and hooks have in common.
func (c *container) check(h corev1.ProbeHandler, env []string) probe.Check {
	switch {
	case h.Exec != nil:
		spec := process.Spec{Command: h.Exec.Command, Env: env, Dir: c.spec.WorkingDir}
		return func(ctx context.Context) error { return c.pod.rt.Starter.Exec(ctx, spec) }
	case h.HTTPGet != nil:
		address, err := c.address(h.HTTPGet.Host, h.HTTPGet.Port)
		if err != nil {
			return failing(err)
		}
		header := http.Header{}
		for _, pair := range h.HTTPGet.HTTPHeaders {
			header.Add(pair.Name, pair.Value)
		}
		scheme := strings.ToLower(string(h.HTTPGet.Scheme))
		if scheme == "" {
			scheme = "http"
		}
		return probe.HTTP(scheme+"://"+address+"/"+strings.TrimPrefix(h.HTTPGet.Path, "/"), header)
	case h.TCPSocket != nil:
		address, err := c.address(h.TCPSocket.Host, h.TCPSocket.Port)
		if err != nil {
			return failing(err)
		}
		return probe.TCP(address)
	}
	return failing(fmt.Errorf("container %q: probe or hook has no exec, httpGet or tcpSocket", c.spec.Name))
}

func failing(err error) probe.Check { return func(context.Context) error { return err } }

// address is where a probe goes: the pod's address unless it names another host; the port by number or by name.
func (c *container) address(host string, port intstr.IntOrString) (string, error) {
	if host == "" {
		host = c.pod.ip
	}
	if port.Type == intstr.Int {
		return net.JoinHostPort(host, port.String()), nil
	}
	for _, named := range c.spec.Ports {
		if named.Name == port.StrVal {
			return net.JoinHostPort(host, strconv.Itoa(int(named.ContainerPort))), nil
		}
	}
	if _, err := strconv.Atoi(port.StrVal); err == nil {
		return net.JoinHostPort(host, port.StrVal), nil
	}
	return "", fmt.Errorf("container %q: port %q is not one of its ports", c.spec.Name, port.StrVal)
}
