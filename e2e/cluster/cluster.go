package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/belay-dev/belay/e2e/namespace"
)

// Cluster is a running cluster.
type Cluster struct {
	dir       string
	temporary bool
	kept      string // where Stop copies the logs to
	ports     *ports
	authority *authority

	server string // of the API server, as https://host:port
	admin  string // path of the administrator's kubeconfig
	config *rest.Config
	client kubernetes.Interface

	gateway    string // host:port of the listener "http"
	metrics    string // host:port of Traefik's metrics
	prometheus string // base URL

	mu       sync.Mutex
	running  []*process // in the order in which they were started
	stopping bool
	failure  error
	done     chan struct{}
}

// Start starts the parts that options ask for and returns when all of them are
// ready. It must run inside the local network namespace (`bin/local run`).
// When it fails, or ctx ends before it is done, nothing is left running.
func Start(ctx context.Context, options Options) (*Cluster, error) {
	if err := namespace.Check(); err != nil {
		return nil, err
	}
	if err := options.check(); err != nil {
		return nil, err
	}
	temporary := options.Dir == ""
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: options.Dir, temporary: temporary, ports: newPorts(), done: make(chan struct{})}
	if err := c.start(ctx, options); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, options Options) error {
	if err := c.startControlPlane(ctx, options); err != nil {
		return err
	}
	// The rest needs only the API server, so it starts side by side.
	var steps []func(context.Context) error
	if options.Scheduler {
		steps = append(steps, c.startScheduler)
	}
	if options.Node != nil {
		steps = append(steps, func(ctx context.Context) error { return c.startNode(ctx, *options.Node) })
	}
	if options.Gateway {
		steps = append(steps, c.startGateway)
	}
	if err := together(ctx, steps); err != nil {
		return err
	}
	if options.Prometheus {
		return c.startPrometheus(ctx)
	}
	return nil
}

// launch starts a part and waits until it is ready.
func (c *Cluster) launch(ctx context.Context, s spec) error {
	c.mu.Lock()
	if c.stopping {
		c.mu.Unlock()
		return errors.New("the cluster is being stopped")
	}
	p, err := start(c.dir, s)
	if err != nil {
		c.mu.Unlock()
		return err
	}
	c.running = append(c.running, p)
	c.mu.Unlock()

	if err := p.wait(ctx, s.ready); err != nil {
		return err
	}
	go c.watch(p)
	return nil
}

// watch notices when a part dies that nobody stopped.
func (c *Cluster) watch(p *process) {
	<-p.ended
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping || c.failure != nil {
		return
	}
	c.failure = p.death("died")
	close(c.done)
}

// Done is closed when a part died that nobody stopped.
func (c *Cluster) Done() <-chan struct{} { return c.done }

// Err says which part died and why, with the end of its log; nil while all run.
func (c *Cluster) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

// Stop ends every part, the last started first, waits for each, and removes the
// state if Start made its folder. It may be called more than once.
func (c *Cluster) Stop() {
	c.mu.Lock()
	c.stopping = true
	running := c.running
	c.running = nil
	c.mu.Unlock()
	for i := len(running) - 1; i >= 0; i-- {
		running[i].stop()
	}
	if c.kept != "" {
		if err := os.CopyFS(c.kept, os.DirFS(filepath.Join(c.dir, "logs"))); err != nil {
			fmt.Fprintln(os.Stderr, "the logs of the local cluster are lost:", err)
		}
	}
	if c.temporary {
		// Best effort: a folder that stays behind in the temporary files harms nobody.
		_ = os.RemoveAll(c.dir)
	}
}

// KeepLogs makes Stop copy the logs of the parts to the folder that it returns,
// which outlives the cluster.
func (c *Cluster) KeepLogs() (string, error) {
	dir, err := os.MkdirTemp("", "belay-logs-")
	c.kept = dir
	return dir, err
}

// Dir is the folder with all state; logs are in its logs/<part>.log.
func (c *Cluster) Dir() string { return c.dir }

// Log is the path of a part's log.
func (c *Cluster) Log(part string) string { return filepath.Join(c.dir, "logs", part+".log") }

// AuditLog is the path of the API server's audit log, see Options.Audit.
func (c *Cluster) AuditLog() string { return filepath.Join(c.dir, "logs", "audit.log") }

// APIServer is where the API server listens, as host:port.
func (c *Cluster) APIServer() string { return c.server[len("https://"):] }

// FreeAddress is a host:port at which something beside the parts can listen, and can do so again after it has ended.
func (c *Cluster) FreeAddress() (string, error) {
	_, address, err := c.address()
	return address, err
}

// address takes a free port and returns it as 127.0.0.1:port too.
func (c *Cluster) address() (int, string, error) {
	port, err := c.ports.take()
	return port, fmt.Sprintf("127.0.0.1:%d", port), err
}

// together runs the steps side by side. The first error cancels the others.
func together(ctx context.Context, steps []func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make(chan error, len(steps))
	for _, step := range steps {
		go func() { errs <- step(ctx) }()
	}
	var first error
	for range steps {
		if err := <-errs; err != nil && first == nil {
			first = err
			cancel()
		}
	}
	return first
}

// now is the real clock: the cluster is not under test, it is what tests use.
func now() time.Time { return time.Now() }
