package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/virtual-kubelet/virtual-kubelet/log"
	vkslog "github.com/virtual-kubelet/virtual-kubelet/log/slog"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/record"

	"github.com/belay-dev/belay/e2e/parts/node/images"
	"github.com/belay-dev/belay/e2e/parts/node/pods"
	"github.com/belay-dev/belay/e2e/parts/node/process"
)

type options struct {
	kubeconfig, name, images, cidr, logDir string
	restartBackoff                         time.Duration
	verbose                                bool
}

func main() {
	var o options
	flag.StringVar(&o.kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "kubeconfig file")
	flag.StringVar(&o.name, "node-name", "local", "name of the node")
	flag.StringVar(&o.images, "images", "images.json", `file that says what an image name runs: {"app:v1": {"command": ["/path/to/app"], "env": {}}}`)
	flag.StringVar(&o.cidr, "cidr", "10.244.0.0/16", "addresses of the pods; they have to be local addresses of this machine")
	flag.StringVar(&o.logDir, "log-dir", ".", "directory for the containers' output")
	flag.DurationVar(&o.restartBackoff, "restart-backoff", 10*time.Second, "wait before the second restart of a container, doubled each time up to five minutes")
	flag.BoolVar(&o.verbose, "v", false, "log every step")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	level := slog.LevelWarn
	if o.verbose {
		level = slog.LevelDebug
	}
	log.L = vkslog.FromSlog(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return fmt.Errorf("--kubeconfig %q: %w", o.kubeconfig, err)
	}
	// A kubelet limits itself per node; here one node is the whole cluster.
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ips, err := newAddresses(o.cidr)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.logDir, 0o755); err != nil {
		return fmt.Errorf("--log-dir %q: %w", o.logDir, err)
	}
	events := record.NewBroadcaster(record.WithContext(ctx))
	defer events.Shutdown()
	events.StartRecordingToSink(&corev1client.EventSinkImpl{Interface: client.CoreV1().Events("")})
	recorder := events.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "kubelet", Host: o.name})

	loops, err := newControllers(client, o.name, &pods.Runtime{
		Starter: process.NewStarter(),
		Images:  images.File(o.images),
		LogDir:  o.logDir,
		NodeIP:  ips.node(),
		Restart: pods.Backoff{Initial: o.restartBackoff, Max: 5 * time.Minute},
		Pull:    pods.Backoff{Initial: 10 * time.Second, Max: 5 * time.Minute},
		Event: func(pod *corev1.Pod, kind, reason, message string) {
			recorder.Event(pod, kind, reason, message)
		},
	}, ips)
	if err != nil {
		return err
	}
	return loops.run(ctx)
}
