package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers"
	"github.com/belay-dev/belay/controllers/apply"
	"github.com/belay-dev/belay/controllers/gitwork"
	"github.com/belay-dev/belay/controllers/measure"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/routers/httproute"
	"github.com/belay-dev/belay/workloads"
	"github.com/belay-dev/belay/workloads/deployment"
)

// process is one controller: it has its own caches, its own memory and its own idea of the time, and all of it is lost
// when it is killed.
type process struct {
	name  string
	world *World

	ctx    context.Context //nolint:containedctx // the life of the process
	cancel context.CancelFunc
	alive  bool
	// frozen: the process is stopped and does not know it (SIGSTOP, a pause of its machine). What comes for it waits.
	frozen  bool
	waiting []func()
	// skew is how wrong its clock is.
	skew time.Duration

	cache *cache
	queue *queue
	loop  *controllers.Reconciler
	clock clock.WithDelayedExecution
}

// start makes a new process of the controller, as cmd/belay does.
func (w *World) start() {
	w.born++
	p := &process{name: fmt.Sprint("belay-", w.born), world: w, alive: true}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.clock = w.schedule.Clock(p.name, func() time.Duration { return p.skew })
	p.queue = newQueue(p)
	p.cache = newCache(p)
	p.wire()
	w.processes = append(w.processes, p)
	w.say("%s starts", p.name)
	p.cache.start()
}

func (p *process) wire() {
	runner := measure.New(measure.Options{Clock: p.clock, Wake: p.wake, Concurrency: 1, Log: logr.Discard()})
	desk := gitwork.New(gitwork.Options{Engine: p.world.git.Engine(p.name), Clock: p.clock, Wake: p.wake, Log: logr.Discard()})
	for _, beside := range []interface{ Start(context.Context) error }{runner, desk} {
		go func() { _ = beside.Start(p.ctx) }()
	}
	c := &connection{Client: p.world.api.Client(controllerUser), process: p}
	observer := &observe.Observer{
		Reader: c, Clock: p.clock, Namespace: controllerNamespace,
		Workloads: map[string]workloads.Workload{"Deployment": deployment.Deployment{Live: live{c}}},
		Routers:   map[string]routers.Router{"gateway.networking.k8s.io/HTTPRoute": httproute.HTTPRoute{}},
		Providers: sources{p}, Measured: runner.Snapshot, Git: desk.State,
		Guard: &observe.Guard{Client: c, Clock: p.clock, PolicyAPI: true},
	}
	p.loop = &controllers.Reconciler{
		Client: c, Live: live{c}, Observer: observer,
		Applier: &apply.Applier{
			Client: c, Routers: observer.Routers, Measure: runner.Ensure, Git: desk.Do, Namespace: controllerNamespace, Cluster: "simulated",
			Secret: func(context.Context, string) (*corev1.Secret, error) {
				return nil, fmt.Errorf("no Secret is simulated")
			},
		},
		Reporter: &controllers.Reporter{Client: c, Event: func(_ *v1alpha1.Rollout, kind, reason, message string) {
			p.world.schedule.Hand(p.name+" event", func() { p.world.say("%s tells: %s %s: %s", p.name, kind, reason, message) })
		}},
		Metrics:       controllers.NewMetrics(prometheus.NewRegistry(), p.clock),
		StopMeasuring: runner.Stop, KeepGit: desk.Keep, ForgetGit: desk.Forget,
	}
}

// sources is the one metrics source, with the name of who asks.
type sources struct{ process *process }

func (s sources) Get(string, string) (analysis.Provider, error) {
	return s.process.world.metrics.Provider(s.process.name), nil
}

// Reader reads nothing: no story compares.
func (s sources) Reader(string, string) (analysis.Reader, error) { return nil, nil }

// wake is called by what runs beside the loop.
func (p *process) wake(key types.NamespacedName) {
	p.world.schedule.Hand(p.name+" wakes "+key.String(), func() { p.queue.add(key) })
}

// kill ends the process at once, wherever it is.
func (p *process) kill(why string) {
	if !p.alive {
		return
	}
	p.world.say("%s dies: %s", p.name, why)
	p.world.count.crashes++
	p.alive, p.frozen, p.waiting = false, false, nil
	p.cache.stop()
	p.queue.stop()
	p.cancel()
}

// freeze stops a process, thaw lets it go on as if nothing had been.
func (p *process) freeze() {
	p.world.say("%s freezes", p.name)
	p.frozen = true
}

func (p *process) thaw() {
	if !p.alive || !p.frozen {
		return
	}
	p.world.say("%s thaws", p.name)
	p.frozen = false
	due := p.waiting
	p.waiting = nil
	for _, do := range due {
		p.world.schedule.After(p.world.schedule.Between(0, 5*time.Millisecond), p.name+" catches up", func() { p.do(do) })
	}
}

// do has the process do something: now, when it thaws, or never.
func (p *process) do(what func()) {
	switch {
	case !p.alive:
	case p.frozen:
		p.waiting = append(p.waiting, what)
	default:
		what()
	}
}

// reconcile runs one round in a goroutine of its own, because its calls take time.
func (p *process) reconcile(key types.NamespacedName) {
	p.world.count.rounds++
	go func() {
		var result ctrl.Result
		var err error
		returned := false
		defer func() {
			fault := recover()
			if !returned && fault == nil {
				return // the process died under it
			}
			p.world.schedule.Hand(p.name+" finishes "+key.String(), func() {
				if fault != nil {
					p.world.broken("panic", "%s: %v", p.name, fault)
				}
				p.do(func() { p.queue.done(key, result, err) })
			})
		}()
		result, err = p.loop.Reconcile(logr.NewContext(p.ctx, logr.Discard()), ctrl.Request{NamespacedName: key})
		returned = true
	}()
}

// live reads past the cache.
type live struct{ *connection }

func (l live) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	return l.send(ctx, call{verb: "read", key: key.String()}, func() error { return l.Client.Get(ctx, key, o, opts...) })
}

func (l live) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	return l.send(ctx, call{verb: "read", key: fmt.Sprintf("%T", list)}, func() error { return l.Client.List(ctx, list, opts...) })
}
