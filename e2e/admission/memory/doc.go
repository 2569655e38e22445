// Package memory plays the outcomes of config/policies on the API server in memory that the simulation stands on
// (controllers/sim/server, with controllers/sim/admission and the neighbours of controllers/sim/cluster). They are the very
// outcomes that the real API server is held to one folder above, so what the simulation finds of the policies is true there.
//
// It needs no parts, and takes seconds.
package memory
