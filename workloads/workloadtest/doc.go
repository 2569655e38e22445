// Package workloadtest is the contract of workloads.Workload as tests.
//
// A kind of workload passes it on a real API server, with the real controllers and Belay's admission policies: what matters
// is not what the kind writes but what becomes of the pods. The kind's own tests say how; this suite says what:
//
//   - a new template is held, and no pod of it exists before Canaries makes one;
//   - nothing that is done for a canary touches a stable pod;
//   - a hand-over restarts no canary pod;
//   - a hand-over that was called off does not happen, whoever had decided it before;
//   - an abandoned canary leaves nothing behind, and what was there before runs on;
//   - a write made from an old state is a conflict.
package workloadtest
