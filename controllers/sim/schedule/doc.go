// Package schedule is time, chance and the order of everything in a simulation.
//
// A simulation is a heap of events. Each runs alone, at its moment, and may plan others. Events of one moment are ordered
// by chance, and all chance comes from the seed: the same seed gives the same run, to the last event.
//
// What runs in goroutines of its own (the runner of measurements, the desk of Git) gets a Clock whose timers are events
// too. Between events the simulation waits until all goroutines are idle; how to wait is the caller's to say (New).
package schedule
