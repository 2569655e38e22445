package crashpoints

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/belay-dev/belay/e2e/proxy"
	"github.com/belay-dev/belay/e2e/world"
)

// when, beside a write, the controller dies.
type when string

const (
	before when = "before" // the API server never hears of the write
	after  when = "after"  // it has answered, and nobody is there to hear the answer
)

// point at which a controller dies. The zero value is never.
type point struct {
	write string
	when  when
}

// mortal is a shop's own controller, which sees no other shop. It dies at its point, and is started again at once.
type mortal struct {
	t          *testing.T
	controller *world.Controller
	names      namer
	dead       chan struct{}
	once       sync.Once

	mu    sync.Mutex
	point point
	found func(string)
	// back is what happens to the write that is kept back, once.
	kept string
	back func(*proxy.Write) *proxy.Answer
	all  []write
}

// write that the API server has accepted.
type write struct {
	*proxy.Write
	name string
	// came is when it reached the proxy.
	came time.Time
}

// start starts a controller that sees one shop, which is still to be opened.
func start(t *testing.T, o world.ReplicaOptions, shop string) *mortal {
	t.Helper()
	m := &mortal{t: t, dead: make(chan struct{})}
	o.Kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	p, err := proxy.Start(proxy.Options{Kubeconfig: shared.Belay.Kubeconfig(), Through: o.Kubeconfig, Window: shop, Write: m.write})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	if m.controller, err = shared.Replica(o); err != nil {
		t.Fatal(err)
	}
	if err := m.controller.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.WithoutCancel(t.Context()))
	var rising sync.WaitGroup
	rising.Go(func() { m.riseAgain(ctx) })
	t.Cleanup(func() {
		end()
		rising.Wait()
		m.controller.Kill()
		if t.Failed() {
			t.Logf("the writes:%s\n%s", list(m.writes()), m.controller.LogTail())
		}
	})
	return m
}

func (m *mortal) riseAgain(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-m.dead:
		if err := m.controller.Start(ctx); err != nil && ctx.Err() == nil {
			m.t.Error(err)
		}
	}
}

// from now on the controller may die at a point, and found, if it is set, gets the names of its writes.
func (m *mortal) from(p point, found func(string)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.point, m.found = p, found
}

// write is the network between the controller and the API server.
func (m *mortal) write(w *proxy.Write) *proxy.Answer {
	came := time.Now()
	name, settle := m.names.name(w)
	if back := m.keeps(plain(name)); back != nil {
		return back(w)
	}
	if m.at(point{name, before}) && m.die() {
		return nil
	}
	answer, err := w.Pass(context.WithoutCancel(m.t.Context()))
	if err != nil {
		m.t.Error(err)
		return nil
	}
	accepted := answer.Status < 300
	settle(accepted)
	if !accepted {
		return answer
	}
	m.accept(write{w, name, came})
	if m.at(point{name, after}) && m.die() {
		return nil
	}
	return answer
}

// keepBack does something else with the next write of a plain name than to pass it on.
func (m *mortal) keepBack(name string, do func(*proxy.Write) *proxy.Answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept, m.back = name, do
}

// keeps gives what is to be done with a write that is kept back, once; nil: it is not.
func (m *mortal) keeps(name string) func(*proxy.Write) *proxy.Answer {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.back == nil || m.kept != name {
		return nil
	}
	do := m.back
	m.back = nil
	return do
}

func (m *mortal) accept(w write) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, w)
	if m.found != nil {
		m.found(w.name)
	}
}

// at says that the controller is to die at a point.
func (m *mortal) at(p point) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.point == p
}

// die kills the controller, the first time that it is called.
func (m *mortal) die() (died bool) {
	m.once.Do(func() {
		m.controller.Kill()
		close(m.dead)
		died = true
	})
	return died
}

// died says that the controller came to its point.
func (m *mortal) died() bool {
	select {
	case <-m.dead:
		return true
	default:
		return false
	}
}

// writes that were accepted so far.
func (m *mortal) writes() []write {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.all[:len(m.all):len(m.all)]
}

func list(writes []write) string {
	var out strings.Builder
	for i, w := range writes {
		fmt.Fprintf(&out, "\n%3d %s %s", i+1, w.came.Format("05.000"), w.name)
	}
	return out.String()
}
