// Package gitwork runs the calls to Git outside of the reconcile loop.
//
// A reconciler puts an order on the desk (Do), reads what is known (State), and is woken when that changed. Orders are
// named: the same order again is no new one, another order of the same kind replaces the one before. A call that failed
// in a way that may pass is made again by itself, with growing pauses, as long as the order stands.
//
// Before a commit is pushed, its key and id must be recorded: the desk shows the answer "Planned" and waits until the
// same order comes back with that commit in its record. So a crash at any point leaves either nothing or a commit that
// the next controller knows of.
package gitwork
