package measure

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/belay-dev/belay/analysis"
)

// Bounds where Options give none.
const (
	DefaultConcurrency  = 16
	DefaultQueryTimeout = 10 * time.Second
)

// Options of New. Clock and Wake are required.
type Options struct {
	Clock clock.WithDelayedExecution
	// Wake is called after every new measurement, from any goroutine and without a lock held. It
	// must not block.
	Wake func(key types.NamespacedName)
	// Concurrency is the number of queries that run at once, over all Rollouts.
	Concurrency int
	// QueryTimeout ends a query.
	QueryTimeout time.Duration
	// Measured, if set, counts a measurement by its outcome (belay_measurements_total).
	Measured func(outcome analysis.Outcome)
	// Queried, if set, observes how long a query took (belay_query_duration_seconds).
	Queried func(took time.Duration)
	Log     logr.Logger
}

// Runner measures. Its methods are safe for concurrent use; Ensure, Stop and Snapshot never wait
// for a query and may be called before Start.
type Runner struct {
	opts    Options
	changed chan struct{} // the schedule has to be looked at again
	work    chan *series

	mu   sync.Mutex
	runs map[types.NamespacedName]*run
}

// New makes a Runner. It measures nothing until Start.
func New(opts Options) *Runner {
	if opts.Concurrency <= 0 {
		opts.Concurrency = DefaultConcurrency
	}
	if opts.QueryTimeout <= 0 {
		opts.QueryTimeout = DefaultQueryTimeout
	}
	return &Runner{
		opts:    opts,
		changed: make(chan struct{}, 1),
		work:    make(chan *series),
		runs:    map[types.NamespacedName]*run{},
	}
}

// Ensure has the job measured. The same attempt and step continue, with Since, Provider and Vars
// as now given; another one starts afresh, or from job.Restored.
func (r *Runner) Ensure(key types.NamespacedName, job Job) {
	r.mu.Lock()
	current := r.runs[key]
	switch {
	case current != nil && current.job.Attempt == job.Attempt && current.job.Step == job.Step:
		if !current.follow(job) {
			r.mu.Unlock()
			return
		}
	default:
		if current != nil {
			current.end()
		}
		r.runs[key] = newRun(key, job, current)
	}
	r.mu.Unlock()
	r.poke()
}

// Stop ends the measuring for a Rollout and forgets it. A query that runs is cancelled.
func (r *Runner) Stop(key types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if current := r.runs[key]; current != nil {
		current.end()
		delete(r.runs, key)
	}
}

// Snapshot returns what is known, or false if nothing is measured for that Rollout.
func (r *Runner) Snapshot(key types.NamespacedName) (State, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	current := r.runs[key]
	if current == nil {
		return State{}, false
	}
	return current.state(), true
}

// Start measures until ctx ends, and returns when every query has ended. (manager.Runnable)
func (r *Runner) Start(ctx context.Context) error {
	var workers sync.WaitGroup
	for range r.opts.Concurrency {
		workers.Go(func() { r.worker(ctx) })
	}
	r.schedule(ctx)
	workers.Wait()
	return nil
}

// NeedLeaderElection is true: only the leader measures.
func (r *Runner) NeedLeaderElection() bool { return true }

func (r *Runner) poke() {
	select {
	case r.changed <- struct{}{}:
	default: // somebody already said so
	}
}

// schedule hands what is due to the workers, in the order in which it became due.
func (r *Runner) schedule(ctx context.Context) {
	var ready []*series
	for {
		due, next := r.due()
		ready = append(ready, due...)
		ready = slices.DeleteFunc(ready, r.ended)

		var hand chan *series
		var first *series
		if len(ready) > 0 {
			hand, first = r.work, ready[0]
		}
		// Without anything planned the timer is far away and poke ends the wait.
		timer := r.opts.Clock.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-r.changed:
		case <-timer.C():
		case hand <- first:
			ready = ready[1:]
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// idle is how long the schedule sleeps when nothing is planned.
const idle = time.Hour

// due takes what is due now, and says how long it is until something else is.
func (r *Runner) due() ([]*series, time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.opts.Clock.Now()
	next := idle
	var out []*series
	for _, run := range r.runs {
		for _, s := range run.series {
			if s.finished || s.busy {
				continue
			}
			at := s.at()
			if at.IsZero() {
				continue
			}
			if wait := at.Sub(now); wait > 0 {
				next = min(next, wait)
				continue
			}
			s.busy = true
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b *series) int { return a.at().Compare(b.at()) })
	return out, next
}

// ended says that nobody waits for the series any more.
func (r *Runner) ended(s *series) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return s.run.ended
}

func (r *Runner) worker(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-r.work:
			r.measure(ctx, s)
		}
	}
}

// measure makes one measurement and tells whom it concerns.
func (r *Runner) measure(ctx context.Context, s *series) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	job, ok := r.begin(s, cancel)
	if !ok {
		return
	}
	if s.trial != nil {
		if r.compare(ctx, s, job) {
			r.poke()
			r.opts.Wake(s.run.key)
		}
		return
	}
	start := r.opts.Clock.Now()
	m := r.ask(ctx, job, s.plan, start)
	if ctx.Err() != nil {
		return // the job or the runner ended: no measurement
	}
	if r.opts.Queried != nil && m.asked {
		r.opts.Queried(r.opts.Clock.Since(start))
	}
	if !r.record(s, m, start) {
		return
	}
	if r.opts.Measured != nil {
		r.opts.Measured(m.Outcome)
	}
	r.opts.Log.V(1).Info("measured", "rollout", s.run.key, "metric", s.plan.Metric.Name, "step", job.Step,
		"outcome", m.Outcome, "value", m.Value, "cause", m.cause)
	r.poke()
	r.opts.Wake(s.run.key)
}

// begin returns the job as it is now, or false if it ended meanwhile.
func (r *Runner) begin(s *series, cancel context.CancelFunc) (Job, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.run.ended {
		return Job{}, false
	}
	s.cancel = cancel
	return s.run.job, true
}

// measurement is what came of asking.
type measurement struct {
	analysis.Measurement
	query analysis.Query
	asked bool  // a query was sent
	cause error // for the log
}

// ask renders the query, sends it and judges the answer by the conditions.
func (r *Runner) ask(ctx context.Context, job Job, plan *analysis.Plan, now time.Time) measurement {
	var m measurement
	query, err := plan.Render(job.Vars, now.Sub(job.Since))
	if err != nil {
		m.Measurement = plan.Evaluate(analysis.Result{}, err)
		return m
	}
	m.query, m.asked = query, true
	var result analysis.Result
	m.cause = r.within(ctx, func(ctx context.Context) (err error) {
		result, err = job.Provider.Query(ctx, query.Text, now)
		return err
	})
	m.Measurement = plan.Evaluate(result, m.cause)
	return m
}

// within gives a query its time, by the clock that is given.
func (r *Runner) within(ctx context.Context, query func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	expired := make(chan struct{})
	deadline := r.opts.Clock.AfterFunc(r.opts.QueryTimeout, func() { close(expired); cancel() })
	defer deadline.Stop()
	err := query(ctx)
	select {
	case <-expired:
		return &analysis.Error{Kind: analysis.Transient, Text: "the query took longer than " + r.opts.QueryTimeout.String(), Err: err}
	default:
		return err
	}
}

// record judges the measurement, unless its job ended meanwhile.
func (r *Runner) record(s *series, m measurement, at time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.run.ended {
		return false
	}
	s.record(m, at, r.opts.Clock.Now())
	return true
}
