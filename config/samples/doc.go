// Package samples holds manifests to copy from: first-rollout.yaml is a complete first Rollout, the other files show every
// field of one kind. Its test takes each of them through the CRDs' schema and rules, unknown fields refused.
package samples
