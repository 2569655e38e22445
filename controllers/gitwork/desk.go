package gitwork

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/gitops"
)

const (
	callTimeout = 2 * time.Minute
	firstPause  = time.Second
	lastPause   = 30 * time.Second
)

// Kind of an order.
type Kind string

// Kinds of orders. One of each kind stands at a time for a Rollout.
const (
	Tip    Kind = "Tip"
	Locate Kind = "Locate"
	Revert Kind = "Revert"
)

// Order is one question to a repository.
type Order struct {
	Kind Kind
	// Name of the order; the answer carries it.
	Name string
	// Repository reads how to reach it and whether it may still be used, anew for every call, so that rotated credentials
	// need no restart and access that was taken away is gone at once.
	Repository func(context.Context) (gitops.Repository, error)
	// From names the Repository and its generation. With another one, or another Source, an order is not the same.
	From   string
	Source gitops.Source
	// Record and Head of a Locate. An empty Head is the branch's.
	Record, Head string
	// Revert order; Planned is set by the desk.
	Revert gitops.Revert
	// Recorded is the commit that the reconciler has recorded as planned; empty: none yet.
	Recorded string
}

// Options of New; all are required.
type Options struct {
	Engine gitops.Engine
	Clock  clock.WithDelayedExecution
	// Wake is called when a Rollout's State changed. It must not block.
	Wake func(types.NamespacedName)
	Log  logr.Logger
}

// Desk takes orders. Its methods are safe for concurrent use and never wait for Git.
type Desk struct {
	opts Options

	mu    sync.Mutex
	ctx   context.Context //nolint:containedctx // the life of the desk, given by Start: orders outlive the reconcile that makes them
	files map[types.NamespacedName]*file
	work  sync.WaitGroup
}

// file is all that is known about one Rollout.
type file struct {
	git    plan.Git
	orders map[Kind]*running
	// failed is the order that git.Failure is about; nil: none.
	failed *running
}

type running struct {
	order    Order
	cancel   context.CancelFunc
	recorded chan string
}

// same says that an order asks what this one does, of the same files.
func (r *running) same(o Order) bool {
	return r.order.Name == o.Name && r.order.From == o.From &&
		r.order.Source.Branch == o.Source.Branch && slices.Equal(r.order.Source.Paths, o.Source.Paths)
}

// drop ends an order, and with it what was said of its failure: nobody tries again.
func (f *file) drop(r *running) {
	r.cancel()
	if f.failed == r {
		f.failed, f.git.Failure = nil, nil
	}
	delete(f.orders, r.order.Kind)
}

// succeeded says that the server was reached.
func (f *file) succeeded() { f.failed, f.git.Failure = nil, nil }

// unsay forgets the answer of a kind: it was read from other files.
func (f *file) unsay(kind Kind) {
	switch kind {
	case Tip:
		f.git.Tip = nil
	case Locate:
		f.git.Located = nil
	case Revert:
		f.git.Answer = nil
	}
}

// New makes a desk. It does nothing until Start.
func New(opts Options) *Desk {
	return &Desk{opts: opts, files: map[types.NamespacedName]*file{}}
}

// Start lets orders run until ctx ends, and returns when the last has ended. (manager.Runnable)
func (d *Desk) Start(ctx context.Context) error {
	d.mu.Lock()
	d.ctx = ctx
	d.mu.Unlock()
	<-ctx.Done()
	d.mu.Lock()
	d.ctx = nil // no order begins from here on
	d.mu.Unlock()
	d.work.Wait()
	return nil
}

// NeedLeaderElection is true: only the leader writes.
func (d *Desk) NeedLeaderElection() bool { return true }

// State is what is known about a Rollout's repository. It is a copy.
func (d *Desk) State(key types.NamespacedName) plan.Git {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f, ok := d.files[key]; ok {
		return f.git
	}
	return plan.Git{}
}

// Forget ends all orders of a Rollout.
func (d *Desk) Forget(key types.NamespacedName) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f, ok := d.files[key]; ok {
		for _, r := range f.orders {
			r.cancel()
		}
		delete(d.files, key)
	}
}

// Keep ends the orders of a Rollout whose kinds are not named: nobody waits for their answers any more, so they are not
// asked for again and again. Answers stay; a failure that nobody tries to get past is none.
func (d *Desk) Keep(key types.NamespacedName, kinds ...Kind) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, ok := d.files[key]
	if !ok {
		return
	}
	for kind, r := range f.orders {
		if !slices.Contains(kinds, kind) {
			f.drop(r)
		}
	}
}

// Do has an order carried out. The same order again only tells what was recorded.
func (d *Desk) Do(key types.NamespacedName, order Order) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ctx == nil {
		return
	}
	f, ok := d.files[key]
	if !ok {
		f = &file{orders: map[Kind]*running{}}
		d.files[key] = f
	}
	if r := f.orders[order.Kind]; r != nil {
		if r.same(order) {
			r.tell(order.Recorded)
			return
		}
		f.drop(r)
		f.unsay(order.Kind)
	}
	ctx, cancel := context.WithCancel(d.ctx)
	r := &running{order: order, cancel: cancel, recorded: make(chan string, 1)}
	r.tell(order.Recorded)
	f.orders[order.Kind] = r
	d.work.Go(func() {
		defer cancel()
		d.run(ctx, key, order, r)
	})
}

// tell passes the recorded commit on, replacing an older one that nobody has taken.
func (r *running) tell(commit string) {
	if commit == "" {
		return
	}
	select {
	case <-r.recorded:
	default:
	}
	r.recorded <- commit
}

// run carries an order out, again and again until it has an answer or is replaced.
func (d *Desk) run(ctx context.Context, key types.NamespacedName, order Order, r *running) {
	pause := firstPause
	for {
		err := d.call(ctx, key, order, r)
		if err == nil || ctx.Err() != nil {
			return
		}
		d.opts.Log.Info("Git did not do what was asked, it is asked again", "rollout", key, "order", order.Kind, "error", err.Error(), "detail", detail(err), "pause", pause)
		d.update(key, r, func(f *file) { f.failed, f.git.Failure = r, problem(err) })
		timer := d.opts.Clock.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C():
		}
		pause = min(2*pause, lastPause)
	}
}

func (d *Desk) call(ctx context.Context, key types.NamespacedName, order Order, r *running) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	deadline := d.opts.Clock.AfterFunc(callTimeout, cancel)
	defer deadline.Stop()
	repository, err := order.Repository(ctx)
	if err != nil {
		return err
	}
	switch order.Kind {
	case Tip:
		return d.tip(ctx, key, order, repository, r)
	case Locate:
		return d.locate(ctx, key, order, repository, r)
	default:
		return d.revert(ctx, key, order, repository, r)
	}
}

func (d *Desk) tip(ctx context.Context, key types.NamespacedName, order Order, repository gitops.Repository, r *running) error {
	tip, err := d.opts.Engine.Tip(ctx, repository, order.Source)
	if err != nil {
		return err
	}
	d.update(key, r, func(f *file) {
		f.git.Tip = &plan.Tip{For: order.Name, Commit: tip.Commit, Inputs: tip.Inputs}
		f.succeeded()
	})
	return nil
}

func (d *Desk) locate(ctx context.Context, key types.NamespacedName, order Order, repository gitops.Repository, r *running) error {
	head := order.Head
	if head == "" {
		tip, err := d.opts.Engine.Tip(ctx, repository, order.Source)
		if err != nil {
			return err
		}
		head = tip.Commit
	}
	found, err := d.opts.Engine.Locate(ctx, repository, order.Source, order.Record, head)
	if err != nil {
		return err
	}
	d.update(key, r, func(f *file) {
		f.git.Located = &plan.Located{For: order.Name, Stable: found.Stable, Failed: found.Failed}
		f.succeeded()
	})
	return nil
}

func (d *Desk) revert(ctx context.Context, key types.NamespacedName, order Order, repository gitops.Repository, r *running) error {
	order.Revert.Planned = func(revertKey, commit string) error {
		d.update(key, r, func(f *file) {
			f.git.Answer = &plan.Answer{For: order.Name, Result: "Planned", Key: revertKey, Commit: commit}
			f.succeeded()
		})
		return r.await(ctx, commit)
	}
	out, err := d.opts.Engine.Revert(ctx, repository, order.Revert)
	answer := plan.Answer{For: order.Name, Result: string(out.Result), Key: out.Key, Commit: out.Commit, Why: out.Why, Head: out.Head.Commit}
	var failed *gitops.Error
	switch {
	case errors.As(err, &failed) && failed.Class == gitops.ClassDenied:
		answer.Result, answer.Why = "PushDenied", failed.Text
	case errors.As(err, &failed) && failed.Class == gitops.ClassUnsupported:
		answer.Result, answer.Why = "Unsupported", failed.Text
	case err != nil:
		return err
	}
	d.update(key, r, func(f *file) {
		f.git.Answer = &answer
		f.succeeded()
	})
	return nil
}

// await waits until the commit is recorded. The order comes back with it, or the call's deadline ends the wait.
func (r *running) await(ctx context.Context, commit string) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case recorded := <-r.recorded:
			if recorded == commit {
				return nil
			}
		}
	}
}

// update changes what is known, unless the order was replaced meanwhile, and wakes the reconciler.
func (d *Desk) update(key types.NamespacedName, r *running, change func(*file)) {
	d.mu.Lock()
	f, ok := d.files[key]
	current := ok && f.orders[r.order.Kind] == r
	if current {
		change(f)
	}
	d.mu.Unlock()
	if current {
		d.opts.Wake(key)
	}
}

func problem(err error) *plan.Problem {
	var failed *gitops.Error
	if errors.As(err, &failed) {
		text := failed.Text
		if failed.Class == gitops.ClassAuth {
			text += "; spec.secretRef of the Repository names the Secret to correct, which is read anew at every attempt"
		}
		return &plan.Problem{Reason: "Git" + string(failed.Class), Message: text}
	}
	return &plan.Problem{Reason: "GitTransient", Message: "the call to Git did not end in time"}
}

func detail(err error) string {
	var failed *gitops.Error
	if errors.As(err, &failed) {
		return failed.Detail
	}
	return ""
}
