package cluster

import (
	"errors"
	"fmt"
	"os"

	"github.com/belay-dev/belay/e2e/forward"
	"github.com/belay-dev/belay/e2e/namespace"
	"github.com/belay-dev/belay/e2e/parts"
)

// Options says what a cluster consists of. The zero value is a control plane:
// etcd, the API server and the controller manager.
type Options struct {
	// Dir holds all state: certificates, data, logs. Empty means a new folder
	// that Stop removes, or else the launcher.
	Dir string

	// Scheduler starts the scheduler. A Node brings it too.
	Scheduler bool

	// Node starts a node whose pods are processes of this machine.
	Node *NodeOptions

	// Gateway installs the Gateway API and starts Traefik with the GatewayClass
	// "traefik" and the Gateway "belay" in the namespace "gateway".
	Gateway bool

	// Prometheus starts Prometheus. It scrapes Traefik, and every pod that has
	// the annotation prometheus.io/scrape: "true" at the port in
	// prometheus.io/port and the path in prometheus.io/path (/metrics).
	Prometheus bool

	// Audit makes the API server write one line of JSON per request to
	// Cluster.AuditLog, at level Metadata.
	Audit bool

	// APIServerArgs and ControllerManagerArgs are added to the command lines
	// and win over what is there.
	APIServerArgs, ControllerManagerArgs []string
}

// NodeOptions says how to start the node that runs pods as processes.
type NodeOptions struct {
	// Name of the Node object; empty means "local".
	Name string
	// Images is the file that maps image names to programs, as the node's
	// --images explains it. Empty means that it knows no image.
	Images string
	// CIDR is where its pods' addresses come from, but for the first 256; empty
	// means 10.244.0.0/16. Two nodes in one network namespace need two.
	CIDR string
	// Args are added to the command line.
	Args []string
}

func (o Options) withDefaults() (Options, error) {
	if o.Node != nil {
		node := *o.Node
		if node.Name == "" {
			node.Name = "local"
		}
		if node.CIDR == "" {
			node.CIDR = namespace.Pods
		}
		o.Node = &node
		o.Scheduler = true
	}
	if o.Dir == "" {
		dir, err := os.MkdirTemp(forward.Folder(), "cluster-")
		if err != nil {
			return o, err
		}
		o.Dir = dir
	}
	return o, os.MkdirAll(o.Dir, 0o755)
}

// check reports, before anything is started, what would stop it later.
func (o Options) check() error {
	needed := []string{"etcd", "kube-apiserver", "kube-controller-manager"}
	if o.Scheduler || o.Node != nil {
		needed = append(needed, "kube-scheduler")
	}
	if o.Node != nil {
		needed = append(needed, "node")
		if o.Node.Images != "" {
			if _, err := os.Stat(o.Node.Images); err != nil {
				return fmt.Errorf("the node's images: %w", err)
			}
		}
	}
	if o.Gateway {
		needed = append(needed, "gateway-api", "traefik")
	}
	if o.Prometheus {
		needed = append(needed, "prometheus")
	}
	var missing []error
	for _, name := range needed {
		if _, err := parts.Path(name); err != nil {
			missing = append(missing, err)
		}
	}
	return errors.Join(missing...)
}
