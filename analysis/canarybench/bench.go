package canarybench

import (
	"hash/fnv"

	"github.com/belay-dev/belay/analysis/evidence"
)

// Bench is how much is measured.
type Bench struct {
	Seed uint64
	// Many replications are for the false rollbacks of Belay, Few for everything else.
	Many, Few int
	// Meter is how many seconds of processor time the process has used; without it costs are not measured.
	Meter func() float64
}

// Section is a table by name.
type Section struct {
	Name  string
	Table func(Bench) Table
}

// Sections in the order in which they are printed.
func Sections() []Section {
	return []Section{
		{"false-rollbacks", Bench.FalseRollbacks},
		{"dispersion", Bench.OverDispersed},
		{"delay", Bench.Delay},
		{"delay-defaults", Bench.DelayOfDefaults},
		{"accept", Bench.Accept},
		{"latency", Bench.Latency},
		{"spent", Bench.Spent},
		{"time", Bench.TimeToAll},
		{"cost", Bench.Cost},
	}
}

// Alpha and Beta of everything that is measured.
const (
	Alpha = 0.01
	Beta  = 0.05
)

// seed of a cell: cells do not share their chance.
func (b Bench) seed(cell string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(cell))
	return b.Seed ^ h.Sum64()
}

// historyTicks are the hour before the attempt, from which the controller estimates φ and s.
const historyTicks = hourTicks

// races lets the judges of all rules see n streams, after so many ticks of history; 0 is none.
func (b Bench) races(cell string, t Truth, n int, rules []Rule, history int, each func([]Outcome)) {
	seed := b.seed(cell)
	judges, outcomes := make([]Judge, len(rules)), make([]Outcome, len(rules))
	for i := range n {
		s := t.Stream(seed, uint64(i))
		d := evidence.AssumedDispersion()
		if history > 0 {
			d = evidence.EstimateDispersion(s.History(history))
		}
		for j, rule := range rules {
			judges[j] = rule.New(t, d)
		}
		race(s, judges, outcomes)
		each(outcomes)
	}
}

// rollbacks counts, for each rule, in how many of n streams it rolled back.
func (b Bench) rollbacks(cell string, t Truth, n int, rules []Rule, history int) []int {
	counts := make([]int, len(rules))
	b.races(cell, t, n, rules, history, func(outcomes []Outcome) {
		for i, o := range outcomes {
			if o.RolledBack {
				counts[i]++
			}
		}
	})
	return counts
}
