package world

import (
	"path/filepath"
	"slices"
	"syscall"
)

// Replica is one of several controllers of which the leader works, under the same service account and with a clone, a log
// and ports of its own. It is to be started by the caller, instead of World.Belay.
func (w *World) Replica(name string) (*Controller, error) {
	c := &Controller{binary: w.Belay.binary, kubeconfig: w.Belay.kubeconfig, log: filepath.Join(w.Cluster.Dir(), "logs", "belay-"+name+".log")}
	var err error
	if c.health, err = freeAddress(); err != nil {
		return nil, err
	}
	if c.metrics, err = freeAddress(); err != nil {
		return nil, err
	}
	c.args = append(slices.Clone(w.Belay.args), "--leader-elect", "--git-cache-dir", filepath.Join(w.Cluster.Dir(), "belay-git-"+name),
		"--health-probe-bind-address", c.health, "--metrics-bind-address", c.metrics)
	return c, nil
}

// Freeze stops the controller in the middle of whatever it does, without its noticing. Thaw lets it go on as if nothing
// had happened.
func (c *Controller) Freeze() error { return c.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw ends a Freeze.
func (c *Controller) Thaw() error { return c.cmd.Process.Signal(syscall.SIGCONT) }
