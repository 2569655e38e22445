package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"
)

// options of the controller, as its flags.
type options struct {
	leaderElect  bool
	namespace    string
	cluster      string
	metrics      string
	health       string
	providers    string
	gitCache     string
	gitAllowHTTP bool
	workers      int
	user         string
	verbose      bool
	version      bool
}

func defaults() *options {
	namespace := os.Getenv("POD_NAMESPACE")
	if namespace == "" {
		namespace = "belay-system"
	}
	return &options{
		namespace: namespace, cluster: "default", metrics: ":8080", health: ":8081",
		gitCache: filepath.Join(os.TempDir(), "belay-git"), workers: 8,
	}
}

func (o *options) flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("belay", pflag.ContinueOnError)
	f.Usage = func() {
		fmt.Fprintf(os.Stderr, "belay guards the releases of Deployments: it holds a new template, splits traffic step by step, judges,\nand hands over or goes back to stable and reverts the change in Git.\n\nUsage:\n  belay [flags]\n\nFlags:\n%s", f.FlagUsages())
	}
	f.BoolVar(&o.leaderElect, "leader-elect", o.leaderElect, "elect a leader, so that several replicas can run")
	f.StringVar(&o.namespace, "namespace", o.namespace, "the controller's own namespace, where Repositories and their Secrets live (default: $POD_NAMESPACE, else belay-system)")
	f.StringVar(&o.cluster, "cluster-name", o.cluster, "name of this cluster in commit messages")
	f.StringVar(&o.metrics, "metrics-bind-address", o.metrics, "where /metrics listens; 0 turns it off")
	f.StringVar(&o.health, "health-probe-bind-address", o.health, "where /healthz and /readyz listen; 0 turns them off")
	f.StringVar(&o.providers, "providers", o.providers, "file that lists the Prometheus servers that may be asked")
	f.StringVar(&o.gitCache, "git-cache-dir", o.gitCache, "directory for bare clones")
	f.BoolVar(&o.gitAllowHTTP, "git-allow-http", o.gitAllowHTTP, "allow http:// URLs of Repositories: passwords go over the wire in the clear")
	f.StringVar(&o.user, "controller-user", o.user, "the user name by which the admission policies know the controller; it does not start under another one (default: not checked)")
	f.IntVar(&o.workers, "workers", o.workers, "Rollouts that are looked at at the same time")
	f.BoolVarP(&o.verbose, "verbose", "v", o.verbose, "log more")
	f.BoolVar(&o.version, "version", o.version, "print the version and exit")
	return f
}
