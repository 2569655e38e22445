// Package process runs one program the way a container would run it: with an environment of its own and nothing
// inherited, in a process group of its own, its output in a file, and gone for certain when its parent is gone.
//
// The one law: nothing that was started here outlives the node. Every program is started with a parent death signal,
// and what a program started itself is killed as soon as the program ends, as a container ends with its first process.
package process
