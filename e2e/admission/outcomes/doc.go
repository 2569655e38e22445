// Package outcomes is what the API server must make of a write under config/policies, whoever writes it and however: tables
// and stories that hold for any cluster. The folder above plays them on a real API server, the folder memory beside this one
// on the server in memory that the simulation stands on; both are held to the same outcomes.
//
// What stands in for the rest of the world are writers: the requests that a GitOps agent, kubectl, a script or a webhook
// really send.
//
// Vocabulary: a world is a cluster with the policies at work; a scene is one governed object in a namespace of its own, at
// rest or in flight; ours is the controller, everybody else is foreign; the form of an object is what is stored of it, told
// in one line.
//
// The matrix (matrix.go, cells.go) is the product's promise in a table: every kind, every writer, at rest and in flight, each
// cell with the form, the generation, the owners of fields and the agent's diff that must result. The other files each go
// into one policy.
package outcomes
