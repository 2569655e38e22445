// Package gather reads what package view draws: a Rollout, its workload, the ReplicaSets of both revisions and their pods.
//
// It reads with the caller's rights. Only the Rollout itself is needed; what else may not be read becomes a note in the tree.
package gather
