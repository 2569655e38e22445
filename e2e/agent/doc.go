// Package agent is a GitOps agent in small: it keeps a path of a Git branch applied to a cluster, by server-side apply,
// again and again, whether or not anything has changed. A real agent is gentler (Flux looks for drift first); what holds up
// against this one holds up against those.
//
// It prunes nothing. While Git cannot be reached it goes on applying what it fetched last, as agents do.
package agent
