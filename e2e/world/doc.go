// Package world is a whole world for stories and the demo: the local cluster with a gateway, Prometheus and a node that
// runs pods as processes, a Git server, Belay installed by its chart and running under its own service account, and any
// number of shops.
//
// A Shop is a namespace with a Deployment, a Service, an HTTPRoute and a Rollout that a GitOps agent applies from a path
// of a repository, and users who send it a steady stream of requests through the gateway and count every answer.
//
// It lives inside the network namespace of `bin/local run`.
package world
