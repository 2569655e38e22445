package pods

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/e2e/parts/node/images"
	"github.com/belay-dev/belay/e2e/parts/node/process"
)

const soon = 20 * time.Second

// bench is a runtime with one image, "sh", and the events that it reported.
type bench struct {
	*Runtime
	dir string

	mu     sync.Mutex
	events []string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{dir: dir}
	b.push(t, "sh")
	b.Runtime = &Runtime{
		Starter: process.NewStarter(),
		Images:  images.File(filepath.Join(dir, "images.json")),
		LogDir:  dir,
		NodeIP:  "10.244.0.1",
		Restart: Backoff{Initial: 300 * time.Millisecond, Max: time.Minute},
		Pull:    Backoff{Initial: 20 * time.Millisecond, Max: time.Minute},
		Event: func(_ *corev1.Pod, _, reason, message string) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.events = append(b.events, reason+": "+message)
		},
	}
	return b
}

func (b *bench) push(t *testing.T, names ...string) {
	t.Helper()
	all := map[string]images.Image{}
	for _, name := range names {
		all[name] = images.Image{Command: []string{"/bin/sh", "-c", "exec sleep 300"}}
	}
	raw, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "images.json"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) file(name string) string { return filepath.Join(b.dir, name) }

func (b *bench) reported(part string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Contains(strings.Join(b.events, "\n"), part)
}

func (b *bench) output(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile(b.file("shop_web-1_web.log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// pod has one container, web, that runs a shell script.
func pod(script string, change func(*corev1.PodSpec)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-1", UID: "uid-1", Generation: 3, Labels: map[string]string{"version": "v2"}},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyAlways,
			Containers:    []corev1.Container{{Name: "web", Image: "sh", Args: []string{"-c", script}}},
		},
	}
	if change != nil {
		change(&p.Spec)
	}
	return p
}

func (b *bench) start(t *testing.T, object *corev1.Pod) *Pod {
	t.Helper()
	p := b.Start(object, "127.0.0.1")
	t.Cleanup(func() {
		p.Terminate(0)
		<-p.Gone()
	})
	return p
}

// until waits for a status that satisfies want.
func until(t *testing.T, p *Pod, what string, want func(corev1.PodStatus) bool) corev1.PodStatus {
	t.Helper()
	deadline := time.After(soon)
	for {
		status := p.Status()
		if want(status) {
			return status
		}
		select {
		case <-p.Changed():
		case <-deadline:
			raw, _ := json.MarshalIndent(status, "", " ")
			t.Fatalf("no status with %s; last:\n%s", what, raw)
		}
	}
}

func exists(t *testing.T, path string) {
	t.Helper()
	deadline := time.Now().Add(soon)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for _, err := os.Stat(path); err != nil; _, err = os.Stat(path) {
		if time.Now().After(deadline) {
			t.Fatalf("%s never appeared", filepath.Base(path))
		}
		<-tick.C
	}
}

func isReady(s corev1.PodStatus) bool {
	for _, c := range s.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func waitsWith(reason string) func(corev1.PodStatus) bool {
	return func(s corev1.PodStatus) bool {
		w := s.ContainerStatuses[0].State.Waiting
		return w != nil && w.Reason == reason
	}
}

func exec(script string) corev1.ProbeHandler {
	return corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"/bin/sh", "-c", script}}}
}
