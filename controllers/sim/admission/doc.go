// Package admission evaluates admission policies in memory, as kube-apiserver 1.36 does.
//
// Compile reads the manifests as they are shipped. Admit takes what a write asks for, through the mutating policies and then
// the validating ones, and gives the object to store or the refusal that the writer gets. Whether an expression is right is
// judged by the API server's own compiler, and its value is found by the API server's own language and functions; only what
// that costs is not counted (environment.go). What stands here is what the server does around expressions:
//
//   - which policy and binding a request concerns, by resource rules, and which ConfigMaps are its params;
//   - match conditions, several mutations of one policy in their order, each seeing the object as the last one left it;
//   - asking again: a policy with reinvocationPolicy IfNeeded that was evaluated once is evaluated once more at the end, and a
//     mutating webhook runs between the two (WithWebhook);
//   - failurePolicy, the words of a refusal, and managedFields that came out invalid being put back as they were.
//
// The API server evaluates policies in no fixed order. Here they are sorted by name; Shuffled gives another order.
//
// An object is a tree that nobody changes: a patch copies what lies on its path and shares the rest with the object that
// came in. So a write that no policy changes gives back the very object.
//
// What these policies do not use is not evaluated: selectors of namespaces and objects, params that are no ConfigMaps,
// patches of type ApplyConfiguration, the variable namespaceObject. Compile refuses a policy with any of them.
package admission
