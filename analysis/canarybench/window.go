package canarybench

import "github.com/belay-dev/belay/analysis/evidence"

const (
	minuteTicks = 60 / TickSeconds
	hourTicks   = 3600 / TickSeconds
)

// minutes adds ticks up to minutes.
type minutes struct {
	canary, stable evidence.Counts
	ticks          int
}

// add says whether a minute is over, and what was in it.
func (m *minutes) add(t evidence.Tick) (minute minutes, over bool) {
	m.canary = plus(m.canary, t.Canary)
	m.stable = plus(m.stable, t.Stable)
	if m.ticks++; m.ticks < minuteTicks {
		return minutes{}, false
	}
	minute, *m = *m, minutes{}
	return minute, true
}

func plus(a, b evidence.Counts) evidence.Counts {
	return evidence.Counts{Requests: a.Requests + b.Requests, Bad: a.Bad + b.Bad}
}
