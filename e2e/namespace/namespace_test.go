package namespace_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	ossignal "os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/belay-dev/belay/e2e/namespace"
)

const (
	launchArgument = "__launch"
	checkArgument  = "__check"
)

// TestMain plays the program that a launcher starts again, and the launcher.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 {
		os.Exit(m.Run())
	}
	finish := func(status int, err error) {
		if err != nil {
			status = namespace.Report(os.Stderr, err)
		}
		os.Exit(status)
	}
	switch os.Args[1] {
	case launchArgument:
		finish(namespace.Launch(os.Args[2:], os.Environ()))
	case namespace.FirstArgument:
		finish(namespace.First(os.Args[2:]))
	case checkArgument:
		finish(0, check(os.Args[2]))
	}
	os.Exit(m.Run())
}

// check runs inside and looks at the network from there.
func check(outside string) error {
	if err := namespace.Check(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "10.244.17.34:0")
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return err
	}
	conn.Close()
	if _, err := net.Dial("tcp", outside); err == nil {
		return fmt.Errorf("%s, which is outside, can be reached", outside)
	}
	return nil
}

func launcher(args ...string) *exec.Cmd {
	return exec.Command("/proc/self/exe", append([]string{launchArgument}, args...)...)
}

func TestStatusIsTheCommands(t *testing.T) {
	for name, test := range map[string]struct {
		script string
		want   int
	}{
		"success":            {"true", 0},
		"a status":           {"exit 7", 7},
		"killed":             {"kill -9 $$", 128 + 9},
		"an orphan's is not": {"(sh -c 'exit 5' &) ; exit 3", 3},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := launcher("sh", "-c", test.script)
			out, _ := cmd.CombinedOutput()
			if got := cmd.ProcessState.ExitCode(); got != test.want {
				t.Errorf("got %d, want %d; it said %q", got, test.want, out)
			}
		})
	}
}

func TestUnknownCommandIsNamed(t *testing.T) {
	out, err := launcher("no-such-command").CombinedOutput()
	if err == nil || !strings.Contains(string(out), `"no-such-command"`) {
		t.Errorf("got %v, %q", err, out)
	}
}

func TestNetworkIsItsOwn(t *testing.T) {
	outside, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
	if out, err := launcher("/proc/self/exe", checkArgument, outside.Addr().String()).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestNothingOutlivesTheCommand(t *testing.T) {
	mark := fmt.Sprintf("%d.25", 100000+os.Getpid())
	if out, err := launcher("sh", "-c", "setsid sleep "+mark+" >/dev/null 2>&1 & exit 0").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if left := running(t, mark); left != 0 {
		t.Errorf("%d processes are left", left)
	}
}

func TestNothingOutlivesALauncherThatIsKilled(t *testing.T) {
	mark := fmt.Sprintf("%d.75", 100000+os.Getpid())
	cmd := launcher("sh", "-c", "setsid sleep "+mark+" & echo ready; sleep "+mark)
	waitForLine(t, cmd)
	// Both sleeps bear the mark once they are what they are to be; the line may come before that. The shell bears it too.
	await(t, mark, "run", func(n int) bool { return n >= 2 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	await(t, mark, "are left", func(n int) bool { return n == 0 })
}

// await looks until the number of processes that bear the mark is as wanted.
func await(t *testing.T, mark, what string, wanted func(int) bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !wanted(running(t, mark)) {
		select {
		case <-deadline:
			t.Fatalf("%d processes %s", running(t, mark), what)
		case <-ticker.C:
		}
	}
}

func TestSignalsArePassedOn(t *testing.T) {
	// Whoever starts the tests may ignore signals (nohup does), and what is ignored is inherited. What is caught is not.
	caught := make(chan os.Signal, 1)
	ossignal.Notify(caught, unix.SIGTERM, unix.SIGHUP, unix.SIGINT)
	defer ossignal.Stop(caught)
	for name, signal := range map[string]unix.Signal{"TERM": unix.SIGTERM, "HUP": unix.SIGHUP, "INT": unix.SIGINT} {
		t.Run(name, func(t *testing.T) {
			cmd := launcher("sh", "-c", `trap "exit 42" `+name+`; echo ready; while :; do sleep 0.05; done`)
			// A session without a terminal: with one, Ctrl-C reaches the command by itself.
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			waitForLine(t, cmd)
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != 42 {
				t.Errorf("the status is %d", got)
			}
		})
	}
}

// waitForLine starts cmd and returns when it has printed a line.
func waitForLine(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
}

// running counts the processes that have mark as an argument of `sleep`.
func running(t *testing.T, mark string) int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(files) == 0 {
		t.Fatalf("/proc is not there: %v", err)
	}
	count := 0
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && bytes.Equal(text, []byte("sleep\x00"+mark+"\x00")) {
			count++
		}
	}
	return count
}
