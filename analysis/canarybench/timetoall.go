package canarybench

import (
	"fmt"
	"slices"
)

// TimeToAll is how long a good release takes.
func (b Bench) TimeToAll() Table {
	n := max(1, b.Few/4)
	t := Table{
		Title: "Time to 100 %",
		Says: fmt.Sprintf("A good release on the same way: median minutes until it has all traffic, in how many of %d releases it got there within two hours (four for "+
			"Kayenta) and stayed, where not in all. A step of Belay without Pass for fifteen minutes is Inconclusive and waits for a person: \"never\".", n),
		Columns: append([]string{"bad share", "requests a second"}, climberNames()...),
	}
	for _, bad := range []float64{0.001, 0.005} {
		for _, perSecond := range []float64{10, 100, 1000} {
			b.timeToAll(&t, bad, perSecond, n)
		}
	}
	return t
}

func (b Bench) timeToAll(t *Table, bad, perSecond float64, n int) {
	truth := Steady(perSecond*TickSeconds, bad, 0.05, 1)
	truth.CanaryPods, truth.StablePods = 2, 10
	times := make([][]float64, len(climbers()))
	b.climbs(fmt.Sprintf("time %v %v", bad, perSecond), truth, n, longestClimb, func(i int, c climb) {
		if c.promoted && !c.RolledBack && !c.inconclusive {
			times[i] = append(times[i], float64(c.promotedAt)/minuteTicks)
		}
	})
	row := []string{percent(bad), grouped(perSecond)}
	for _, minutes := range times {
		text := "never"
		if len(minutes) > 0 {
			slices.Sort(minutes)
			text = fmt.Sprintf("%.3g min", minutes[len(minutes)/2]) + portion(len(minutes), n)
		}
		row = append(row, text)
	}
	t.row(row...)
}
