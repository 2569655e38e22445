package world

import (
	"path/filepath"
	"slices"
	"syscall"
)

// ReplicaOptions say how a controller beside World.Belay is started.
type ReplicaOptions struct {
	// Name tells its log and its clone from others'.
	Name string
	// Kubeconfig by which it reaches the API server; empty: that of World.Belay. The service account is the same.
	Kubeconfig string
	// Alone: it works without being elected.
	Alone bool
}

// Replica is another controller under the same service account, with a clone, a log and ports of its own. It is to be
// started by the caller, instead of World.Belay.
func (w *World) Replica(o ReplicaOptions) (*Controller, error) {
	c := &Controller{binary: w.Belay.binary, kubeconfig: w.Belay.kubeconfig, log: filepath.Join(w.Cluster.Dir(), "logs", "belay-"+o.Name+".log")}
	if o.Kubeconfig != "" {
		c.kubeconfig = o.Kubeconfig
	}
	var err error
	if c.health, err = w.Cluster.FreeAddress(); err != nil {
		return nil, err
	}
	if c.metrics, err = w.Cluster.FreeAddress(); err != nil {
		return nil, err
	}
	c.args = append(slices.Clone(w.Belay.args), "--git-cache-dir", filepath.Join(w.Cluster.Dir(), "belay-git-"+o.Name),
		"--health-probe-bind-address", c.health, "--metrics-bind-address", c.metrics)
	if !o.Alone {
		c.args = append(c.args, "--leader-elect")
	}
	return c, nil
}

// Kubeconfig by which the controller reaches the API server.
func (c *Controller) Kubeconfig() string { return c.kubeconfig }

// Freeze stops the controller in the middle of whatever it does, without its noticing. Thaw lets it go on as if nothing
// had happened.
func (c *Controller) Freeze() error { return c.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw ends a Freeze.
func (c *Controller) Thaw() error { return c.cmd.Process.Signal(syscall.SIGCONT) }
