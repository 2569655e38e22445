// Package pods runs pods as processes of this machine and tells their status as a kubelet would.
//
// A Pod is started once and lives until Terminate was called and all of its processes are gone (Gone). In between its
// containers are started, probed, restarted with back-off and stopped, each by one goroutine; everything they report
// is kept in the Pod and read as one corev1.PodStatus.
//
//	pull ──▶ start ──▶ supervise (probes) ──▶ exited ──▶ back off ──▶ start …
//	  └ ErrImagePull       └ unhealthy or terminated: preStop, SIGTERM, grace period, SIGKILL
//
// The laws:
//   - a pod is gone only when its processes are;
//   - readiness probes go on while a pod terminates, startup and liveness probes stop, as with a kubelet;
//   - what is not supported is said in the container's status (CreateContainerConfigError), never left out in silence.
//     Not supported are sidecars among the init containers, postStart hooks, gRPC probes, and environment from ConfigMaps, Secrets or resources.
//
// Volumes, resource limits and security contexts do not apply to a process and are not looked at.
package pods
