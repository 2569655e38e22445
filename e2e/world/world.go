package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/cluster"
	"github.com/belay-dev/belay/e2e/gitserver"
	"github.com/belay-dev/belay/e2e/parts"
)

// Namespace of the controller.
const Namespace = "belay-system"

// Options of a world.
type Options struct {
	// Say gets a line for each thing that is done. Nil: silence.
	Say func(format string, args ...any)
	// Audit keeps a log of every request to the API server.
	Audit bool
	// ClusterName in commit messages.
	ClusterName string
	// WithoutPolicyAPI has the API server serve no MutatingAdmissionPolicy, as an older one. The chart cannot be
	// installed there; CRDs and RBAC are applied from config.
	WithoutPolicyAPI bool
	// PodCIDR is where addresses of pods come from, for a second world beside another one; empty: 10.244.0.0/16.
	PodCIDR string
}

// World is everything that shops share.
type World struct {
	Cluster *cluster.Cluster
	Git     *gitserver.Server
	// Client is an administrator's.
	Client client.WithWatch
	// Belay is the controller's process.
	Belay *Controller

	root string
	// dir is what the world keeps beside its cluster's files.
	dir string
	say func(format string, args ...any)
}

// Start brings the world up. Stop takes it down again.
func Start(ctx context.Context, o Options) (w *World, err error) {
	w = &World{say: o.Say}
	if w.say == nil {
		w.say = func(string, ...any) {}
	}
	defer func() {
		if err != nil {
			w.Stop()
		}
	}()
	if w.root, err = parts.Root(); err != nil {
		return w, err
	}
	if w.dir, err = os.MkdirTemp("", "belay-world-"); err != nil {
		return w, err
	}
	images, err := w.images(w.dir)
	if err != nil {
		return w, err
	}
	w.say("starting etcd, the API server, the controllers, a node, the gateway and Prometheus")
	w.Cluster, err = cluster.Start(ctx, cluster.Options{
		Node: &cluster.NodeOptions{Images: images, CIDR: o.PodCIDR}, Gateway: true, Prometheus: true, Audit: o.Audit,
		APIServerArgs: o.apiServerArgs(),
	})
	if err != nil {
		return w, err
	}
	if err := w.connect(); err != nil {
		return w, err
	}
	w.say("starting a Git server")
	repositories := filepath.Join(w.Cluster.Dir(), "git")
	if err := os.MkdirAll(repositories, 0o750); err != nil {
		return w, err
	}
	if w.Git, err = gitserver.Start(ctx, gitserver.Options{Dir: repositories}); err != nil {
		return w, err
	}
	if err := w.install(ctx, o); err != nil {
		return w, err
	}
	w.say("starting the controller under its own service account")
	w.Belay, err = w.controller(ctx, o)
	if err != nil {
		return w, err
	}
	return w, w.Belay.Start(ctx)
}

// Stop takes everything down, in reverse order.
func (w *World) Stop() {
	if w.Belay != nil {
		w.Belay.Stop()
	}
	if w.Git != nil {
		w.Git.Close()
	}
	if w.Cluster != nil {
		w.Cluster.Stop()
	}
	if w.dir != "" {
		_ = os.RemoveAll(w.dir) // the file of images; what stays behind is a few hundred bytes
	}
}

func (w *World) connect() error {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	// What the client library tells is the stories' own business, and shows in their errors.
	log.SetLogger(logr.Discard())
	c, err := client.NewWithWatch(w.Cluster.Config(), client.Options{Scheme: scheme})
	w.Client = c
	return err
}

// images writes the file that tells the node which program an image name stands for.
func (w *World) images(dir string) (string, error) {
	app := filepath.Join(w.root, "bin", "app")
	if _, err := os.Stat(app); err != nil {
		return "", fmt.Errorf("the shop's program is not built (looked for %s): run `make parts`", app)
	}
	type image struct {
		Command []string `json:"command"`
	}
	all := map[string]image{}
	add := func(tag string, args ...string) {
		// On a busy machine a gateway can take seconds to hear that a pod goes; until then the pod serves.
		all["shop:"+tag] = image{Command: append([]string{app, "--version", tag, "--drain", "4s"}, args...)}
	}
	for _, good := range []string{"v1", "v2", "v4", "v5", "v6"} {
		add(good)
	}
	add("v3", "--error-percent", "20")
	add("slow", "--ready-after", "3s")
	add("never-ready", "--never-ready")
	add("crashing", "--crash-after", "500ms", "--never-ready")
	raw, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "images.json")
	return file, os.WriteFile(file, raw, 0o600)
}

// install runs helm as a user would. The controller itself runs as a process of this machine, since there are no images
// here; everything else is what the chart says.
func (w *World) install(ctx context.Context, o Options) error {
	if o.WithoutPolicyAPI {
		return errors.Join(w.applyFolders(ctx, "config/crd", "config/rbac"), w.established(ctx))
	}
	w.say("installing Belay by its Helm chart")
	helm, err := parts.Path("helm")
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, helm, "install", "belay", filepath.Join(w.root, "charts", "belay"),
		"--namespace", Namespace, "--create-namespace", "--set", "controller.enabled=false")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+w.Cluster.Kubeconfig(),
		"HELM_CACHE_HOME="+filepath.Join(w.Cluster.Dir(), "helm"), "HELM_CONFIG_HOME="+filepath.Join(w.Cluster.Dir(), "helm"), "HELM_DATA_HOME="+filepath.Join(w.Cluster.Dir(), "helm"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("helm install: %w\n%s", err, out)
	}
	return w.established(ctx)
}

// established waits until the API server serves the kinds of Belay.
func (w *World) established(ctx context.Context) error {
	return Eventually(ctx, 30*time.Second, func(ctx context.Context) error {
		return errors.Join(
			w.Client.List(ctx, &v1alpha1.RolloutList{}),
			w.Client.List(ctx, &v1alpha1.AnalysisTemplateList{}),
			w.Client.List(ctx, &v1alpha1.RepositoryList{}),
		)
	})
}

// namespace makes one if it is not there.
func (w *World) namespace(ctx context.Context, name string) error {
	err := w.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
