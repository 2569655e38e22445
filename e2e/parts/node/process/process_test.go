package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const soon = 10 * time.Second

const playNode = "__node"

// TestMain also plays a node that starts one process and tells its id.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == playNode {
		p, err := NewStarter().Start(shell("exec sleep 300"))
		if err != nil {
			panic(err)
		}
		fmt.Println(p.pid)
		<-p.Done()
		return
	}
	os.Exit(m.Run())
}

func shell(script string) Spec {
	return Spec{Command: []string{"/bin/sh", "-c", script}}
}

func wait(t *testing.T, p *Process) Exit {
	t.Helper()
	select {
	case <-p.Done():
		return p.Exit()
	case <-time.After(soon):
		t.Fatal("the process is still running")
		return Exit{}
	}
}

func TestExitCodes(t *testing.T) {
	starter := NewStarter()
	cases := map[string]struct {
		script string
		want   Exit
	}{
		"success":          {script: "exit 0", want: Exit{Code: 0}},
		"failure":          {script: "exit 3", want: Exit{Code: 3}},
		"killed by itself": {script: "kill -9 $$", want: Exit{Code: 137, Signal: syscall.SIGKILL}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p, err := starter.Start(shell(tc.script))
			if err != nil {
				t.Fatal(err)
			}
			got := wait(t, p)
			got.At = time.Time{}
			if got != tc.want {
				t.Errorf("exit = %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestStartOfMissingProgramFails(t *testing.T) {
	if _, err := NewStarter().Start(Spec{Command: []string{"/no/such/program"}}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error = %v, want that the program does not exist", err)
	}
	if _, err := NewStarter().Start(Spec{}); err == nil {
		t.Error("an empty command was started")
	}
}

func TestEnvironmentIsNotInherited(t *testing.T) {
	t.Setenv("BELAY_NODE_TEST", "leaked")
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	spec := shell(`echo "own=$OWN leaked=$BELAY_NODE_TEST"`)
	spec.Env, spec.Output = []string{"OWN=yes"}, out
	p, err := NewStarter().Start(spec)
	if err != nil {
		t.Fatal(err)
	}
	wait(t, p)
	got, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	if want := "own=yes leaked=\n"; string(got) != want {
		t.Errorf("output = %q, want %q", got, want)
	}
}

// A child of the container must not survive it, or a port stays taken after the pod is gone.
func TestChildrenEndWithTheProcess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "child")
	p, err := NewStarter().Start(shell("sleep 300 & echo $! > " + file))
	if err != nil {
		t.Fatal(err)
	}
	wait(t, p)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	waitGone(t, child)
}

// A node that is killed takes its pods along: nothing may hold an address of a cluster that is gone.
func TestProcessesEndWithTheNode(t *testing.T) {
	node := exec.Command(os.Args[0], playNode)
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	_, err = fmt.Fscan(out, &pid)
	if killErr := node.Process.Kill(); killErr != nil {
		t.Fatal(killErr)
	}
	_ = node.Wait()
	if err != nil {
		t.Fatal(err)
	}
	waitGone(t, pid)
}

func waitGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(soon)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for alive(pid) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d is still running", pid)
		}
		<-tick.C
	}
}

// alive is false for a zombie: it holds no port, and who reaps it depends on the machine.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}

func TestTerminateThenKill(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	p, err := NewStarter().Start(shell("trap '' TERM; : > " + ready + "; while :; do sleep 0.05; done"))
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(soon)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for _, err := os.Stat(ready); err != nil; _, err = os.Stat(ready) {
		if time.Now().After(deadline) {
			t.Fatal("the trap was never set")
		}
		<-tick.C
	}
	p.Terminate()
	select {
	case <-p.Done():
		t.Fatal("a process that ignores SIGTERM ended on SIGTERM")
	case <-time.After(200 * time.Millisecond):
	}
	p.Kill()
	if got := wait(t, p); got.Signal != syscall.SIGKILL {
		t.Errorf("signal = %v, want SIGKILL", got.Signal)
	}
	p.Terminate() // a second signal to a process that is gone must reach nobody
}

func TestExec(t *testing.T) {
	starter := NewStarter()
	if err := starter.Exec(context.Background(), shell("exit 0")); err != nil {
		t.Errorf("exit 0: %v", err)
	}
	if err := starter.Exec(context.Background(), shell("exit 7")); err == nil || !strings.Contains(err.Error(), "exited with 7") {
		t.Errorf("exit 7: error = %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := starter.Exec(ctx, shell("sleep 300")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("sleep: error = %v, want that the deadline passed", err)
	}
}
