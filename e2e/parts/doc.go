// Package parts knows the programs that the local cluster is made of and
// builds them from source, so that a machine with Go and git needs nothing
// else.
//
// Vocabulary: a part is one program (etcd, kube-apiserver, Traefik, …). Its
// exact version stands in the go.mod of the module that builds it, in the
// folder of that name below this one, and nowhere else. Each upstream project
// has a module of its own because their dependencies do not agree with each
// other, nor with Belay's.
//
// Laws:
//   - Built parts are kept in bin/parts. A stamp beside each says from what it
//     was built; an equal stamp means that nothing has to be done.
//   - Building is quiet only when it is quick: a line when a part starts, one at
//     least every ten seconds while it builds, and one when it is done.
//   - The order of the list is the order in which a person waits for the parts.
package parts
