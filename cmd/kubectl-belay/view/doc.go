// Package view draws Rollouts as text for a terminal or a log: one as a tree, many as a table, a change as a line.
//
// It is pure: everything that is drawn stands in a Tree, the time included, and nothing is read here. Package gather fills a
// Tree from a cluster.
//
// Laws:
//   - a line is never wider than Options.Width, and 0 means that nothing is cut;
//   - colour is decoration: without it nothing is lost, because marks and words say the same;
//   - control characters in what users and clusters wrote never reach the terminal.
package view
