// Package admission holds the tests of config/policies: what the API server
// makes of a write, whoever writes it and however.
//
// Nothing is simulated. One control plane (API server, controller manager,
// etcd) serves all tests of the package, the policies and roles are the files
// that are shipped, and the controller's writes are made under its own service
// account and rights. What stands in for the rest of the world are writers:
// the requests that a GitOps agent, kubectl, a script or a webhook really send.
//
// Vocabulary: a scene is one governed object in a namespace of its own, at
// rest or in flight; ours is the controller, everybody else is foreign; the
// form of an object is what is stored of it, told in one line.
//
// The matrix (matrix_test.go) is the product's promise in a table: every kind,
// every writer, at rest and in flight, each cell with the form, the generation,
// the owners of fields and the agent's diff that must result. The other files
// each go into one policy.
package admission
