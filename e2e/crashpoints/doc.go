// Package crashpoints kills the controller at every one of its writes, on the real API server, and compares what comes of
// it with what comes of an undisturbed release.
//
// Vocabulary: a tale is a release that is told again and again, a good one and a bad one. Each telling is a shop of its own
// with a controller of its own, which reaches the API server through a proxy that shows it this shop alone. A point is a
// write at which that controller dies by SIGKILL: before it, so that the API server never hears of it, or after it, so that
// nobody hears the answer. It is started again at once.
//
// The writes are found, not listed: the undisturbed telling of a tale names each of its writes as it comes, and every name
// becomes two points. Names say what a write is for (see namer): a record, with what it changes; an effect, with its
// object; or a report, which is a status that changes nothing of what the controller remembers. How many reports there
// are depends on how long pods and gateways take, so a report that one telling has may be missing in another one.
//
// What has to be the same is in tale_test.go, what is compared at the end in end_test.go, and which points are gone through
// in a run in points_test.go: all of them by `make crash-points`, a part without its -all, which -turn changes.
//
// late_test.go is about writes that outlive their leader: they arrive when another one has long gone on.
package crashpoints
