// Package install tests what people touch first, on a real API server with the real admission policies: the Helm chart, the
// rights that it hands out, the samples, and the kubectl plugin as a program.
//
// There is no controller here. Where one is needed the test writes the status that it would write.
package install
