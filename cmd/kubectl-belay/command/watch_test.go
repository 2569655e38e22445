package command

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
)

const (
	firstLine  = "12:00:00  shop/checkout  Progressing  step 1/2  Bakes.\n"
	secondLine = "12:00:00  shop/checkout  Paused  step 1/2  Waits for a person.\n"
)

// Elsewhere than on a terminal a watch is a log: a line now, and one when something changed.
func TestWatchPrintsLines(t *testing.T) {
	for name, args := range map[string][]string{
		"one": {"get", "checkout", "--watch"},
		"all": {"get", "-A", "--watch"},
	} {
		t.Run(name, func(t *testing.T) {
			got := watched(t, args, nil)
			if got != firstLine+secondLine {
				t.Errorf("printed:\n%s", got)
			}
		})
	}
}

// On a terminal the text is drawn again in the same place.
func TestWatchRedraws(t *testing.T) {
	got := watched(t, []string{"get", "checkout", "--watch"}, func() (int, int) { return 80, 40 })
	frames := strings.Split(got, "\x1b[J")
	if len(frames) < 3 || !strings.Contains(frames[0], "Progressing") || !strings.Contains(frames[1], "Paused") || !strings.HasPrefix(frames[1], "\x1b[") {
		t.Errorf("drawn: %q", got)
	}
}

// watched runs a watch that sees one change after its first output and is interrupted after the second.
func watched(t *testing.T, args []string, size func() (int, int)) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ready := make(chan struct{}, 8)
	cl := &cluster{objects: []client.Object{rollout("checkout"), deployment(true)}}
	cl.funcs.Watch = func(ctx context.Context, c client.WithWatch, l client.ObjectList, opts ...client.ListOption) (watch.Interface, error) {
		w, err := c.Watch(ctx, l, opts...)
		if _, ok := l.(*v1alpha1.RolloutList); ok {
			ready <- struct{}{}
		}
		return w, err
	}
	out := &script{steps: []func() error{
		func() error {
			<-ready
			r := &v1alpha1.Rollout{}
			if err := cl.made.Get(ctx, client.ObjectKey{Namespace: "shop", Name: "checkout"}, r); err != nil {
				return err
			}
			r.Status.Phase, r.Status.Message = v1alpha1.PhasePaused, "Waits for a person."
			return cl.made.Status().Update(ctx, r)
		},
		func() error { cancel(); return nil },
	}}
	env := cl.environment(t, out, &bytes.Buffer{})
	if size != nil {
		env.Size = size
	}
	if code := Run(ctx, append(args, "--kubeconfig="+kubeconfig(t)), env); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	return out.String()
}

// script does something after each write.
type script struct {
	written bytes.Buffer
	steps   []func() error
}

func (s *script) String() string { return s.written.String() }

func (s *script) Write(p []byte) (int, error) {
	n, err := s.written.Write(p)
	if err != nil || len(s.steps) == 0 {
		return n, err
	}
	step := s.steps[0]
	s.steps = s.steps[1:]
	return n, step()
}
