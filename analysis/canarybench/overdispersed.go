package canarybench

import "fmt"

// OverDispersed are nulls in which bad requests scatter more than chance makes them.
func (b Bench) OverDispersed() Table {
	streams := b.overDispersed()
	few := max(1, b.Few/4)
	t := Table{
		Title: "False rollbacks where bad requests scatter",
		Says: fmt.Sprintf("%s looks on the way 5, 25, 50 %%, 1,000 requests a second, 0.5 %% bad, ten stable pods and two of the canary. \"Estimated\" takes φ and s "+
			"from the hour of the stable's own pods before, as the controller does; \"assumed\" is φ = 2 and s = 0.05, as where pods cannot be told apart; \"ignored\" is φ = 1 and s = 0. "+
			"Belay's canary is at the margin, with the defaults and, in the first column, with r = 1 and a = 0; the others' is like the stable. "+
			"%s streams for \"estimated\" where they scatter, %s where not and for six hours, and %d for the others.", grouped(looks), grouped(float64(b.scattered(true))),
			grouped(float64(b.scattered(false))), few),
		Columns: append([]string{"stream", "Belay, estimated, r = 1, a = 0", "Belay, estimated", "from six hours", "Belay, assumed", "Belay, ignored"}, names(others())...),
	}
	for _, named := range streams {
		b.overDispersedRow(&t, named, b.scattered(named.Truth.scatters()), few)
	}
	return t
}

// scattered is how many streams there are: where bad requests scatter, rates are near α and need more of them.
func (b Bench) scattered(scatters bool) int {
	if scatters {
		return max(1, b.Many/5)
	}
	return max(1, b.Many/20)
}

// scatters says whether bad requests do more than chance makes them.
func (t Truth) scatters() bool { return t.Cluster > 1 || t.PodSpread > 0 || t.PodJitter > 0 }

const targetScatter = "over-dispersed nulls, upper limit at most α = 1 %"

func (b Bench) overDispersedRow(t *Table, named Named, n, few int) {
	p := Usual()
	bare := p
	bare.MarginRelative, bare.MarginAbsolute = 1, 0
	assumed := p
	assumed.Phi, assumed.Noise = 2, 0.05
	margin := named.Truth.worse(p.MarginRelative, p.MarginAbsolute)
	equal := b.rollbacks("equal "+named.Name, named.Truth, n, []Rule{BelayEstimated("", bare)}, historyTicks)[0]
	estimated := b.rollbacks("margin "+named.Name, margin, n, []Rule{BelayEstimated("", p)}, historyTicks)[0]
	long := b.rollbacks("margin, six hours "+named.Name, margin, b.scattered(false), []Rule{BelayEstimated("", p)}, 6*hourTicks)[0]
	fixed := b.rollbacks("margin, fixed "+named.Name, margin, few, []Rule{Belay("", assumed), Belay("", p)}, 0)
	row := []string{named.Name, rate(equal, n), rate(estimated, n), rate(long, b.scattered(false)), rate(fixed[0], few), rate(fixed[1], few)}
	for _, count := range b.rollbacks("alike "+named.Name, named.Truth, few, others(), 0) {
		row = append(row, rate(count, few))
	}
	t.check(targetScatter, named.Name+", r = 1, a = 0", UpperLimit(equal, n), Alpha)
	t.check(targetScatter, named.Name, UpperLimit(estimated, n), Alpha)
	t.row(row...)
}

func (b Bench) overDispersed() []Named {
	base := Steady(10_000, 0.005, 0.05, looks-2*(looks/3))
	base.Ladder = append(base.Ladder, Rung{0.25, looks / 3}, Rung{0.5, looks / 3})
	base.CanaryPods, base.StablePods = 2, 10
	with := func(name string, change func(*Truth)) Named {
		t := base
		change(&t)
		return Named{Name: name, Truth: t}
	}
	return []Named{
		with("none", func(*Truth) {}),
		with("moving baseline, e^±1 in 15 min", func(t *Truth) { t.Swing, t.Period = 1, 90 }),
		with("bursts of 3", func(t *Truth) { t.Cluster = 3 }),
		with("pod noise 30 %, a minute", func(t *Truth) { t.PodJitter, t.JitterTicks = 0.3, 6 }),
		with("pod noise 30 %, ten minutes", func(t *Truth) { t.PodJitter, t.JitterTicks = 0.3, 60 }),
		with("pods differ by 20 %", func(t *Truth) { t.PodSpread = 0.2 }),
		with("pods differ by 10 %, bursts of 2", func(t *Truth) { t.PodSpread, t.Cluster = 0.1, 2 }),
		with("wrong split, twice the weight", func(t *Truth) { t.Skew = 2 }),
		with("3 requests a second", func(t *Truth) { t.Requests = 30 }),
	}
}
