// Package admission plays the outcomes of config/policies (folder outcomes) on a real API server.
//
// Nothing is simulated. One control plane (API server, controller manager, etcd) serves all tests of the package, the
// policies and roles are the files that are shipped, and the controller's writes are made under its own service account and
// rights. The folder memory plays the same outcomes on the server in memory.
package admission
