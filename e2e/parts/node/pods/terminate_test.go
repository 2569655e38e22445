package pods

import (
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func (b *bench) touch(t *testing.T, name string) {
	t.Helper()
	if err := os.WriteFile(b.file(name), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) missing(t *testing.T, name string) {
	t.Helper()
	if _, err := os.Stat(b.file(name)); err == nil {
		t.Errorf("%s exists", name)
	}
}

func (b *bench) untilReported(t *testing.T, part string) {
	t.Helper()
	deadline, tick := time.Now().Add(soon), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !b.reported(part) {
		if time.Now().After(deadline) {
			t.Fatalf("no event with %q", part)
		}
		<-tick.C
	}
}

func gone(t *testing.T, p *Pod) {
	t.Helper()
	select {
	case <-p.Gone():
	case <-time.After(soon):
		t.Fatal("the pod is still there")
	}
}

// The order is the whole point: users are served until preStop is over, and the pod is there until the process is not.
func TestGracefulTermination(t *testing.T) {
	b := newBench(t)
	script := "trap 'echo TERM; sleep 0.3; exit 0' TERM; : > " + b.file("up") + "; while :; do sleep 0.02; done"
	p := b.start(t, pod(script, func(s *corev1.PodSpec) {
		s.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: exec("test ! -e " + b.file("draining")), PeriodSeconds: 1, FailureThreshold: 1}
		s.Containers[0].Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{
			Exec: &corev1.ExecAction{Command: []string{"/bin/sh", "-c", ": > " + b.file("draining") + "; while test ! -e " + b.file("go") + "; do sleep 0.02; done"}}}}
	}))
	until(t, p, "Ready", isReady)
	exists(t, b.file("up"))
	p.Terminate(time.Minute)
	exists(t, b.file("draining"))
	until(t, p, "not Ready while the hook runs", func(s corev1.PodStatus) bool {
		return !isReady(s) && s.ContainerStatuses[0].State.Running != nil
	})
	if got := b.output(t); got != "" {
		t.Errorf("output = %q, want that SIGTERM waits for preStop", got)
	}
	b.touch(t, "go")
	gone(t, p)
	if got := b.output(t); got != "TERM\n" {
		t.Errorf("output = %q, want TERM", got)
	}
	if s := p.Status(); s.Phase != corev1.PodSucceeded || isReady(s) || s.ContainerStatuses[0].State.Terminated == nil {
		t.Errorf("status = %+v, want Succeeded", s)
	}
}

func TestGracePeriodEndsInSIGKILL(t *testing.T) {
	b := newBench(t)
	p := b.start(t, pod("trap '' TERM; : > "+b.file("up")+"; while :; do sleep 0.02; done", nil))
	exists(t, b.file("up"))
	p.Terminate(time.Hour)
	p.Terminate(100 * time.Millisecond) // a second deletion may shorten the grace period
	p.Terminate(time.Hour)              // and never lengthens it
	gone(t, p)
	s := p.Status()
	if code := s.ContainerStatuses[0].State.Terminated.ExitCode; code != 137 || s.Phase != corev1.PodFailed {
		t.Errorf("exit code = %d, phase = %s, want 137 and Failed", code, s.Phase)
	}
}

func TestTerminateInEveryState(t *testing.T) {
	cases := map[string]struct {
		pod   *corev1.Pod
		state func(corev1.PodStatus) bool
	}{
		"waits for its image": {
			pod:   pod("", func(s *corev1.PodSpec) { s.Containers[0].Image = "app:v9" }),
			state: waitsWith("ImagePullBackOff"),
		},
		"backs off": {pod: pod("exit 1", nil), state: waitsWith("CrashLoopBackOff")},
		"is complete": {
			pod:   pod("exit 0", func(s *corev1.PodSpec) { s.RestartPolicy = corev1.RestartPolicyNever }),
			state: func(s corev1.PodStatus) bool { return s.Phase == corev1.PodSucceeded },
		},
		"is not supported": {
			pod: pod("", func(s *corev1.PodSpec) {
				s.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: 1}}}
			}),
			state: waitsWith("CreateContainerConfigError"),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := newBench(t).start(t, tc.pod)
			until(t, p, name, tc.state)
			select {
			case <-p.Gone():
				t.Fatal("gone before it was terminated")
			default:
			}
			p.Terminate(time.Hour)
			gone(t, p)
		})
	}
}
