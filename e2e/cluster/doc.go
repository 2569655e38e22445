// Package cluster starts a Kubernetes cluster from real parts, each a process
// of this machine, inside the network namespace of package namespace.
//
// Vocabulary: a part is one program of the cluster (see package parts); the
// control plane is etcd, the API server and the controller manager, which every
// cluster has; the scheduler, the node, the gateway and the metrics store come
// when Options asks for them.
//
// Laws:
//   - Start returns when every part says that it is ready, or with an error that
//     names the part and carries the end of its log.
//   - A part that dies later ends the cluster's Done channel; Err says which and why.
//   - All state is in one folder. Stop ends every part, the last started first,
//     waits for it, and removes the folder if Start made it. If Stop is never
//     reached, the kernel ends the parts and the launcher removes the folder.
//   - Authorization is on (RBAC). What is under test gets a kubeconfig of its own
//     service account from ServiceAccountKubeconfig and never the administrator's.
package cluster
