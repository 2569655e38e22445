// Package offline judges what is in a file or in a Prometheus, with the judges of the controller and no cluster.
//
// Laws:
//   - a verdict is the one that the controller would have come to: a Fail ends it, a Pass belongs to the last weight;
//   - the same input and the same seed give the same output, byte by byte.
package offline
