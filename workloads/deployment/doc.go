// Package deployment moves Deployments.
//
// The canary of a Deployment is a ReplicaSet that is controlled by the Rollout, so the Deployment's own controller leaves
// it alone, and that carries the Deployment's template, so the same controller takes it as its new one as soon as it is
// handed over. That controller takes the oldest ReplicaSet with an equal template and kills the pods of any younger one.
// Therefore an older equal one is taken over instead of making a second (an old version shipped again), and empty doubles
// are deleted.
//
// Everything is read and written in unstructured form: a typed client drops fields of the template that it does not know.
// Every write that rests on what was read carries its resourceVersion; a conflict means: look again.
package deployment
