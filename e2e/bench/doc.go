// Package bench measures Belay on real parts: how fast it acts on a verdict, what it asks of the API server in a release
// and at rest, what it adds to the time of a roll-out, and what its process needs.
//
// Times are taken where they can be seen from the outside: the controller's requests from the API server's audit log,
// records from the stored status, pushes from the Git server, memory and CPU from the controller's own metrics. Nothing
// here fails because something was slow; targets stand beside what was measured.
package bench
