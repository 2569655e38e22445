// Package command holds the commands of the kubectl plugin.
//
// Vocabulary: a request is what a person asks of the controller (promote, abort, pause, resume, retry). It is written as one
// annotation on the Rollout, bound to the revision that the person saw, and answered in the status.
//
// Laws:
//   - nothing is done with more rights than the caller's own;
//   - a request never hits another revision than the one that was shown;
//   - scripts can rely on the exit code: 0 done or reached, 1 refused or ended otherwise, 2 not possible (usage, rights,
//     connection), 3 out of time (of judge: Inconclusive);
//   - an error says what to do about it.
package command
