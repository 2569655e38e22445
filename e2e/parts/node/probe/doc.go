// Package probe asks a container how it is, as a kubelet does: HTTP, TCP or a command, with the delays and thresholds
// of the pod's probe.
//
// Watch turns single answers into a verdict that changes only after enough answers in a row. It knows nothing of pods:
// who calls it says what the verdict means (ready, alive, started).
package probe
