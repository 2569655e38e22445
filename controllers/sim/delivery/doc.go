// Package delivery plays what delivers and measures in the simulation: Git, the agent that applies it, and the source of
// metrics.
//
//	Repository   Git in memory, and the gitops.Engine that works on it (Engine)
//	Application  what a team declares there, and the edits that people make
//	Agent        applies the head of the branch, again and again
//	Source       answers the queries of an analysis
//
// # Laws
//
//   - Everything happens on the schedule's goroutine, in its order, and chance is drawn there only. The product's own
//     goroutines (the desk of Git, the runner of measurements) hand their calls over and wait for the answer's event, or for
//     the end of their context.
//   - The engine ends as package gitops/repository does on the same history (repository_test.go compares the two), with one
//     difference: files are objects here and not text. What people edit on the line beside a failed change merges here also
//     where git sees a conflict.
//   - Commits, files and the objects in them never change.
package delivery
