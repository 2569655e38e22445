// Package routers is about shifting exposure between stable and canary.
//
// A router never writes the fields that Git declares. It writes one annotation, the intent, and admission derives the
// in-flight form of the route from it on every write by anyone. Vocabulary: a share is given in permille (0…1000); the
// scale of a split is what admission multiplies the other weights of a rule with (100, or 1000 where percent is too
// coarse), so that the shares of foreign backends stay exact; programmed means that every gateway reports the
// generation with the current weights as accepted and resolved.
//
// Laws: a weight is raised only by a plan that says so; clearing needs nothing but the route; writes carry the fence of
// the plan and the resourceVersion that it was made from.
package routers
