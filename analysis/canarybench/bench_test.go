package canarybench

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// Some cells of the tables with fewer streams; `make bench-analysis` has all of them. Seeds are fixed, so what
// passes once passes always. The race detector finds nothing more in them.
func small(t *testing.T) Bench {
	t.Helper()
	if raced {
		t.Skip("the same numbers, ten times as slowly")
	}
	return Bench{Seed: 1, Many: 2000, Few: 200}
}

// widened is the target for upper limits of n streams where it is α for ten thousand: by as much as the limit
// of a rate of α is wider.
func widened(n int) float64 {
	return Alpha + 1.645*math.Sqrt(Alpha*(1-Alpha))*(1/math.Sqrt(float64(n))-0.01)
}

func TestFalseRollbacks(t *testing.T) {
	b := small(t)
	truth := Steady(10_000, 0.005, 0.05, looks)
	if n := b.atTheMargin("margin", truth, b.Many, Usual()); UpperLimit(n, b.Many) > widened(b.Many) {
		t.Errorf("at the margin: %s", rate(n, b.Many))
	}
	counts := b.rollbacks("alike", truth, b.Few, others(), 0)
	z := slices.IndexFunc(others(), func(r Rule) bool { return r.Name == "repeated z-test" })
	if counts[z] < b.Few/10 {
		t.Errorf("the repeated z-test: %s, where it is known to be wrong in 14 to 27 %%", rate(counts[z], b.Few))
	}
}

// With φ and s from the stable's own pods the error is kept; without, the streams would show it.
func TestOverDispersedNulls(t *testing.T) {
	b := small(t)
	const n = 100
	for _, named := range b.overDispersed() {
		if named.Name != "bursts of 3" && named.Name != "pods differ by 20 %" {
			continue
		}
		bare := Bare()
		bare.NoCap = false
		estimated := b.rollbacks(named.Name, named.Truth, n, []Rule{BelayEstimated("", bare)}, historyTicks)[0]
		ignored := b.rollbacks(named.Name, named.Truth, n, []Rule{Belay("", bare)}, 0)[0]
		if estimated > 4 { // with α = 1 % more than 4 of 100 have a probability of 0.3 %
			t.Errorf("%s: %s", named.Name, rate(estimated, n))
		}
		if ignored < n/5 {
			t.Errorf("%s, ignored: %s: the stream does not show what is wrong", named.Name, rate(ignored, n))
		}
	}
}

func TestDelays(t *testing.T) {
	b := small(t)
	plain := Bare()
	for _, c := range []change{{0.001, 0.01}, {0.01, 0.02}, {0.005, 0.006}} {
		bound := Effect{Canary: c.to, Stable: c.from, Weight: 0.05, Relative: 1}.Bound(Alpha)
		d := b.delays("delay", c.stream(0.05, bound), b.Few, []Rule{Belay("", plain), Wald(Alpha)})
		if ratio := d[0].over(bound); ratio < 1 || ratio > 1.65 || d[0].found < b.Few {
			t.Errorf("%v: the delay is %s of the bound, want at most 1.65", c, d[0].cell(bound))
		}
		if ratio := d[1].over(bound); ratio < 1 || ratio > 1.3 {
			t.Errorf("%v: Wald's delay is %s of the bound: who knows the effect is near it", c, d[1].cell(bound))
		}
	}
	late := b.late("late", change{0.001, 0.01}.stream(0.05, 10_000), Belay("", Usual()))
	if late.found != late.n || late.n < b.Few*98/100 || late.over(10_000) < 1 || late.over(10_000) > 4 {
		t.Errorf("late: %s of the bound, %d of %d found", late.cell(10_000), late.found, late.n)
	}
}

func TestLatencyDelays(t *testing.T) {
	b := small(t)
	for _, bounds := range [][]float64{Classic(), Native()} {
		truth := latencyTruth(bounds, Slowing{0, 1.2}, 0, 0.05, 50*boundTicks)
		bound := Slowness{truth.Canary, truth.Stable, 0.05}.Bound(Alpha)
		truth.Requests = bound / boundTicks
		d := b.latencyDelays("latency", truth, b.Few/2, truth.judging(Bare()), truth.banding)
		if ratio := d[0].over(bound); ratio < 1 || ratio > 2 {
			t.Errorf("%d bounds: the delay is %s of the bound, want at most 2", len(bounds), d[0].cell(bound))
		}
		if d[1].over(bound) < 4 {
			t.Errorf("%d bounds: bands take %s of the bound: they are known to be wide", len(bounds), d[1].cell(bound))
		}
	}
}

// Whole tables once, with hardly a stream: every row has a cell for each column, and what should be there.
func TestTablesAreWhole(t *testing.T) {
	b := small(t)
	b.Many, b.Few = 2, 1
	b.Meter = func() float64 { return 0 }
	for _, section := range Sections() {
		table := section.Table(b)
		if len(table.Rows) == 0 || table.Title == "" || table.Says == "" {
			t.Errorf("%s: %d rows, title %q", section.Name, len(table.Rows), table.Title)
		}
		for _, row := range table.Rows {
			if len(row) != len(table.Columns) {
				t.Errorf("%s: %d cells for %d columns: %v", section.Name, len(row), len(table.Columns), row)
			}
			if text := strings.Join(row, " "); strings.Contains(text, "NaN") || strings.Contains(text, "%!") {
				t.Errorf("%s: %s", section.Name, text)
			}
		}
	}
}
