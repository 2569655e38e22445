package canarybench

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/belay-dev/belay/analysis/evidence"
)

// accepting turns a judge round: it ends with the Pass.
type accepting struct{ *evidence.Comparison }

func (a accepting) RollsBack() bool { return a.LogAccept() >= a.Params().LogAcceptThreshold() }

func accept(p evidence.Params) Rule {
	return Rule{"Belay", func(Truth, evidence.Dispersion) Judge { return accepting{newBelay(p).Comparison} }}
}

// naiveAccept accepts as soon as a one-sided interval of 1 - β for p_c - r·p_s lies below a, after thirty requests.
func naiveAccept(p evidence.Params) Rule {
	enough := distuv.UnitNormal.Quantile(1 - p.Beta)
	return cumulating("repeated interval", func(c, s evidence.Counts) bool {
		pc, ps, r := c.BadShare(), s.BadShare(), p.MarginRelative
		variance := pc*(1-pc)/float64(c.Requests) + r*r*ps*(1-ps)/float64(s.Requests)
		return c.Requests >= 30 && pc-r*ps+enough*math.Sqrt(variance) < p.MarginAbsolute
	})
}

const (
	targetAccept      = "mean requests until Pass ÷ bound, at most 1.6"
	targetFalseAccept = "false accepts, upper limit at most β = 5 %"
)

// Accept is how soon a good canary passes, and how often one at the margin does.
func (b Bench) Accept() Table {
	const acceptLooks = 1000
	p, n, short := Usual(), 2*b.Few, precise*b.Few
	t := Table{
		Title: "Accepting",
		Says: fmt.Sprintf("Defaults, φ = 1. Left: versions alike, requests until Pass over the bound ln(1/β)/I against p_c ≥ r·p_s + a, mean of %s streams. Right: a canary "+
			"at the margin, how often it passes at one of %s looks, %s streams; beside it an interval of 95 %% that is looked at as often.",
			grouped(float64(short)), grouped(acceptLooks), grouped(float64(n))),
		Columns: []string{"weight", "bad share", "bound, requests", "Pass ÷ bound", "false accepts", "repeated interval"},
	}
	for _, weight := range []float64{0.05, 0.25, 0.5} {
		for _, bad := range []float64{0.001, 0.005, 0.01} {
			bound := Effect{Canary: bad, Stable: bad, Weight: weight, Relative: p.MarginRelative, Absolute: p.MarginAbsolute}.Bound(Beta)
			cell := fmt.Sprintf("weight %s, bad share %s", percent(weight), percent(bad))
			d := b.delays("pass "+cell, change{bad, bad}.stream(weight, bound), short, []Rule{accept(p)})[0]
			margin := Steady(10_000, bad, weight, acceptLooks).worse(p.MarginRelative, p.MarginAbsolute)
			wrong := b.rollbacks("false pass "+cell, margin, n, []Rule{accept(p), naiveAccept(p)}, 0)
			t.check(targetAccept, cell, d.over(bound), 1.6)
			t.check(targetFalseAccept, cell, UpperLimit(wrong[0], n), Beta)
			t.row(percent(weight), percent(bad), grouped(bound), d.cell(bound), rate(wrong[0], n), rate(wrong[1], n))
		}
	}
	return t
}
