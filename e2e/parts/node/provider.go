package main

import (
	"context"
	"sync"
	"time"

	"github.com/virtual-kubelet/virtual-kubelet/errdefs"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/e2e/parts/node/pods"
)

// provider is what virtual-kubelet asks to run pods.
type provider struct {
	runtime   *pods.Runtime
	addresses *addresses
	// finish is called once for every pod that was terminated, after its last process is gone.
	finish func(*corev1.Pod)

	mu     sync.Mutex
	pods   map[types.NamespacedName]*pods.Pod
	notify func(*corev1.Pod)
}

func keyOf(pod *corev1.Pod) types.NamespacedName {
	return types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}
}

// NotifyPods takes the function that hears of every change of a pod's status.
func (p *provider) NotifyPods(_ context.Context, notify func(*corev1.Pod)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notify = notify
}

// CreatePod starts a pod. A pod of the same name with another UID was deleted by force: it ends now.
func (p *provider) CreatePod(_ context.Context, object *corev1.Pod) error {
	ip, err := p.addresses.next()
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.pods[keyOf(object)]
	if old != nil && old.Object().UID == object.UID {
		return nil
	}
	if old != nil {
		old.Terminate(0)
	}
	pod := p.runtime.Start(object, ip)
	p.pods[keyOf(object)] = pod
	go p.follow(pod)
	return nil
}

// follow reports a pod's status until the pod is gone.
func (p *provider) follow(pod *pods.Pod) {
	for {
		select {
		case <-pod.Changed():
			p.report(withStatus(pod))
		case <-pod.Gone():
			p.forget(pod)
			p.finish(withStatus(pod))
			return
		}
	}
}

func (p *provider) report(object *corev1.Pod) {
	p.mu.Lock()
	notify := p.notify
	p.mu.Unlock()
	notify(object)
}

func (p *provider) forget(pod *pods.Pod) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if key := keyOf(pod.Object()); p.pods[key] == pod {
		delete(p.pods, key)
	}
}

// UpdatePod takes over changed labels and annotations.
func (p *provider) UpdatePod(ctx context.Context, object *corev1.Pod) error {
	pod := p.find(keyOf(object), object.UID)
	if pod == nil {
		return p.CreatePod(ctx, object)
	}
	pod.Update(object)
	return nil
}

// DeletePod begins to stop a pod, within the grace period of its deletion.
func (p *provider) DeletePod(_ context.Context, object *corev1.Pod) error {
	pod := p.find(keyOf(object), object.UID)
	if pod == nil {
		return errdefs.NotFoundf("pod %s does not run here", keyOf(object))
	}
	pod.Terminate(graceOf(object))
	return nil
}

// end stops a pod, if it runs, and returns when its processes are gone.
func (p *provider) end(ctx context.Context, key types.NamespacedName, uid types.UID) error {
	pod := p.find(key, uid)
	if pod == nil {
		return nil
	}
	pod.Terminate(graceOf(pod.Object()))
	select {
	case <-pod.Gone():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// GetPod finds a pod by its name.
func (p *provider) GetPod(_ context.Context, namespace, name string) (*corev1.Pod, error) {
	pod := p.find(types.NamespacedName{Namespace: namespace, Name: name}, "")
	if pod == nil {
		return nil, errdefs.NotFoundf("pod %s/%s does not run here", namespace, name)
	}
	return withStatus(pod), nil
}

// GetPodStatus is the status part of GetPod.
func (p *provider) GetPodStatus(ctx context.Context, namespace, name string) (*corev1.PodStatus, error) {
	pod, err := p.GetPod(ctx, namespace, name)
	if err != nil {
		return nil, err
	}
	return &pod.Status, nil
}

// GetPods lists what runs here.
func (p *provider) GetPods(context.Context) ([]*corev1.Pod, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []*corev1.Pod
	for _, pod := range p.pods {
		all = append(all, withStatus(pod))
	}
	return all, nil
}

// find returns nil when no pod of that name, and of that UID unless it is empty, runs here.
func (p *provider) find(key types.NamespacedName, uid types.UID) *pods.Pod {
	p.mu.Lock()
	defer p.mu.Unlock()
	pod := p.pods[key]
	if pod == nil || (uid != "" && pod.Object().UID != uid) {
		return nil
	}
	return pod
}

// withStatus is the pod as this node sees it. It never says that the pod is being deleted: to virtual-kubelet that would
// mean that the node wants it deleted.
func withStatus(pod *pods.Pod) *corev1.Pod {
	object := pod.Object()
	object.Status = pod.Status()
	object.DeletionTimestamp, object.DeletionGracePeriodSeconds = nil, nil
	return object
}

func graceOf(object *corev1.Pod) time.Duration {
	for _, seconds := range []*int64{object.DeletionGracePeriodSeconds, object.Spec.TerminationGracePeriodSeconds} {
		if seconds != nil {
			return time.Duration(*seconds) * time.Second
		}
	}
	return 30 * time.Second
}
