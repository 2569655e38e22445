package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"k8s.io/client-go/rest"
)

// FieldManager is the name under which the agent owns fields.
const FieldManager = "agent"

// Options say what to keep applied, and how.
type Options struct {
	Config     *rest.Config
	Repository string // URL; credentials, if it needs any, inside
	Branch     string // main unless set
	Path       string // folder in the repository; all of it unless set
	Namespace  string // for namespaced objects that name none; default unless set
	// Interval is the time between two applies, one second unless set. A value from Pushed starts one at once.
	Interval time.Duration
	Pushed   <-chan struct{}
	// Force takes over fields that others own, as agents usually do.
	Force bool
	// SourceRevision writes the commit into the annotation belay.dev/source-revision of Deployments.
	SourceRevision bool
}

func (o Options) withDefaults() Options {
	if o.Branch == "" {
		o.Branch = "main"
	}
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	return o
}

// Agent applies until its context ends.
type Agent struct {
	options Options
	source  *source
	target  *target
	done    chan struct{}

	syncing sync.Mutex // held during a sync, so that Pause can wait for its end
	paused  bool

	mu      sync.Mutex
	applied string
	err     error
	changed chan struct{} // closed and replaced after every sync
}

// Start begins to apply. Repository and cluster need not be there yet: Err tells of them.
func Start(ctx context.Context, options Options) (*Agent, error) {
	options = options.withDefaults()
	target, err := newTarget(options)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "agent-")
	if err != nil {
		return nil, err
	}
	source := newSource(dir, options)
	if err := source.create(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	a := &Agent{options: options, source: source, target: target, done: make(chan struct{}), changed: make(chan struct{})}
	go a.run(ctx)
	return a, nil
}

// Done is closed when the context has ended and nothing is applied any more.
func (a *Agent) Done() <-chan struct{} { return a.done }

func (a *Agent) run(ctx context.Context) {
	defer close(a.done)
	defer func() { _ = os.RemoveAll(a.source.git.Dir) }()
	tick := time.NewTicker(a.options.Interval)
	defer tick.Stop()
	for {
		a.sync(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-a.options.Pushed:
		}
	}
}

func (a *Agent) sync(ctx context.Context) {
	a.syncing.Lock()
	defer a.syncing.Unlock()
	if a.paused {
		return
	}
	// What was fetched last is applied even if Git cannot be reached.
	fetchErr := a.source.fetch(ctx)
	var applyErr error
	if a.source.revision != "" {
		applyErr = a.target.apply(ctx, a.source)
	}
	if ctx.Err() != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = errors.Join(fetchErr, applyErr)
	if applyErr == nil {
		a.applied = a.source.revision
	}
	close(a.changed)
	a.changed = make(chan struct{})
}

// Pause returns when nothing is being applied and nothing will be until Resume.
func (a *Agent) Pause() { a.setPaused(true) }

// Resume ends a pause; the next apply comes within the interval.
func (a *Agent) Resume() { a.setPaused(false) }

func (a *Agent) setPaused(paused bool) {
	a.syncing.Lock()
	defer a.syncing.Unlock()
	a.paused = paused
}

// Applied is the last commit of which every object was applied, empty before the first.
func (a *Agent) Applied() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.applied
}

// Err is what went wrong in the last sync, nil if nothing did.
func (a *Agent) Err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

// WaitApplied returns when the commit, or a later one that contains it, was applied. The error at the end of ctx says why
// it was not.
func (a *Agent) WaitApplied(ctx context.Context, sha string) error {
	for {
		a.mu.Lock()
		applied, changed := a.applied, a.changed
		a.mu.Unlock()
		if a.source.contains(ctx, applied, sha) {
			return nil
		}
		select {
		case <-changed:
		case <-a.done:
			return fmt.Errorf("the agent ended at %q before %s was applied", applied, sha)
		case <-ctx.Done():
			return fmt.Errorf("%s is not applied, %q is: %w", sha, applied, errors.Join(ctx.Err(), a.Err()))
		}
	}
}

// Diff lists what a server-side apply of the last fetched commit would change now, one line per field, as an agent's dry
// run does: managed fields, resource version and status do not count. It is empty when the cluster is as Git says.
func (a *Agent) Diff(ctx context.Context) ([]string, error) {
	a.syncing.Lock()
	defer a.syncing.Unlock()
	if a.source.revision == "" {
		return nil, errors.New("nothing was fetched yet")
	}
	return a.target.diff(ctx, a.source)
}
