package canarybench

import "github.com/belay-dev/belay/analysis/evidence"

// Judge sees the ticks of one stream.
type Judge interface {
	Add(tick evidence.Tick)
	// RollsBack says whether it has rolled the canary back. It stays.
	RollsBack() bool
}

// Rule makes judges.
type Rule struct {
	Name string
	// New judge for a stream of which it may know the truth, and the history of the stable's pods.
	New func(Truth, evidence.Dispersion) Judge
}

// Outcome of one judge and one stream.
type Outcome struct {
	RolledBack bool
	// What it took: the tick after which it rolled back, or how many there were, and what came in them.
	Ticks          int
	Requests       float64
	CanaryRequests float64
	Excess         float64 // requests of the canary that were bad, less what the stable's share would have been
}

// race shows the ticks of one stream to all judges, each until it rolls back.
func race(s *Stream, judges []Judge, outcomes []Outcome) {
	clear(outcomes)
	for running := len(judges); running > 0; {
		at := s.tick
		tick, more := s.Next()
		if !more {
			return
		}
		canary, stable := s.truth.shares(at)
		running = 0
		for i, judge := range judges {
			o := &outcomes[i]
			if o.RolledBack {
				continue
			}
			judge.Add(tick)
			o.add(tick, canary-stable)
			if o.RolledBack = judge.RollsBack(); !o.RolledBack {
				running++
			}
		}
	}
}

func (o *Outcome) add(tick evidence.Tick, excess float64) {
	o.Ticks++
	o.CanaryRequests += float64(tick.Canary.Requests)
	o.Requests += float64(tick.Canary.Requests + tick.Stable.Requests)
	o.Excess += excess * float64(tick.Canary.Requests)
}
