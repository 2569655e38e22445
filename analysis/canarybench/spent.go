package canarybench

import "fmt"

const (
	targetSpent  = "excess bad requests before rollback, 0.1 → 1 %, φ = 1, at most max(10, three ticks' worth)"
	longestClimb = 2 * hourTicks
)

// Spent is what a bad release costs.
func (b Bench) Spent() Table {
	n := max(1, b.Few/4)
	t := Table{
		Title: "Bad requests spent",
		Says: fmt.Sprintf("A bad release climbs 5, 25, 50, 100 %% with five minutes at each weight (an hour for Kayenta) until it is rolled back, for two hours at most (four for "+
			"Kayenta). Belay goes on only with a Pass; on the ramp it chooses the weight, from 1 %%, by the upper bound of the excess and a budget of 0.2 %%. Mean of the "+
			"canary's bad requests beyond the stable's share, and in how many of %d releases it was rolled back where not in all.", n),
		Columns: append([]string{"change", "requests a second", "limit"}, climberNames()...),
	}
	for _, c := range []change{{0.001, 0.01}, {0.005, 0.008}} {
		for _, perSecond := range []float64{10, 100, 1000} {
			b.spent(&t, c, perSecond, n)
		}
	}
	return t
}

func (b Bench) spent(t *Table, c change, perSecond float64, n int) {
	truth := Steady(perSecond*TickSeconds, c.from, 0.05, 1).worse(c.to/c.from, 0)
	truth.CanaryPods, truth.StablePods = 2, 10
	sums, found := make([]float64, len(climbers())), make([]int, len(climbers()))
	cell := fmt.Sprintf("%v, %v requests a second", c, perSecond)
	b.climbs("spent "+cell, truth, n, longestClimb, func(i int, c climb) {
		sums[i] += c.Excess / float64(n)
		if c.RolledBack {
			found[i]++
		}
	})
	limit := max(10, 3*truth.Requests*ladder()[0]*(c.to-c.from))
	row := []string{c.String(), grouped(perSecond), fmt.Sprintf("%.3g", limit)}
	for i, sum := range sums {
		row = append(row, spentCell(sum, found[i], n))
	}
	if c.from == 0.001 {
		t.check(targetSpent, cell, sums[0], limit)
	}
	t.row(row...)
}

func spentCell(sum float64, found, n int) string {
	text := fmt.Sprintf("%.3g", sum)
	if sum >= 1000 {
		text = grouped(sum)
	}
	return text + portion(found, n)
}

// portion in brackets, where it is not the whole.
func portion(found, n int) string {
	if found == n {
		return ""
	}
	return fmt.Sprintf(" (%s)", percent(float64(found)/float64(n)))
}
