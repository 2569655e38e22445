package canarybench

import (
	"fmt"
	"runtime"

	"github.com/belay-dev/belay/analysis/evidence"
)

const (
	targetCost        = "cost of a metric and tick, at most 20 µs"
	targetAllocations = "allocations of a tick, none"
	costTicks         = 200_000
)

// Cost of one tick and one metric, with a report after each. It is the only table that the seed does not decide.
func (b Bench) Cost() Table {
	t := Table{
		Title:   "Cost",
		Says:    "Processor time of one tick of one metric with a report after it, and what is allocated for it.",
		Columns: []string{"judge", "µs", "allocations"},
	}
	if b.Meter == nil {
		return t
	}
	for _, c := range []struct {
		name   string
		params evidence.Params
	}{{"errors, s = 0", Usual()}, {"errors, s = 0.05", evidence.Defaults()}} {
		judge := newBelay(c.params)
		ticks := gathered(Steady(10_000, 0.005, 0.05, 1000))
		b.cost(&t, c.name, func(i int) {
			judge.Add(ticks[i%len(ticks)])
			judge.Report()
		})
	}
	return t
}

func (b Bench) cost(t *Table, name string, tick func(i int)) {
	tick(0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := b.Meter()
	for i := range costTicks {
		tick(i)
	}
	micros := (b.Meter() - start) * 1e6 / costTicks
	runtime.ReadMemStats(&after)
	allocations := float64((after.Mallocs - before.Mallocs) / costTicks)
	t.check(targetCost, name, micros, 20)
	t.check(targetAllocations, name, allocations, 0)
	t.row(name, fmt.Sprintf("%.2f", micros), fmt.Sprintf("%.0f", allocations))
}

// gathered are all ticks of the first stream.
func gathered(t Truth) []evidence.Tick {
	var ticks []evidence.Tick
	s := t.Stream(1, 0)
	for {
		tick, more := s.Next()
		if !more {
			return ticks
		}
		ticks = append(ticks, tick)
	}
}
