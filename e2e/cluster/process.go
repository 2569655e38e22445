package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/belay-dev/belay/e2e/parts"
)

// process is one running part.
type process struct {
	name  string
	log   string
	cmd   *exec.Cmd
	grace time.Duration

	// ended is closed when the process has ended; err is set before.
	ended chan struct{}
	err   error
}

// spec is how to start a part.
type spec struct {
	part string
	args []string
	env  []string
	// ready is polled until it returns nil.
	ready func(context.Context) error
	// grace is how long the part may take to stop before it is killed.
	grace time.Duration
}

// startTimeout is how long a part may take until it is ready. On two busy cores
// the API server has been seen to take half a minute.
const startTimeout = 2 * time.Minute

// start starts a part without waiting until it is ready.
func start(dir string, s spec) (*process, error) {
	path, err := parts.Path(s.part)
	if err != nil {
		return nil, err
	}
	p := &process{name: s.part, grace: s.grace, log: filepath.Join(dir, "logs", s.part+".log"), ended: make(chan struct{})}
	if err := os.MkdirAll(filepath.Dir(p.log), 0o755); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = exec.Command(path, s.args...)
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), s.env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	// A group of its own: Ctrl-C in a terminal must reach whoever stops the
	// cluster, not each part in any order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", s.part, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// wait polls ready until it returns nil. It gives up when the process ends,
// when ctx does, or after startTimeout.
func (p *process) wait(ctx context.Context, ready func(context.Context) error) error {
	if ready == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	err := poll(ctx, p.ended, ready)
	if err == nil {
		return nil
	}
	if errors.Is(err, errEnded) {
		return p.death("ended before it was ready")
	}
	return fmt.Errorf("%s is not ready: %w\nthe end of %s:\n%s", p.name, err, p.log, tailOf(p.log))
}

// death describes how a process ended, with the end of its log.
func (p *process) death(when string) error {
	how := "exit status 0"
	if p.err != nil {
		how = p.err.Error()
	}
	return fmt.Errorf("%s %s (%s)\nthe end of %s:\n%s", p.name, when, how, p.log, tailOf(p.log))
}

// stop asks the process to end, kills it after its grace, and waits for it.
func (p *process) stop() {
	select {
	case <-p.ended:
		return
	default:
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.NewTimer(p.grace)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
		// The group, so that children of the part go too.
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.ended
	}
}

var errEnded = errors.New("it ended")

// poll calls f every 50 ms until it returns nil. The error carries f's last.
func poll(ctx context.Context, ended <-chan struct{}, f func(context.Context) error) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		try, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := f(try)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			return errEnded
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-ticker.C:
		}
	}
}

// tailOf returns the last lines of a log.
func tailOf(path string) string {
	const lines, most = 20, 16 << 10
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	if len(text) > most {
		text = text[len(text)-most:]
	}
	all := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return string(bytes.Join(all, []byte("\n")))
}
