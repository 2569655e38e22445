package namespace

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Pods is the network whose every address is this machine.
const Pods = "10.244.0.0/16"

// First is the life of the namespace's first process: it sets up the network,
// runs the command args, passes signals on, collects processes that lost their
// parent, and returns the command's exit status. When its caller exits, the
// kernel kills whatever is left.
func First(args []string) (int, error) {
	// Number 1 dies of no signal that it has not asked for, so ask early.
	signals := make(chan os.Signal, 64)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2)

	if err := setUp(); err != nil {
		if isForbidden(err) {
			return 0, forbidden(err)
		}
		return 0, err
	}
	path, err := exec.LookPath(args[0])
	if err != nil {
		return 0, err
	}
	child, err := os.StartProcess(path, args, &os.ProcAttr{
		Env:   os.Environ(),
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", args[0], err)
	}
	go forward(signals, child)
	return collect(child.Pid)
}

// setUp needs the rights that a new user namespace gives; some systems let one
// be made and then withhold them, which shows here.
func setUp() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find the loopback device: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("set the loopback device up: %w", err)
	}
	_, pods, err := net.ParseCIDR(Pods)
	if err != nil {
		return err
	}
	err = netlink.RouteAdd(&netlink.Route{
		LinkIndex: lo.Attrs().Index, Dst: pods,
		Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, Scope: netlink.SCOPE_HOST,
	})
	if err != nil {
		return fmt.Errorf("make %s addresses of this machine: %w", Pods, err)
	}
	mountProc()
	return nil
}

// mountProc shows the namespace's own processes in /proc. Without it, programs
// that measure themselves by their process number read somebody else's figures,
// which is ugly and harmless: inside some containers it is not allowed.
func mountProc() {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return
	}
	_ = unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
}

// collect waits for every process that has become a child of number 1 until
// the command itself has ended.
func collect(command int) (int, error) {
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, 0, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("wait for the command: %w", err)
		}
		if pid != command {
			continue
		}
		if ws.Signaled() {
			return 128 + int(ws.Signal()), nil
		}
		return ws.ExitStatus(), nil
	}
}

// Check reports whether this process is inside a namespace; the error says how
// to get there.
func Check() error {
	listener, err := net.Listen("tcp", "10.244.255.254:0")
	if err != nil {
		return fmt.Errorf("this must run inside the local network namespace (cannot listen on an address of %s: %w): use `make e2e`, or `bin/local run -- %s`", Pods, err, os.Args[0])
	}
	return listener.Close()
}
