// Command local builds and runs the local cluster: real parts, no Docker, no
// root.
//
//	local build [part...]    build the parts that are missing
//	local run -- cmd args    run a command inside the network namespace
//	local up                 start the whole cluster and say how to reach it
package main
