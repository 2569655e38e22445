package canarybench

import "fmt"

// boundTicks is how many ticks the bound is cut into, so that what is measured is the judge and not the tick.
const boundTicks = 40

// precise is how many times as many streams are drawn where the mean is near its target and they are short.
const precise = 4

// delay is the mean number of requests until a rollback, and whether all streams ended in one.
type delay struct {
	sum      float64
	n, found int
}

func (d *delay) add(o Outcome) {
	d.sum += o.Requests
	d.n++
	if o.RolledBack {
		d.found++
	}
}

func (d *delay) over(bound float64) float64 { return d.sum / float64(d.n) / bound }

// cell prints the ratio; where some streams ended without a rollback it is larger than measured.
func (d *delay) cell(bound float64) string {
	if d.found < d.n {
		return fmt.Sprintf("> %.3g (%s found)", d.over(bound), percent(float64(d.found)/float64(d.n)))
	}
	return fmt.Sprintf("%.2f", d.over(bound))
}

func (b Bench) delays(cell string, t Truth, n int, rules []Rule) []delay {
	sums := make([]delay, len(rules))
	b.races(cell, t, n, rules, 0, func(outcomes []Outcome) {
		for i, o := range outcomes {
			sums[i].add(o)
		}
	})
	return sums
}

type change struct{ from, to float64 }

func (c change) String() string {
	return fmt.Sprintf("%.3g → %s", 100*c.from, percent(c.to))
}

// stream of a change in which the bound is boundTicks long; it ends after fifty bounds.
func (c change) stream(weight, bound float64) Truth {
	return Steady(bound/boundTicks, c.from, weight, 50*boundTicks).worse(c.to/c.from, 0)
}

const targetDelay = "mean delay ÷ bound at r = 1, a = 0, no cap, with restart, at most 1.65"

// Delay of the judge without margins and cap.
func (b Bench) Delay() Table {
	plain := Bare()
	plain.NoRestart = true
	rules := []Rule{Belay("Belay", Bare()), Belay("Belay, no restart", plain), Wald(Alpha), RepeatedZ(Alpha), MSPRT(Alpha, 0.005), Sequence(Alpha, 10_000)}
	t := Table{
		Title: "Delay over the information bound",
		Says: fmt.Sprintf("Requests of both arms until the rollback, mean of %s streams, divided by the bound ln(1/α)/I for r = 1 and a = 0. A tick has a "+
			"fortieth of the bound. Belay without margins and cap; \"Wald\" knows how much worse the canary is, which nobody does. The repeated z-test is below the bound "+
			"because it does not keep α.", grouped(float64(precise*b.Few))),
		Columns: append([]string{"change", "weight", "bound, requests"}, names(rules)...),
	}
	for _, c := range []change{{0.001, 0.01}, {0.01, 0.02}, {0.005, 0.006}} {
		for _, weight := range []float64{0.01, 0.05, 0.25, 0.5} {
			bound := Effect{Canary: c.to, Stable: c.from, Weight: weight, Relative: 1}.Bound(Alpha)
			row := []string{c.String(), percent(weight), grouped(bound)}
			for i, d := range b.delays(fmt.Sprintf("delay %v %v", c, weight), c.stream(weight, bound), precise*b.Few, rules) {
				if i == 0 {
					t.check(targetDelay, fmt.Sprintf("%v, weight %s", c, percent(weight)), d.over(bound), 1.65)
				}
				row = append(row, d.cell(bound))
			}
			t.row(row...)
		}
	}
	return t
}

const (
	targetMargin  = "mean delay ÷ bound with the margins, cap and restart, at most 2.0"
	targetNoExtra = "the same with r = 1.1 and a = 0, at most 2.0"
	targetFree    = "mean delay of the defaults ÷ bound without a, at most 2.0"
)

// DelayOfDefaults is the delay with margins, cap and restart.
func (b Bench) DelayOfDefaults() Table {
	t := Table{
		Title: "Delay with the defaults",
		Says: fmt.Sprintf("As above, with r = 1.1, cap and restart, φ = 1, s = 0. An absolute margin a makes the question harder, so there are two bounds: one against "+
			"p_c ≤ r·p_s + a, and one that leaves a out. \"Late\" is a canary that turns bad after an hour of health, counted from there. \"Assumed\" is φ = 2, s = 0.05, "+
			"against the bound with a. Mean of %s streams.", grouped(float64(b.Few))),
		Columns: []string{"change", "weight", "bound with a", "defaults ÷ bound with a", "bound without a", "defaults ÷ bound without a", "a = 0 ÷ bound without a", "late ÷ bound with a", "assumed ÷ bound with a"},
	}
	for _, c := range []change{{0.001, 0.01}, {0.01, 0.02}, {0.005, 0.008}} {
		for _, weight := range []float64{0.01, 0.05, 0.25, 0.5} {
			b.delayOfDefaults(&t, c, weight)
		}
	}
	return t
}

func (b Bench) delayOfDefaults(t *Table, c change, weight float64) {
	usual, free, assumed := Usual(), Usual(), Usual()
	free.MarginAbsolute = 0
	assumed.Phi, assumed.Noise = 2, 0.05
	effect := Effect{Canary: c.to, Stable: c.from, Weight: weight, Relative: usual.MarginRelative}
	without := effect.Bound(Alpha)
	effect.Absolute = usual.MarginAbsolute
	with := effect.Bound(Alpha)
	cell := fmt.Sprintf("%v, weight %s", c, percent(weight))
	d := b.delays("margins "+cell, c.stream(weight, with), b.Few, []Rule{Belay("", usual), Belay("", assumed)})
	a0 := b.delays("a = 0 "+cell, c.stream(weight, without), b.Few, []Rule{Belay("", free)})[0]
	late := b.late("late "+cell, c.stream(weight, with), Belay("", usual))
	t.check(targetMargin, cell, d[0].over(with), 2)
	t.check(targetNoExtra, cell, a0.over(without), 2)
	t.check(targetFree, cell, d[0].over(without), 2)
	t.row(c.String(), percent(weight), grouped(with), d[0].cell(with), grouped(without), d[0].cell(without), a0.cell(without), late.cell(with), d[1].cell(with))
}

// late begins after an hour; rollbacks before do not count.
func (b Bench) late(cell string, t Truth, rule Rule) delay {
	t.Onset = hourTicks
	t.Ladder[0].Ticks += hourTicks
	var d delay
	b.races(cell, t, b.Few, []Rule{rule}, 0, func(outcomes []Outcome) {
		if o := outcomes[0]; o.Ticks > hourTicks {
			o.Requests -= hourTicks * t.Requests
			d.add(o)
		}
	})
	return d
}
