// Package forward lets programs outside the local network namespace reach what
// listens inside it.
//
// Vocabulary: the outside half runs in the launcher (`local run`), the inside
// half in any process that the launcher started. They meet at unix sockets in
// one folder, because a socket with a path is found from every network
// namespace. An exposure is one address inside, reachable at one port of
// 127.0.0.1 outside.
//
// Laws:
//   - Only 127.0.0.1 listens outside, and only while the exposure's owner lives.
//   - Bytes are passed on as they are, so TLS and HTTP upgrades work; the end of
//     one direction does not end the other.
package forward
