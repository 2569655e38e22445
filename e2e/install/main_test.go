package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/belay-dev/belay/e2e/cluster"
	"github.com/belay-dev/belay/e2e/parts"
)

const ours = "system:serviceaccount:belay-system:belay"

// world is the cluster that all tests of this package share, with the chart installed and users in namespace shop:
// vera may view, eddie edit, anna is admin.
type world struct {
	server  *cluster.Cluster
	client  kubernetes.Interface
	objects dynamic.Interface
	root    string
	plugin  string
	before  ran // `kubectl belay get` before the chart was installed
}

var shared world

func TestMain(m *testing.M) {
	os.Exit(cluster.Main(m, cluster.Options{Gateway: true}, func(c *cluster.Cluster) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		if err := shared.prepare(ctx, c); err != nil {
			fmt.Fprintln(os.Stderr, "preparing:", err)
			c.Stop()
			os.Exit(1)
		}
	}))
}

func (w *world) prepare(ctx context.Context, c *cluster.Cluster) (err error) {
	w.server = c
	if w.client, err = kubernetes.NewForConfig(c.Config()); err != nil {
		return err
	}
	if w.objects, err = dynamic.NewForConfig(c.Config()); err != nil {
		return err
	}
	if w.root, err = parts.Root(); err != nil {
		return err
	}
	w.plugin = filepath.Join(c.Dir(), "kubectl-belay")
	build := exec.CommandContext(ctx, "go", "build", "-o", w.plugin, "./cmd/kubectl-belay")
	build.Dir = w.root
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the plugin: %w\n%s", err, out)
	}
	if err := w.people(ctx); err != nil {
		return err
	}
	w.before = w.belay(ctx, "admin", "get")
	return w.helm(ctx, "install", "belay", filepath.Join(w.root, "charts", "belay"), "--namespace", "belay-system", "--create-namespace",
		"--set", "controller.enabled=false", "--set-json", `metricSources.providers=[{"name":"main","address":"http://10.244.0.1:9090"}]`)
}

func (w *world) people(ctx context.Context) error {
	for _, name := range []string{"shop", "empty"} {
		if _, err := w.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	for user, role := range map[string]string{"vera": "view", "eddie": "edit", "anna": "admin"} {
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: user},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
		}
		if _, err := w.client.RbacV1().RoleBindings("shop").Create(ctx, binding, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) helm(ctx context.Context, args ...string) error {
	helm, err := parts.Path("helm")
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, helm, append(args, "--kubeconfig", w.server.Kubeconfig())...)
	// Nothing of the person who runs the test may get in.
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+w.server.Dir(), "HELM_CONFIG_HOME="+w.server.Dir(), "HELM_DATA_HOME="+w.server.Dir())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("helm %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// ran is what came of a command line.
type ran struct {
	code     int
	out, err string
}

// belay runs the plugin as a user ("admin": without impersonation), in namespace shop unless the arguments say otherwise.
func (w *world) belay(ctx context.Context, user string, args ...string) ran {
	args = append([]string{"--kubeconfig", w.server.Kubeconfig(), "--namespace", "shop"}, args...)
	if user != "admin" {
		args = append(args, "--as", user)
	}
	var out, errOut bytes.Buffer
	cmd := exec.CommandContext(ctx, w.plugin, args...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return ran{code: -1, err: err.Error()}
	}
	return ran{code: cmd.ProcessState.ExitCode(), out: out.String(), err: errOut.String()}
}

func (r ran) check(t *testing.T, code int, out, errOut string) {
	t.Helper()
	if r.code != code || !strings.Contains(r.out, out) || !strings.Contains(r.err, errOut) {
		t.Errorf("exit code %d, want %d, with %q and %q\noutput:\n%s\nerror output:\n%s", r.code, code, out, errOut, r.out, r.err)
	}
}

// eventually waits for something that others do.
func eventually(t *testing.T, what string, done func(context.Context) (bool, error)) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, time.Minute, true, done); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
