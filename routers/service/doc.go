// Package service pins Services and keeps the canary's own.
//
// While an attempt runs, every Service that selects the workload's pods is pinned to the stable revision: it says one
// annotation, and admission writes the selector. The canary's pods are reached through a Service of their own, named after
// the user's, controlled by the Rollout.
//
// Laws: a Service of the canary's name that is not the Rollout's is never touched; who serves is told by endpoints, not by
// pods; an endpoint counts as ready only if its pod is, whatever publishNotReadyAddresses says.
package service
