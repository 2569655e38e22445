// Package fidelity asks kube-apiserver what the API server in memory (controllers/sim/server) claims to know: the scripts of
// controllers/sim/server/fidelity run against both, and the answers must be equal to the letter, and equal to those that
// are recorded there. With -update they are recorded anew:
//
//	go test -C e2e -count=1 -exec "$PWD/bin/local run --" ./fidelity -args -update
package fidelity
