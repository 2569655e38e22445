package main

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	corev1listers "k8s.io/client-go/listers/core/v1"
)

// podClient is the client that virtual-kubelet writes pods with. It adds two promises of a real kubelet: an object is
// deleted only after its processes are gone, and a status update touches nothing but what this node knows better.
type podClient struct {
	corev1client.PodsGetter
	lister corev1listers.PodLister
	end    func(ctx context.Context, key types.NamespacedName, uid types.UID) error
}

// Pods is the interface for the pods of one namespace.
func (c podClient) Pods(namespace string) corev1client.PodInterface {
	return podsOf{PodInterface: c.PodsGetter.Pods(namespace), podClient: c, namespace: namespace}
}

type podsOf struct {
	corev1client.PodInterface
	podClient podClient
	namespace string
}

// Delete waits for the pod's processes first.
func (p podsOf) Delete(ctx context.Context, name string, options metav1.DeleteOptions) error {
	var uid types.UID
	if options.Preconditions != nil && options.Preconditions.UID != nil {
		uid = *options.Preconditions.UID
	}
	if err := p.podClient.end(ctx, types.NamespacedName{Namespace: p.namespace, Name: name}, uid); err != nil {
		return err
	}
	return p.PodInterface.Delete(ctx, name, options)
}

// UpdateStatus writes pod's status onto the newest known version of the same pod. virtual-kubelet would write the labels
// and annotations back that it read some time ago.
func (p podsOf) UpdateStatus(ctx context.Context, pod *corev1.Pod, options metav1.UpdateOptions) (*corev1.Pod, error) {
	current, err := p.podClient.lister.Pods(p.namespace).Get(pod.Name)
	for {
		if err != nil {
			return nil, err
		}
		if current.UID != pod.UID {
			return nil, apierrors.NewNotFound(corev1.Resource("pods"), pod.Name)
		}
		next := current.DeepCopy()
		next.Status = merge(next.Status, pod.Status)
		written, writeErr := p.PodInterface.UpdateStatus(ctx, next, options)
		if !apierrors.IsConflict(writeErr) {
			return written, writeErr
		}
		current, err = p.Get(ctx, pod.Name, metav1.GetOptions{})
	}
}

// merge keeps of current what a node does not write: conditions of other types (PodScheduled, DisruptionTarget), the
// QoS class, what the scheduler nominated.
func merge(current, ours corev1.PodStatus) corev1.PodStatus {
	next := current
	next.ObservedGeneration = ours.ObservedGeneration
	next.Phase, next.Reason, next.Message = ours.Phase, ours.Reason, ours.Message
	next.HostIP, next.HostIPs = ours.HostIP, ours.HostIPs
	next.PodIP, next.PodIPs = ours.PodIP, ours.PodIPs
	next.StartTime = ours.StartTime
	next.InitContainerStatuses, next.ContainerStatuses = ours.InitContainerStatuses, ours.ContainerStatuses
	next.Conditions = slices.Clone(ours.Conditions)
	for _, condition := range current.Conditions {
		same := func(c corev1.PodCondition) bool { return c.Type == condition.Type }
		if !slices.ContainsFunc(ours.Conditions, same) {
			next.Conditions = append(next.Conditions, condition)
		}
	}
	return next
}
