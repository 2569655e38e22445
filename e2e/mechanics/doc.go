// Package mechanics proves on the real API server, with the real controllers, Belay's admission policies and pods that are
// processes, what packages workloads and routers promise: the contracts of both, and how they work together.
//
// Everything that the controller would write is written under its own user name and with its own rights.
package mechanics
