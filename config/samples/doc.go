// Package samples holds manifests to copy from: first-rollout.yaml is a complete first Rollout, ramp.yaml one that finds its
// own weights, and the other files show every field of one kind. Its test takes each of them through the CRDs' schema and
// rules, unknown fields refused.
package samples
