package namespace

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// FirstArgument is the first argument with which the launcher starts itself
// again inside the namespace; main must then call First with the rest.
const FirstArgument = "__first"

// launcherVariable tells processes inside the number of the launcher as the
// outside knows it; inside, numbers begin anew.
const launcherVariable = "BELAY_LAUNCHER"

// Launcher is the process number, outside, to which a person sends the signal
// that ends everything. It is empty outside of a namespace.
func Launcher() string { return os.Getenv(launcherVariable) }

// Launch runs the command args in a new namespace with the environment env and
// returns its exit status; 128 plus the number for a command that died of a
// signal. The program that calls it must call First when its first argument is
// FirstArgument. An error is a *ForbiddenError where the system does not allow
// namespaces.
func Launch(args, env []string) (int, error) {
	// The kernel watches the thread that started the child, not the process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	// Before the command starts: one that comes right after it must not end the launcher instead.
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2)
	defer signal.Stop(signals)

	// As root a user namespace is not needed, and without one more works, such
	// as files that belong to other users. In a container root may lack the
	// right to do it; then it is like any other user.
	attempts := []bool{true}
	if os.Geteuid() == 0 {
		attempts = []bool{false, true}
	}
	var cmd *exec.Cmd
	var err error
	for _, ownUsers := range attempts {
		cmd = command(args, env, ownUsers)
		if err = cmd.Start(); !isForbidden(err) {
			break
		}
	}
	if isForbidden(err) {
		return 0, forbidden(err)
	}
	if err != nil {
		return 0, err
	}

	go forward(signals, cmd.Process)

	return status(cmd.Wait(), cmd)
}

func command(args, env []string, ownUsers bool) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", append([]string{FirstArgument}, args...)...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(slices.Clone(env), launcherVariable+"="+strconv.Itoa(os.Getpid()))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWNS,
		Pdeathsig:  unix.SIGKILL,
	}
	if ownUsers {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	return cmd
}

// forward passes signals on. What the terminal sends on Ctrl-C goes to the
// whole foreground group, the command included, which would otherwise see it
// twice and take the second for "at once".
func forward(signals <-chan os.Signal, to *os.Process) {
	for s := range signals {
		if (s == unix.SIGINT || s == unix.SIGQUIT) && inForeground() {
			continue
		}
		// An error means that it has ended already, which Wait reports.
		_ = to.Signal(s)
	}
}

func inForeground() bool {
	terminal, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer terminal.Close()
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// status turns the end of a command into an exit status.
func status(err error, cmd *exec.Cmd) (int, error) {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok {
		return cmd.ProcessState.ExitCode(), nil
	}
	if ws.Signaled() {
		return 128 + int(ws.Signal()), nil
	}
	return ws.ExitStatus(), nil
}

// Report prints err for the person who started the launcher and returns the
// exit status: 2 for something that they can allow, 1 for anything else.
func Report(w io.Writer, err error) int {
	fmt.Fprintln(w, err)
	var no *ForbiddenError
	if errors.As(err, &no) {
		return 2
	}
	return 1
}
