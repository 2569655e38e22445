// Command node is a Kubernetes node that runs containers as processes of this machine, for a local cluster without
// Docker and without root.
//
// virtual-kubelet speaks to the API server; package pods does what a kubelet and a container runtime do; this package
// ties them together: which addresses pods get, when the API object of a pod may go, what the node object says.
//
// Every pod has an address of its own out of --cidr and finds it in $POD_IP; a server has to listen there. The addresses
// have to be local (ip route add local 10.244.0.0/16 dev lo). The first 256 are left to the cluster's other parts, and
// no address is given out twice, so that a request to a pod that is gone can never reach another pod.
package main
