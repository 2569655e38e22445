package canarybench

import (
	"fmt"
	"runtime"

	"github.com/belay-dev/belay/analysis/evidence"
)

const (
	targetCost        = "cost of a metric and tick, at most 20 µs"
	targetAllocations = "allocations of a tick, none"
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
		b.costOfErrors(&t, c.name, c.params)
	}
	for _, c := range []struct {
		name   string
		bounds []float64
	}{{"latency, 12 classic buckets", Classic()}, {"latency, 98 native buckets", Native()}} {
		b.costOfLatency(&t, c.name+", s = 0.05", c.bounds)
	}
	return t
}

func (b Bench) costOfErrors(t *Table, name string, p evidence.Params) {
	judge, ticks := newBelay(p), gathered(Steady(10_000, 0.005, 0.05, 1000))
	b.cost(t, name, 200_000, func(i int) {
		judge.Add(ticks[i%len(ticks)])
		judge.Report()
	})
}

func (b Bench) costOfLatency(t *Table, name string, bounds []float64) {
	truth := latencyTruth(bounds, Slowing{0, 1}, 10_000, 0.05, 1)
	judge := newLatency(truth, evidence.Defaults())
	tick, _ := truth.Stream(b.Seed, 0).Next()
	b.cost(t, name, 20_000, func(int) {
		judge.Add(tick)
		judge.Report()
	})
}

func (b Bench) cost(t *Table, name string, ticks int, tick func(i int)) {
	tick(0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := b.Meter()
	for i := range ticks {
		tick(i)
	}
	micros := (b.Meter() - start) * 1e6 / float64(ticks)
	runtime.ReadMemStats(&after)
	allocations := float64((after.Mallocs - before.Mallocs) / uint64(ticks))
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
