// Package httproute splits HTTPRoutes of the Gateway API.
//
// The split is one annotation; admission writes the backendRefs. What is read back is judged on two levels: divided (the
// rules name the canary's Service) and programmed (every parent that the route names has accepted exactly the stored
// generation and resolved its references). Programmed means translated, not yet served; how long to settle after that is
// the caller's to say.
//
// Routes are read and written in unstructured form, so nothing depends on which fields a compiled type knows.
package httproute
