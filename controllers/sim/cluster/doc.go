// Package cluster plays everything in a cluster that is not Belay: the controllers of Deployments, ReplicaSets and
// EndpointSlices, the node that runs pods, the garbage collector, a gateway and its data plane.
//
// Each neighbour is told of every write and plans one look at the object that it is about, a random while later. A look
// reads what is stored at that moment, so however much happened in between is seen at once; that is what keeps a story
// cheap. Nothing runs by itself: with nothing planned, the neighbours are quiet.
//
// The Deployment's controller is the one that Belay depends on, so it follows the real one's rules to the letter where
// they decide about pods: which ReplicaSet is the new one (the oldest equal), what a paused Deployment still does, in which
// steps a rolling update moves, when old pods go at once. The tests of this package hold it to what was seen on a real
// cluster (e2e/mechanics).
//
// What is left out: nodes, so pods are never unschedulable; probes; deadlines of a Deployment's progress; foreground
// deletion.
package cluster
