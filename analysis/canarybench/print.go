package canarybench

import (
	"fmt"
	"io"
	"strings"
)

// Print the tables, or one of them, and what became of all targets. Progress goes to its own writer.
func (b Bench) Print(out, progress io.Writer, only string) error {
	if b.Many < 1 || b.Few < 1 {
		return fmt.Errorf("replications are %d and %d: there must be at least one of each", b.Many, b.Few)
	}
	found := false
	var checks []Check
	for _, section := range Sections() {
		if only != "" && section.Name != only {
			continue
		}
		found = true
		start := b.seconds()
		table := section.Table(b)
		fmt.Fprintf(progress, "%s: %.0f s of processor time\n", section.Name, b.seconds()-start)
		if err := table.Write(out); err != nil {
			return err
		}
		checks = append(checks, table.Checks...)
	}
	if !found {
		return fmt.Errorf("there is no table %q: there are %s", only, strings.Join(SectionNames(), ", "))
	}
	_, err := fmt.Fprintf(out, "Targets met in %d of %d cells. Seed %d.\n", met(checks), len(checks), b.Seed)
	return err
}

func (b Bench) seconds() float64 {
	if b.Meter == nil {
		return 0
	}
	return b.Meter()
}

func met(checks []Check) int {
	n := 0
	for _, c := range checks {
		if c.Met() {
			n++
		}
	}
	return n
}

// SectionNames in their order.
func SectionNames() []string {
	var out []string
	for _, s := range Sections() {
		out = append(out, s.Name)
	}
	return out
}
