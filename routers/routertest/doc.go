// Package routertest is the contract of routers.Router as tests.
//
// A kind of route passes it on a real API server with Belay's admission policies; who plays the gateway is the fixture's
// to say. The contract: the intent becomes the route's form and leaves no trace when it is taken off; whoever owns the
// route may write what they like meanwhile; a write made from an old state or an old plan is refused; programmed is said of
// exactly the stored form.
package routertest
