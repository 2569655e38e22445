package canarybench

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	table := Table{Title: "Delay", Says: "How long.", Columns: []string{"weight", "ticks"}}
	table.row("5 %", "12")
	table.check("at most 2", "here", 1.5, 2)
	table.check("at most 2", "there", 2.5, 2)
	table.check("none", "here", 0, 0)
	var b strings.Builder
	if err := table.Write(&b); err != nil {
		t.Fatal(err)
	}
	want := `### Delay

How long.

| weight | ticks |
| --- | --- |
| 5 % | 12 |

* at most 2: **missed** in 1 of 2 cells; the worst is 2.5 of 2 (there)
* none: **met** in all 1 cells; the worst is 0 of 0 (here)

`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestNumbers(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 999.4: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		if got := grouped(x); got != want {
			t.Errorf("%v is %s, want %s", x, got, want)
		}
	}
	if got := rate(0, 100); got != "0 % (≤ 2.95 %)" {
		t.Errorf("a rate is %s", got)
	}
}

func TestPrint(t *testing.T) {
	var out, progress strings.Builder
	err := Bench{Seed: 1, Many: 1, Few: 1}.Print(&out, &progress, "tables")
	if err == nil || !strings.Contains(err.Error(), "there are false-rollbacks, dispersion, delay") {
		t.Errorf("a table that is not there: %v", err)
	}
	if err := (Bench{Few: 1}).Print(&out, &progress, ""); err == nil || !strings.Contains(err.Error(), "at least one of each") {
		t.Errorf("no replications: %v", err)
	}
	if err := (Bench{Seed: 1, Many: 1, Few: 1}).Print(&out, &progress, "cost"); err != nil || !strings.Contains(out.String(), "### Cost") ||
		!strings.Contains(out.String(), "Targets met in 0 of 0 cells. Seed 1.") || !strings.Contains(progress.String(), "cost: ") {
		t.Errorf("%v\n%s\n%s", err, out.String(), progress.String())
	}
}
