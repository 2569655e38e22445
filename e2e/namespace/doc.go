// Package namespace runs a command in a network of its own, without root.
//
// Why: EndpointSlices refuse 127.0.0.0/8, so pods that are processes need
// other addresses, and adding addresses to a real machine needs root. Inside
// an own network namespace one route ("everything in 10.244.0.0/16 is this
// machine") lets any process listen on any 10.244.x.y, and nothing of a test
// can reach, or be reached from, the outside.
//
// Vocabulary: the launcher is the process that the user started; the first
// process is the launcher's child, number 1 of a process namespace; the
// command is the first process's child.
//
// Laws:
//   - Nothing survives. The kernel kills the first process when the launcher
//     dies, however it dies, and everything in the namespace when the first
//     process dies.
//   - Nothing is changed outside of the namespace.
//   - Where namespaces are forbidden, the error says which command allows them.
package namespace
