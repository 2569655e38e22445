package canarybench

import (
	"fmt"

	"github.com/belay-dev/belay/analysis/evidence"
)

const looks = 2000

// others are the rules that Belay is compared with, as somebody would set them up: at most 1 % may be bad;
// differences of half a point matter; about ten thousand requests.
func others() []Rule {
	return []Rule{Argo(0.01), Flagger(0.01), Kayenta(), RepeatedZ(Alpha), MSPRT(Alpha, 0.005), Sequence(Alpha, 10_000)}
}

func names(rules []Rule) []string {
	out := make([]string, len(rules))
	for i, r := range rules {
		out[i] = r.Name
	}
	return out
}

// FalseRollbacks of canaries that are within the margin.
func (b Bench) FalseRollbacks() Table {
	equal := append([]Rule{Belay("Belay, r = 1, a = 0", Bare()), Belay("Belay, defaults", Usual())}, others()...)
	t := Table{
		Title: "False rollbacks",
		Says: fmt.Sprintf("%s looks, one every %d seconds, at 1,000 requests a second. The first column is Belay with its defaults (φ = 1, s = 0) and a "+
			"canary that is exactly at the margin, %s streams for each cell. In all other columns the versions are alike, %s streams. In brackets the "+
			"upper limit of 95 %% confidence.", grouped(looks), TickSeconds, grouped(float64(b.Many)), grouped(float64(b.Few))),
		Columns: append([]string{"weight", "bad share", "Belay, defaults, at the margin"}, names(equal)...),
	}
	for _, weight := range []float64{0.01, 0.05, 0.5} {
		for _, bad := range []float64{0.001, 0.005, 0.01} {
			b.falseRollbacks(&t, weight, bad, equal)
		}
	}
	return t
}

const targetAlpha = "false rollbacks, upper limit at most α = 1 %"

func (b Bench) falseRollbacks(t *Table, weight, bad float64, equal []Rule) {
	cell := fmt.Sprintf("weight %s, bad share %s", percent(weight), percent(bad))
	truth := Steady(10_000, bad, weight, looks)
	margin := b.atTheMargin("margin "+cell, truth, b.Many, Usual())
	counts := b.rollbacks("alike "+cell, truth, b.Few, equal, 0)
	t.check(targetAlpha, cell+", at the margin", UpperLimit(margin, b.Many), Alpha)
	row := []string{percent(weight), percent(bad), rate(margin, b.Many)}
	for _, count := range counts {
		row = append(row, rate(count, b.Few))
	}
	t.row(row...)
}

// atTheMargin counts rollbacks of a canary that is just not worse.
func (b Bench) atTheMargin(cell string, truth Truth, n int, p evidence.Params) int {
	return b.rollbacks(cell, truth.worse(p.MarginRelative, p.MarginAbsolute), n, []Rule{Belay("", p)}, 0)[0]
}
