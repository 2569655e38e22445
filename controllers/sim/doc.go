// Package sim runs the whole controller in a simulated cluster, one seed at a time.
//
//	real                                     played
//	reconciler, observer, applier, reporter  API server (server), with the real admission policies (admission)
//	runner of measurements, desk of Git      neighbours, gateway and data plane (cluster)
//	every kind of workload and route         Git, the agent, the source of metrics (delivery)
//	                                         time, chance, order (schedule)
//
// A seed draws a story: what people ship, ask and edit, and which faults befall whom and when. Faults end at a known
// moment; from then on the world must come to rest within a bounded time, and stay silent.
//
// The laws (laws.go) are checked after every single write, against what is stored and against a data plane that lags
// behind it and counts requests by revision. They are the numbered ones of controllers/plan/check.go, seen from outside:
// nothing here asks the controller what it thinks that it did.
//
// The same seed gives the same run. A failure prints the seed and the transcript; run one again with
//
//	go test ./controllers/sim -run TestSeeds -sim.from=SEED -sim.seeds=1 -v
package sim
