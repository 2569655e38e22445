package world

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Controller is Belay as a process, under its own service account.
type Controller struct {
	binary, kubeconfig, log string
	args                    []string
	health, metrics         string
	cmd                     *exec.Cmd
	exited                  chan struct{}
}

func (w *World) controller(ctx context.Context, o Options) (*Controller, error) {
	c := &Controller{binary: filepath.Join(w.root, "bin", "belay"), log: filepath.Join(w.Cluster.Dir(), "logs", "belay.log")}
	if _, err := os.Stat(c.binary); err != nil {
		return nil, fmt.Errorf("the controller is not built (looked for %s): run `make build`", c.binary)
	}
	var err error
	if c.kubeconfig, err = w.Cluster.ServiceAccountKubeconfig(ctx, Namespace, "belay"); err != nil {
		return nil, err
	}
	providers := filepath.Join(w.Cluster.Dir(), "providers.yaml")
	text := fmt.Sprintf("default: main\nproviders:\n- name: main\n  address: %s\n", w.Cluster.Prometheus())
	if err := os.WriteFile(providers, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if c.health, err = w.Cluster.FreeAddress(); err != nil {
		return nil, err
	}
	if c.metrics, err = w.Cluster.FreeAddress(); err != nil {
		return nil, err
	}
	name := o.ClusterName
	if name == "" {
		name = "local"
	}
	c.args = []string{
		"--namespace", Namespace, "--cluster-name", name, "--controller-user", "system:serviceaccount:" + Namespace + ":belay",
		"--providers", providers, "--git-allow-http", "--git-cache-dir", filepath.Join(w.Cluster.Dir(), "belay-git"),
		"--health-probe-bind-address", c.health, "--metrics-bind-address", c.metrics,
	}
	return c, nil
}

// Start runs the controller and waits until it is ready.
func (c *Controller) Start(ctx context.Context) error {
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	c.cmd = exec.Command(c.binary, c.args...)
	c.cmd.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig)
	c.cmd.Stdout, c.cmd.Stderr = log, log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.cmd.Start(); err != nil {
		return err
	}
	c.exited = make(chan struct{})
	go func() {
		_ = c.cmd.Wait()
		_ = log.Close()
		close(c.exited)
	}()
	err = Eventually(ctx, 30*time.Second, c.ready)
	if err != nil {
		return fmt.Errorf("the controller does not become ready: %w; its log ends:\n%s", err, tail(c.log))
	}
	return nil
}

func (c *Controller) ready(ctx context.Context) error {
	select {
	case <-c.exited:
		return fmt.Errorf("it has ended")
	default:
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.health+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz says %s", resp.Status)
	}
	return nil
}

// Running says that the controller has been started and has not ended.
func (c *Controller) Running() bool {
	if c.exited == nil {
		return false
	}
	select {
	case <-c.exited:
		return false
	default:
		return true
	}
}

// Stop ends the controller and waits for that.
func (c *Controller) Stop() { c.signal(syscall.SIGTERM) }

// Kill takes it away in the middle of whatever it does.
func (c *Controller) Kill() { c.signal(syscall.SIGKILL) }

func (c *Controller) signal(s syscall.Signal) {
	if c.cmd == nil || c.cmd.Process == nil {
		return
	}
	_ = c.cmd.Process.Signal(s)
	<-c.exited
}

// Metrics is where the controller's figures are served, as host:port.
func (c *Controller) Metrics() string { return c.metrics }

// Log is the file of the controller's log.
func (c *Controller) Log() string { return c.log }

// tail gives the end of a log.
func tail(path string) string {
	const most = 4 << 10
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}

// LogTail is the end of the controller's log, for an error that ends a story.
func (c *Controller) LogTail() string { return "the controller's log ends:\n" + tail(c.log) }
