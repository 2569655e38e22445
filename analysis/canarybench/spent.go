package canarybench

import (
	"fmt"
	"slices"
)

const (
	targetSpent = "excess bad requests before rollback, 0.1 → 1 %, at most max(10, three ticks' worth)"
	spentTicks  = 4 * hourTicks
)

// Spent is what a bad release costs.
func (b Bench) Spent() Table {
	t := Table{
		Title: "Bad requests spent",
		Says: fmt.Sprintf("A bad release climbs 5, 25, 50, 100 %% with five minutes at each weight (an hour for Kayenta) until it is rolled back, for four hours at most; "+
			"Belay goes on only with a Pass. Mean of the canary's bad requests beyond the stable's share, and in how many of %d releases it was rolled back where not "+
			"in all.", b.Few),
		Columns: append([]string{"change", "requests a second", "limit"}, climberNames()...),
	}
	for _, c := range []change{{0.001, 0.01}, {0.005, 0.008}} {
		for _, perSecond := range []float64{10, 100, 1000} {
			b.spent(&t, c, perSecond)
		}
	}
	return t
}

func (b Bench) spent(t *Table, c change, perSecond float64) {
	truth := Steady(perSecond*TickSeconds, c.from, 0.05, 1).worse(c.to/c.from, 0)
	truth.CanaryPods, truth.StablePods = 2, 10
	sums, found := make([]float64, len(climbers())), make([]int, len(climbers()))
	cell := fmt.Sprintf("%v, %v requests a second", c, perSecond)
	b.climbs("spent "+cell, truth, spentTicks, func(i int, c climb) {
		sums[i] += c.Excess / float64(b.Few)
		if c.RolledBack {
			found[i]++
		}
	})
	limit := max(10, 3*truth.Requests*0.05*(c.to-c.from))
	row := []string{c.String(), grouped(perSecond), fmt.Sprintf("%.3g", limit)}
	for i, sum := range sums {
		text := fmt.Sprintf("%.3g", sum)
		if sum >= 1000 {
			text = grouped(sum)
		}
		if found[i] < b.Few {
			text += fmt.Sprintf(" (%s)", percent(float64(found[i])/float64(b.Few)))
		}
		row = append(row, text)
	}
	if c.to == 0.01 {
		t.check(targetSpent, cell+", estimated", sums[0], limit)
		t.check(targetSpent, cell+", assumed", sums[1], limit)
	}
	t.row(row...)
}

func climberNames() []string {
	var out []string
	for _, c := range climbers() {
		out = append(out, c.Name)
	}
	return out
}

// TimeToAll is how long a good release takes.
func (b Bench) TimeToAll() Table {
	t := Table{
		Title: "Time to 100 %",
		Says: fmt.Sprintf("A good release on the same ladder: median minutes until it has all traffic, in how many of %d releases it got there within four hours and "+
			"without waiting for a person, where not in all. A step of Belay without Pass for fifteen minutes is Inconclusive and waits.", b.Few),
		Columns: append([]string{"bad share", "requests a second"}, climberNames()...),
	}
	for _, bad := range []float64{0.001, 0.005} {
		for _, perSecond := range []float64{10, 100, 1000} {
			b.timeToAll(&t, bad, perSecond)
		}
	}
	return t
}

func (b Bench) timeToAll(t *Table, bad, perSecond float64) {
	truth := Steady(perSecond*TickSeconds, bad, 0.05, 1)
	truth.CanaryPods, truth.StablePods = 2, 10
	times := make([][]float64, len(climbers()))
	b.climbs(fmt.Sprintf("time %v %v", bad, perSecond), truth, spentTicks, func(i int, c climb) {
		if c.promoted && !c.RolledBack && !c.inconclusive {
			times[i] = append(times[i], float64(c.promotedAt)/minuteTicks)
		}
	})
	row := []string{percent(bad), grouped(perSecond)}
	for _, minutes := range times {
		if len(minutes) == 0 {
			row = append(row, "never")
			continue
		}
		slices.Sort(minutes)
		text := fmt.Sprintf("%.3g min", minutes[len(minutes)/2])
		if len(minutes) < b.Few {
			text += fmt.Sprintf(" (%s)", percent(float64(len(minutes))/float64(b.Few)))
		}
		row = append(row, text)
	}
	t.row(row...)
}
