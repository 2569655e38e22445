package main

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/prometheus"
	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers"
	"github.com/belay-dev/belay/controllers/apply"
	"github.com/belay-dev/belay/controllers/gitwork"
	"github.com/belay-dev/belay/controllers/measure"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/gitops/repository"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/routers/httproute"
	"github.com/belay-dev/belay/workloads"
	"github.com/belay-dev/belay/workloads/deployment"
)

// The only lists of kinds. A new one is a line here and a folder of its own.
func workloadKinds(live client.Reader) map[string]workloads.Workload {
	return map[string]workloads.Workload{
		"Deployment": deployment.Deployment{Live: live},
	}
}

func routeKinds() map[string]routers.Router {
	return map[string]routers.Router{
		"gateway.networking.k8s.io/HTTPRoute": httproute.HTTPRoute{},
	}
}

func watchedRoutes() []schema.GroupVersionKind {
	return []schema.GroupVersionKind{
		{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"},
	}
}

// wire puts the parts together.
func wire(ctx context.Context, mgr ctrl.Manager, o *options, policyAPI bool, log logr.Logger) error {
	sources, err := providers(o.providers)
	if err != nil {
		return err
	}
	real := clock.RealClock{}
	engine, err := repository.New(ctx, repository.Options{
		Dir: o.gitCache, AllowProtocols: protocols(o.gitAllowHTTP), Now: real.Now,
		Log: func(text string) { log.WithName("git").Info(text) },
	})
	if err != nil {
		return fmt.Errorf("preparing Git: %w", err)
	}
	waker := controllers.NewWaker()
	figures := controllers.NewMetrics(metrics.Registry, real)
	runner := measure.New(measure.Options{
		Clock: real, Wake: waker.Wake, Log: log.WithName("measure"),
		Measured: func(outcome analysis.Outcome) { figures.Measured(string(outcome)) },
		Queried:  func(took time.Duration) { figures.Queried(took) },
	})
	desk := gitwork.New(gitwork.Options{Engine: engine, Clock: real, Wake: waker.Wake, Log: log.WithName("git")})
	for _, beside := range []interface{ Start(context.Context) error }{runner, desk} {
		if err := mgr.Add(beside); err != nil {
			return err
		}
	}
	observer := &observe.Observer{
		Reader: mgr.GetClient(), Clock: real, Workloads: workloadKinds(mgr.GetAPIReader()), Routers: routeKinds(), Providers: sources,
		Measured: runner.Snapshot, Git: desk.State, Namespace: o.namespace,
		Guard: &observe.Guard{Client: mgr.GetClient(), Clock: real, PolicyAPI: policyAPI},
	}
	applier := &apply.Applier{
		Client: mgr.GetClient(), Routers: observer.Routers, Measure: runner.Ensure, Git: desk.Do, Cluster: o.cluster, Namespace: o.namespace,
		Secret: func(ctx context.Context, name string) (*corev1.Secret, error) {
			var s corev1.Secret
			err := mgr.GetAPIReader().Get(ctx, client.ObjectKey{Namespace: o.namespace, Name: name}, &s)
			return &s, err
		},
	}
	r := &controllers.Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Observer: observer, Applier: applier, Metrics: figures,
		Reporter:      &controllers.Reporter{Client: mgr.GetClient(), Event: eventSink(mgr)},
		StopMeasuring: runner.Stop, KeepGit: desk.Keep, ForgetGit: desk.Forget,
	}
	return r.Setup(mgr, waker, watchedRoutes(), o.workers)
}

func protocols(http bool) []string {
	if http {
		return []string{"http"}
	}
	return nil
}

// eventSink writes Events in the controller's name.
func eventSink(mgr ctrl.Manager) controllers.EventSink {
	recorder := mgr.GetEventRecorder("belay")
	return func(r *v1alpha1.Rollout, eventType, reason, message string) {
		recorder.Eventf(r, nil, eventType, reason, "Rollout", "%s", message)
	}
}

// providers reads the file of metric sources; without one there are none.
func providers(path string) (*prometheus.Providers, error) {
	if path == "" {
		return prometheus.NewProviders(prometheus.File{})
	}
	file, err := prometheus.Load(path)
	if err != nil {
		return nil, err
	}
	return prometheus.NewProviders(file)
}
