// Package server is an API server in memory: what the simulator's processes and neighbours talk to instead of
// kube-apiserver. It keeps every object as immutable versions, so that caches and events share them, and it does nothing by
// itself: no garbage collection, no controllers.
//
//	schemas, err := server.Compile(scheme, definitions...) // once per process: CRDs with defaults, pruning, validation, CEL
//	s := server.New(server.Options{Schemas: schemas, Now: …, UID: …, Admit: …}) // cheap
//	s.OnWrite(func(e server.Event) { … })                  // after every write that changed something, in order
//	c := s.Client("system:serviceaccount:belay-system:belay") // client.WithWatch: live reads, writes as that user
//
//	cache := s.Objects().Clone()                           // a client.Reader that lags: Put(event) brings it forward
//	cache.Put(e)
//	cache.Shared(key)                                      // without a copy, nil if there is none
//	cache.All(kind, namespace)                             // the same of many, in the order of a list
//
// A namespaced object needs its Namespace: create that first. Of subresources there is status. Reads of Objects leave
// managedFields out, as the controller's caches do.
//
// It is not trusted: e2e/fidelity runs one script of calls against it and against kube-apiserver and compares the answers.
package server
