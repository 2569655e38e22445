// Package fidelity proves the API server in memory (controllers/sim/server, with the policies of controllers/sim/admission),
// on which the simulation stands: it is not trusted.
//
// Vocabulary: a script is a sequence of calls, told from top to bottom (the files named after what they are about); a side
// is a server that it runs against: kube-apiserver of the local cluster, and the one in memory; a tape is what a side
// answered, one line per call, with what no two servers have in common (uids, times, versions, addresses) replaced by the
// order in which it was first seen. The tapes of both sides must be equal to the letter: objects with all their defaults,
// managedFields, generations, resourceVersions that move and those that do not, errors with code, reason, causes and words.
//
// On the real side no controllers run, and no admission plugins but those of the server in memory: of pods they fill in
// what the simulation has no use for.
package fidelity
