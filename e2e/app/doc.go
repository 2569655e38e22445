// Command app is the shop that the stories and the demo release: one small server whose flags make it a good or a bad
// revision.
//
// It answers every path with its revision and its pod, fails an exact share of the requests when it is told to, and
// ends so that no request is lost: on SIGTERM it is unready at once, goes on serving for --drain, and only then closes.
// /healthz is for readiness probes, /metrics for Prometheus; neither counts as a request.
package main
