package pods

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestRunningPod(t *testing.T) {
	b := newBench(t)
	p := b.start(t, pod("echo $POD_IP $NAME $VERSION $HOSTNAME $COMBINED; exec sleep 300", func(s *corev1.PodSpec) {
		s.Containers[0].Env = []corev1.EnvVar{
			{Name: "NAME", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}},
			{Name: "VERSION", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels['version']"}}},
			{Name: "COMBINED", Value: "$(NAME)/$(VERSION)"},
		}
	}))
	s := until(t, p, "Ready", isReady)
	if s.Phase != corev1.PodRunning || s.PodIP != "127.0.0.1" || s.HostIP != "10.244.0.1" || s.ObservedGeneration != 3 || s.StartTime == nil {
		t.Errorf("status = %+v", s)
	}
	if c := s.ContainerStatuses[0]; !c.Ready || !*c.Started || c.State.Running == nil || c.RestartCount != 0 || c.ContainerID == "" {
		t.Errorf("container = %+v", c)
	}
	deadline, tick := time.Now().Add(soon), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	want := "127.0.0.1 web-1 v2 web-1 web-1/v2\n"
	for b.output(t) != want {
		if time.Now().After(deadline) {
			t.Fatalf("output = %q, want %q", b.output(t), want)
		}
		<-tick.C
	}
}

func TestImageThatIsNotThere(t *testing.T) {
	b := newBench(t)
	p := b.start(t, pod("exec sleep 300", func(s *corev1.PodSpec) { s.Containers[0].Image = "app:v9" }))
	s := until(t, p, "ErrImagePull", waitsWith("ErrImagePull"))
	if s.Phase != corev1.PodPending || isReady(s) {
		t.Errorf("phase = %s, want Pending and not ready", s.Phase)
	}
	until(t, p, "ImagePullBackOff", waitsWith("ImagePullBackOff"))
	b.push(t, "sh", "app:v9")
	until(t, p, "Ready after the image was pushed", isReady)
}

func TestCrashLoop(t *testing.T) {
	b := newBench(t)
	p := b.start(t, pod("exit 7", nil))
	s := until(t, p, "CrashLoopBackOff", waitsWith("CrashLoopBackOff"))
	c := s.ContainerStatuses[0]
	if c.RestartCount != 1 || c.LastTerminationState.Terminated == nil || c.LastTerminationState.Terminated.ExitCode != 7 {
		t.Errorf("container = %+v, want one immediate restart and the exit code of the last end", c)
	}
	if s.Phase != corev1.PodRunning {
		t.Errorf("phase = %s, want Running as a kubelet says of a crash loop", s.Phase)
	}
	until(t, p, "a second restart after the back-off", func(s corev1.PodStatus) bool { return s.ContainerStatuses[0].RestartCount == 2 })
}

func TestRestartPolicies(t *testing.T) {
	cases := map[string]struct {
		policy corev1.RestartPolicy
		script string
		want   corev1.PodPhase
	}{
		"Never, success":     {corev1.RestartPolicyNever, "exit 0", corev1.PodSucceeded},
		"Never, failure":     {corev1.RestartPolicyNever, "exit 1", corev1.PodFailed},
		"OnFailure, success": {corev1.RestartPolicyOnFailure, "exit 0", corev1.PodSucceeded},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := newBench(t).start(t, pod(tc.script, func(s *corev1.PodSpec) { s.RestartPolicy = tc.policy }))
			s := until(t, p, string(tc.want), func(s corev1.PodStatus) bool { return s.Phase == tc.want })
			if isReady(s) || s.ContainerStatuses[0].RestartCount != 0 {
				t.Errorf("status = %+v", s)
			}
		})
	}
}

func TestInitContainersRunFirst(t *testing.T) {
	b := newBench(t)
	p := b.start(t, pod("cat "+b.file("seed")+"; exec sleep 300", func(s *corev1.PodSpec) {
		s.InitContainers = []corev1.Container{{Name: "seed", Image: "sh", Args: []string{"-c", "echo seeded > " + b.file("seed")}}}
	}))
	until(t, p, "Ready", isReady)
	exists(t, b.file("seed"))
}

func TestUnsupportedIsSaid(t *testing.T) {
	p := newBench(t).start(t, pod("exec sleep 300", func(s *corev1.PodSpec) {
		s.Containers[0].EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{}}}
	}))
	s := until(t, p, "CreateContainerConfigError", waitsWith("CreateContainerConfigError"))
	if message := s.ContainerStatuses[0].State.Waiting.Message; !strings.Contains(message, `container "web" has envFrom`) {
		t.Errorf("message = %q", message)
	}
}

func TestReadinessFollowsTheProbe(t *testing.T) {
	var status atomic.Int32
	status.Store(http.StatusServiceUnavailable)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) }))
	defer server.Close()
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	p := b.start(t, pod("exec sleep 300", func(s *corev1.PodSpec) {
		s.Containers[0].ReadinessProbe = &corev1.Probe{
			ProbeHandler:     corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString(address.Port())}},
			PeriodSeconds:    1,
			FailureThreshold: 1,
		}
	}))
	s := until(t, p, "running", func(s corev1.PodStatus) bool { return s.Phase == corev1.PodRunning })
	if isReady(s) {
		t.Error("ready before the probe succeeded")
	}
	status.Store(http.StatusOK)
	set := time.Now()
	until(t, p, "Ready", isReady)
	if took := time.Since(set); took > time.Second {
		t.Errorf("ready %s after the container was, want well under the period", took)
	}
	status.Store(http.StatusServiceUnavailable)
	until(t, p, "not Ready", func(s corev1.PodStatus) bool { return !isReady(s) })
	if !b.reported("Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503") {
		t.Errorf("events = %v", b.events)
	}
}

func TestLivenessRestarts(t *testing.T) {
	b := newBench(t)
	p := b.start(t, pod("exec sleep 300", func(s *corev1.PodSpec) {
		s.Containers[0].LivenessProbe = &corev1.Probe{ProbeHandler: exec("test ! -e " + b.file("sick")), PeriodSeconds: 1, FailureThreshold: 1}
		s.Containers[0].Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{
			Exec: &corev1.ExecAction{Command: []string{"/bin/sh", "-c", "rm " + b.file("sick")}}}}
	}))
	until(t, p, "Ready", isReady)
	b.touch(t, "sick")
	s := until(t, p, "a restarted and running container", func(s corev1.PodStatus) bool {
		return s.ContainerStatuses[0].RestartCount == 1 && isReady(s)
	})
	if last := s.ContainerStatuses[0].LastTerminationState.Terminated; last == nil || last.ExitCode != 143 {
		t.Errorf("last state = %+v, want ended by SIGTERM", last)
	}
	if !b.reported("Killing: Container web failed liveness probe, will be restarted") {
		t.Errorf("events = %v", b.events)
	}
}

func TestStartupComesBeforeReadiness(t *testing.T) {
	b := newBench(t)
	p := b.start(t, pod("exec sleep 300", func(s *corev1.PodSpec) {
		s.Containers[0].StartupProbe = &corev1.Probe{ProbeHandler: exec("test -e " + b.file("started")), PeriodSeconds: 1, FailureThreshold: 30}
		s.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: exec(": >> " + b.file("asked")), PeriodSeconds: 1}
	}))
	until(t, p, "running", func(s corev1.PodStatus) bool { return s.ContainerStatuses[0].State.Running != nil })
	b.untilReported(t, "Unhealthy: Startup probe failed")
	b.missing(t, "asked")
	if s := p.Status(); *s.ContainerStatuses[0].Started || isReady(s) {
		t.Errorf("status = %+v, want neither started nor ready", s)
	}
	b.touch(t, "started")
	until(t, p, "Ready", isReady)
}

func TestStartupFailureRestarts(t *testing.T) {
	p := newBench(t).start(t, pod("exec sleep 300", func(s *corev1.PodSpec) {
		s.Containers[0].StartupProbe = &corev1.Probe{ProbeHandler: exec("exit 1"), PeriodSeconds: 1, FailureThreshold: 1}
	}))
	until(t, p, "a restart", func(s corev1.PodStatus) bool { return s.ContainerStatuses[0].RestartCount == 1 })
}
