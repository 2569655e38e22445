// Package fidelity holds the API server in memory against kube-apiserver: it is not trusted.
//
// Vocabulary: a script is a sequence of calls, told from top to bottom (the files named after what they are about); a side
// is a server that it runs against; a tape is what a side answered, one entry for each call, with what no two servers have
// in common (uids, times, versions, addresses) replaced by the order in which it was first seen.
//
// The tapes of both sides must be equal to the letter: objects with all their defaults, owners of fields, generations,
// resourceVersions that move and those that do not, errors with code, reason, causes and words, lists in their order,
// watches with their events.
//
// What kube-apiserver says is in recorded/; the tests of this package hold the server in memory against that.
// e2e/fidelity asks kube-apiserver itself, and records its answers anew with -update.
//
// On the real side no controllers run, and of admission plugins those are off that fill in what the simulation has no use
// for (service accounts, tolerations and priorities of pods).
package fidelity
