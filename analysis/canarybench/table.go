package canarybench

import (
	"fmt"
	"io"
	"strings"
)

// Table is what one part of the bench found.
type Table struct {
	Title   string
	Says    string // how it was measured
	Columns []string
	Rows    [][]string
	Checks  []Check
}

// Check is a target.
type Check struct {
	Target string  // what the design asks for
	Cell   string  // where
	Value  float64 // what was measured; where it is a rate, its upper limit
	Limit  float64 // what it must not exceed
}

// Met says whether the target is.
func (c Check) Met() bool { return c.Value <= c.Limit }

// check notes a target in one cell.
func (t *Table) check(target, cell string, value, limit float64) {
	t.Checks = append(t.Checks, Check{target, cell, value, limit})
}

func (t *Table) row(cells ...string) { t.Rows = append(t.Rows, cells) }

// Write the table as Markdown, and under it what became of the targets.
func (t *Table) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n%s\n\n", t.Title, t.Says)
	line(&b, t.Columns)
	line(&b, dashes(len(t.Columns)))
	for _, row := range t.Rows {
		line(&b, row)
	}
	b.WriteString("\n")
	for _, s := range summaries(t.Checks) {
		fmt.Fprintf(&b, "* %s\n", s)
	}
	if len(t.Checks) > 0 {
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func line(b *strings.Builder, cells []string) { fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | ")) }

func dashes(n int) []string {
	cells := make([]string, n)
	for i := range cells {
		cells[i] = "---"
	}
	return cells
}

// summaries say for each target how many cells meet it, and which is the worst.
func summaries(checks []Check) []string {
	var targets []string
	cells := map[string][]Check{}
	for _, c := range checks {
		if cells[c.Target] == nil {
			targets = append(targets, c.Target)
		}
		cells[c.Target] = append(cells[c.Target], c)
	}
	says := make([]string, 0, len(targets))
	for _, target := range targets {
		says = append(says, summary(target, cells[target]))
	}
	return says
}

func summary(target string, checks []Check) string {
	worst, met := checks[0], 0
	for _, c := range checks {
		if c.Value-c.Limit > worst.Value-worst.Limit {
			worst = c
		}
		if c.Met() {
			met++
		}
	}
	verdict := fmt.Sprintf("**met** in all %d cells", len(checks))
	if met < len(checks) {
		verdict = fmt.Sprintf("**missed** in %d of %d cells", len(checks)-met, len(checks))
	}
	return fmt.Sprintf("%s: %s; the worst is %.4g of %.4g (%s)", target, verdict, worst.Value, worst.Limit, worst.Cell)
}

// rate of events as a cell: percent, and the upper limit of 95 % confidence.
func rate(events, n int) string {
	return fmt.Sprintf("%s (≤ %s)", percent(float64(events)/float64(n)), percent(UpperLimit(events, n)))
}

func percent(p float64) string { return fmt.Sprintf("%.3g %%", 100*p) }
