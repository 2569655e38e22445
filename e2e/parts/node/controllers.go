package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/virtual-kubelet/virtual-kubelet/node"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"

	"github.com/belay-dev/belay/e2e/parts/node/pods"
)

// workers is high because a worker that deletes a pod waits for the pod's processes.
const workers = 100

// controllers are the two loops of virtual-kubelet and what they share.
type controllers struct {
	pods      *node.PodController
	node      *node.NodeController
	informers []informers.SharedInformerFactory
}

func newControllers(client kubernetes.Interface, name string, rt *pods.Runtime, ips *addresses) (*controllers, error) {
	ours := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTweakListOptions(func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", name).String()
	}))
	all := informers.NewSharedInformerFactory(client, 0)
	podInformer := ours.Core().V1().Pods()

	p := &provider{runtime: rt, addresses: ips, pods: map[types.NamespacedName]*pods.Pod{}}
	api := podClient{PodsGetter: client.CoreV1(), lister: podInformer.Lister(), end: p.end}
	p.finish = func(object *corev1.Pod) { finish(context.Background(), api, object) }
	fast := func() workqueue.TypedRateLimiter[any] {
		return workqueue.NewTypedItemExponentialFailureRateLimiter[any](time.Millisecond, 5*time.Second)
	}
	podController, err := node.NewPodController(node.PodControllerConfig{
		PodClient:   api,
		PodInformer: podInformer,
		// The events of virtual-kubelet say nothing that the pods' own events do not say.
		EventRecorder:                        &record.FakeRecorder{},
		Provider:                             p,
		ConfigMapInformer:                    all.Core().V1().ConfigMaps(),
		SecretInformer:                       all.Core().V1().Secrets(),
		ServiceInformer:                      all.Core().V1().Services(),
		SyncPodsFromKubernetesRateLimiter:    fast(),
		DeletePodsFromKubernetesRateLimiter:  fast(),
		SyncPodStatusFromProviderRateLimiter: fast(),
		SkipDownwardAPIResolution:            true,
	})
	if err != nil {
		return nil, fmt.Errorf("pod controller: %w", err)
	}
	nodeController, err := node.NewNodeController(node.NewNaiveNodeProvider(), nodeObject(name, ips.node()), client.CoreV1().Nodes(),
		node.WithNodeEnableLeaseV1(client.CoordinationV1().Leases(corev1.NamespaceNodeLease), node.DefaultLeaseDuration))
	if err != nil {
		return nil, fmt.Errorf("node controller: %w", err)
	}
	return &controllers{pods: podController, node: nodeController, informers: []informers.SharedInformerFactory{ours}}, nil
}

// finish writes a pod's last status and lets its object go; its processes are gone. If the API server cannot be reached,
// virtual-kubelet deletes the object at the end of the grace period.
func finish(ctx context.Context, client podClient, object *corev1.Pod) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	api := client.Pods(object.Namespace)
	if _, err := api.UpdateStatus(ctx, object, metav1.UpdateOptions{}); err != nil && !apierrors.IsNotFound(err) {
		slog.Error("last status of a pod", "pod", keyOf(object), "error", err)
	}
	options := metav1.NewDeleteOptions(0)
	options.Preconditions = metav1.NewUIDPreconditions(string(object.UID))
	if err := api.Delete(ctx, object.Name, *options); err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		slog.Error("delete a pod that has ended", "pod", keyOf(object), "error", err)
	}
}

// run returns when ctx ends or one of the loops fails.
func (c *controllers) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, factory := range c.informers {
		factory.Start(ctx.Done())
	}
	go func() { _ = c.pods.Run(ctx, workers) }()
	select {
	case <-c.pods.Ready():
	case <-c.pods.Done():
		return fmt.Errorf("pod controller: %w", c.pods.Err())
	}
	go func() { _ = c.node.Run(ctx) }()
	select {
	case <-c.node.Ready():
		slog.Info("the node is ready")
	case <-c.node.Done():
		return fmt.Errorf("node controller: %w", c.node.Err())
	}
	select {
	case <-ctx.Done():
		return nil
	case <-c.pods.Done():
		return fmt.Errorf("pod controller: %w", c.pods.Err())
	case <-c.node.Done():
		return fmt.Errorf("node controller: %w", c.node.Err())
	}
}
