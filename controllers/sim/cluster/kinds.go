package cluster

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/controllers/sim/server"
)

var (
	deploymentKind = schema.GroupKind{Group: "apps", Kind: "Deployment"}
	replicaSetKind = schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}
	podKind        = schema.GroupKind{Kind: "Pod"}
	serviceKind    = schema.GroupKind{Kind: "Service"}
	sliceKind      = schema.GroupKind{Group: "discovery.k8s.io", Kind: "EndpointSlice"}
	routeKind      = schema.GroupKind{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"}
)

// hashKey is the label by which a ReplicaSet tells its pods from those of its siblings.
const hashKey = "pod-template-hash"

// nodeName is the one node. Pods are on it from the start, there is no scheduler.
const nodeName = "node-1"

// neighbour is one of those who react.
type neighbour uint8

const (
	deploymentController neighbour = iota
	replicaSetController
	kubelet
	endpointSliceController
	garbageCollector
	gatewayController
	proxy
)

func (n neighbour) String() string {
	return [...]string{
		"deployment-controller", "replicaset-controller", "kubelet", "endpointslice-controller", "garbage-collector",
		"gateway", "data plane",
	}[n]
}

// user is the name under which a neighbour writes, as on a cluster whose controllers have accounts of their own.
func (n neighbour) user() string {
	switch n {
	case kubelet:
		return "system:node:" + nodeName
	case gatewayController:
		return "system:serviceaccount:gateway:gateway"
	case garbageCollector:
		return "system:serviceaccount:kube-system:generic-garbage-collector"
	}
	return "system:serviceaccount:kube-system:" + n.String()
}

// manager is the name under which its fields appear.
func (n neighbour) manager() client.FieldOwner {
	switch n {
	case kubelet:
		return "kubelet"
	case gatewayController:
		return "gateway"
	}
	return "kube-controller-manager"
}

func nameOf(key server.Key) types.NamespacedName {
	return types.NamespacedName{Namespace: key.Namespace, Name: key.Name}
}

func keyOf(kind schema.GroupKind, name types.NamespacedName) server.Key {
	return server.Key{Kind: kind, Namespace: name.Namespace, Name: name.Name}
}
