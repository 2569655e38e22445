package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Spec says what to run. Command holds the program's path and its arguments; Env is the whole environment, as
// NAME=value; Output receives standard output and standard error and may be nil.
type Spec struct {
	Command []string
	Env     []string
	Dir     string
	Output  *os.File
}

// Exit is how a process ended. Code is 128 plus the signal's number when a signal ended it, as a container runtime
// reports it.
type Exit struct {
	Code   int
	Signal syscall.Signal
	At     time.Time
}

// Starter starts processes. All are started by one thread, because the kernel sends a parent death signal when the
// thread that started the child ends, not when the process does.
type Starter struct {
	requests chan func()
}

// NewStarter returns a Starter whose thread lives as long as the program.
func NewStarter() *Starter {
	s := &Starter{requests: make(chan func())}
	go func() {
		runtime.LockOSThread()
		for start := range s.requests {
			start()
		}
	}()
	return s
}

// Process is a started program.
type Process struct {
	pid  int
	done chan struct{}
	exit Exit
}

// Start runs the program. An error means that nothing is running.
func (s *Starter) Start(spec Spec) (*Process, error) {
	if len(spec.Command) == 0 {
		return nil, errors.New("command is empty: give at least the program's path")
	}
	cmd := exec.Command(spec.Command[0], spec.Command[1:]...)
	cmd.Env = spec.Env
	cmd.Dir = spec.Dir
	if spec.Output != nil {
		cmd.Stdout, cmd.Stderr = spec.Output, spec.Output
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}

	started := make(chan error, 1)
	s.requests <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %q: %w", spec.Command[0], err)
	}
	p := &Process{pid: cmd.Process.Pid, done: make(chan struct{})}
	go p.wait(cmd)
	return p, nil
}

// wait reaps the process only after its group was killed: until then the kernel cannot give its id to anybody else.
func (p *Process) wait(cmd *exec.Cmd) {
	for {
		err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	_ = cmd.Wait()
	p.exit = Exit{At: time.Now(), Code: cmd.ProcessState.ExitCode()}
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		p.exit.Signal = ws.Signal()
		p.exit.Code = 128 + int(ws.Signal())
	}
	close(p.done)
}

// Done is closed when the process and all that it started are gone.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit tells how the process ended; only valid after Done.
func (p *Process) Exit() Exit { return p.exit }

// Terminate asks the process, and only it, to end: a container runtime too signals only the first process.
func (p *Process) Terminate() { p.signal(p.pid, syscall.SIGTERM) }

// Kill ends the process and all that it started.
func (p *Process) Kill() { p.signal(-p.pid, syscall.SIGKILL) }

func (p *Process) signal(target int, sig syscall.Signal) {
	select {
	case <-p.done:
	default:
		_ = syscall.Kill(target, sig)
	}
}
