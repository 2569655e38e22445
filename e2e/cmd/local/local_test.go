package main

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const playVariable = "BELAY_TEST_PLAYS_LOCAL"

// TestMain plays the program itself, which starts itself again several times.
func TestMain(m *testing.M) {
	if os.Getenv(playVariable) != "" {
		main()
	}
	os.Exit(m.Run())
}

func local(args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), playVariable+"=1")
	return cmd
}

func TestBadUse(t *testing.T) {
	for name, test := range map[string]struct {
		args   []string
		status int
		says   string
	}{
		"nothing":         {nil, 2, "usage:"},
		"unknown command": {[]string{"start"}, 2, `unknown command "start"`},
		"run without one": {[]string{"run", "--"}, 2, "usage:"},
		"unknown part":    {[]string{"build", "kubelet"}, 1, `part "kubelet" is unknown; the parts are etcd,`},
		"unknown flag":    {[]string{"up", "--no-such-flag"}, 2, "flag provided but not defined: -no-such-flag"},
		"no such images":  {[]string{"up", "--images", "no-such-file.json"}, 1, "no-such-file.json"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := local(test.args...)
			out, _ := cmd.CombinedOutput()
			if got := cmd.ProcessState.ExitCode(); got != test.status || !strings.Contains(string(out), test.says) {
				t.Errorf("status %d, %q", got, out)
			}
		})
	}
}

// TestUp starts the whole cluster and uses it from outside of its network as
// the printed lines say.
func TestUp(t *testing.T) {
	cmd := local("up")
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	defer func() {
		if !ended {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}()
	lines := bufio.NewScanner(stdout)
	var said strings.Builder
	for lines.Scan() && !strings.Contains(lines.Text(), "Ctrl-C") {
		said.WriteString(lines.Text() + "\n")
	}
	if !strings.Contains(lines.Text(), "kill ") {
		t.Fatalf("it ended with %q after %s", lines.Text(), said.String())
	}
	kubeconfig := find(t, `export KUBECONFIG=(\S+)`, said.String())

	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := kubernetes.NewForConfigOrDie(config).CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(nodes.Items) != 1 {
		t.Errorf("nodes: %v, %v", nodes, err)
	}
	for name, test := range map[string]struct {
		url    string
		status int
	}{
		"gateway without a route": {find(t, `gateway\s+(\S+)`, said.String()), http.StatusNotFound},
		"Prometheus":              {find(t, `Prometheus\s+(\S+)`, said.String()) + "/-/ready", http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			response, err := http.Get(test.url)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != test.status {
				t.Errorf("%s answers %s", test.url, response.Status)
			}
		})
	}

	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	ended = true
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := os.Stat(kubeconfig); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", kubeconfig, err)
	}
}

func find(t *testing.T, pattern, text string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if match == nil {
		t.Fatalf("%s is not in %q", pattern, text)
	}
	return match[1]
}
