package pods

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Pod is a pod on this node. Its methods may be called from any goroutine.
type Pod struct {
	rt        *Runtime
	ip        string
	origin    *corev1.Pod // as it was started; never changed
	startTime metav1.Time
	changed   chan struct{}

	terminating chan struct{}
	kill        context.Context //nolint:containedctx // ends when the grace period is over, which belongs to the pod and to no call
	killNow     context.CancelFunc
	ended       chan struct{} // no container runs or will run
	gone        chan struct{}

	mu         sync.Mutex
	object     *corev1.Pod // the newest version
	inits      []*container
	containers []*container
	conditions []corev1.PodCondition
	killTimer  *time.Timer
	killAt     time.Time
}

// Start begins to run a pod under the address ip.
func (rt *Runtime) Start(object *corev1.Pod, ip string) *Pod {
	p := &Pod{
		rt:          rt,
		ip:          ip,
		origin:      object.DeepCopy(),
		object:      object.DeepCopy(),
		startTime:   metav1.Now(),
		changed:     make(chan struct{}, 1),
		terminating: make(chan struct{}),
		ended:       make(chan struct{}),
		gone:        make(chan struct{}),
	}
	p.kill, p.killNow = context.WithCancel(context.Background())
	for _, spec := range object.Spec.InitContainers {
		p.inits = append(p.inits, newContainer(p, spec, true))
	}
	for _, spec := range object.Spec.Containers {
		p.containers = append(p.containers, newContainer(p, spec, false))
	}
	p.poke()
	go p.run()
	return p
}

// Changed receives a value when Status may have changed since the last value.
func (p *Pod) Changed() <-chan struct{} { return p.changed }

// Gone is closed when Terminate was called and no process of the pod is left.
func (p *Pod) Gone() <-chan struct{} { return p.gone }

// Object is the pod as Kubernetes last knew it, without a status.
func (p *Pod) Object() *corev1.Pod {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.object.DeepCopy()
}

// Update takes over a newer version of the object. Containers that run keep what they were started with.
func (p *Pod) Update(object *corev1.Pod) {
	p.mu.Lock()
	p.object = object.DeepCopy()
	p.mu.Unlock()
	p.poke()
}

// Terminate begins to stop the pod and returns at once. A later call can shorten the grace period, never lengthen it.
func (p *Pod) Terminate(grace time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := time.Now().Add(grace)
	switch {
	case p.killTimer == nil:
		p.killAt = at
		p.killTimer = time.AfterFunc(grace, p.killNow)
		close(p.terminating)
	case at.Before(p.killAt):
		p.killAt = at
		p.killTimer.Reset(grace)
	}
}

func (p *Pod) run() {
	defer close(p.gone)
	defer func() { <-p.terminating }()
	defer p.poke()
	defer close(p.ended)
	if err := unsupported(p.origin); err != nil {
		for _, c := range append(p.inits[:len(p.inits):len(p.inits)], p.containers...) {
			c.waiting("CreateContainerConfigError", err.Error())
		}
		<-p.terminating
		return
	}
	for _, c := range p.inits {
		if c.run(); !c.succeeded() {
			return
		}
	}
	var all sync.WaitGroup
	for _, c := range p.containers {
		all.Go(c.run)
	}
	all.Wait()
}

// set changes what the pod reports.
func (p *Pod) set(change func()) {
	p.mu.Lock()
	change()
	p.mu.Unlock()
	p.poke()
}

func (p *Pod) poke() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// pause waits; false means that the pod is being terminated.
func (p *Pod) pause(d time.Duration) bool {
	select {
	case <-p.terminating:
		return false
	default:
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.terminating:
		return false
	}
}

func (p *Pod) event(kind, reason, message string) {
	p.rt.Event(p.Object(), kind, reason, message)
}
