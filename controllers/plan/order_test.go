package plan

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// The order is the safety policy: what protects users stands before what makes progress.
func TestOrder(t *testing.T) {
	order := strings.Fields(`
		newerProgress deleted abortRequested aborted superseded workloadFailed analysisFailed snapshotLost canaryLost handOver frozenTooLong
		ungoverned requested adopting held stableBroken suspended invalid resting pinning
		stableLost upkeep podsPending trafficPending clockStopped stepUnfinished waitingForPerson stepFinished finished`)
	var got []string
	for _, r := range rules {
		got = append(got, r.name)
	}
	if !slices.Equal(got, order) {
		t.Errorf("the order of the rules is\n%v\nwant\n%v", got, order)
	}
}

// Every rule has rows in the tables that show what it decides.
func TestEveryRuleHasATable(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`want\{rule: "(\w+)"`).FindAllStringSubmatch(string(text), -1) {
			rows[m[1]]++
		}
	}
	for _, r := range rules {
		if rows[r.name] == 0 {
			t.Errorf("no row of a table says what rule %s decides", r.name)
		}
	}
}

// cause is what makes a rule apply where it did not before; no edit: it applies anyway.
type cause struct {
	rule string
	edit edit
	// but: a rule further down that does not apply any more then.
	but string
}

// contest is a state to which one trouble after the other comes, the mildest first. Whatever came before, the latest
// has to win: the rows are in the order of the rules, so each says that its rule stands over all that follow it.
type contest struct {
	where string
	from  Observed
	rows  []cause
}

// contests have every two rules that can apply at once.
func contests() []contest {
	deleting := func(o *Observed) { o.Deleting = true }
	newer := func(o *Observed) { o.Progress.Version = v1alpha1.ProgressVersion + 1 }
	unlabelled := func(o *Observed) { o.Workload.Governor = "" }
	noCanaryReady := func(o *Observed) { o.Canary.Ready = 0 }
	noStableReady := func(o *Observed) { o.Workload.Revisions[0].Ready = 0 }
	longAgo := microPtr(noon.Add(-time.Hour))
	suspended := func(o *Observed) { o.Suspend = true }
	late := func(o *Observed) { o.Progress.StageSince = *longAgo }
	first := []cause{{"newerProgress", newer, "ungoverned"}, {"deleted", deleting, "ungoverned"}}
	return []contest{
		{"at a step", passed(2), append(slices.Clone(first), []cause{
			{"abortRequested", asks("abort", "v2"), ""},
			{"superseded", template("v3"), ""},
			{"workloadFailed", func(o *Observed) { o.Progress.WaitSince = longAgo }, ""},
			{"analysisFailed", says(v1alpha1.VerdictFail), ""},
			{"snapshotLost", func(o *Observed) { o.Attempt = AttemptState{Lost: true} }, ""},
			{"canaryLost", noCanaryReady, ""},
			{"frozenTooLong", func(o *Observed) { o.Suspend, o.Progress.FrozenSince = true, longAgo }, ""},
			{"ungoverned", unlabelled, ""},
			{"requested", asks("pause", "v2"), ""},
			{"stableLost", noStableReady, ""},
			{"upkeep", func(o *Observed) { o.Canary.Current = false }, ""},
			{"podsPending", canaryPods(1, 1), ""},
			{"trafficPending", func(o *Observed) { o.Progress.ProgrammedSince, o.Progress.WaitSince = nil, microPtr(noon) }, ""},
			{"clockStopped", weight(100), ""},
			{"stepUnfinished", func(o *Observed) { o.Progress.ProgrammedSince = microPtr(noon.Add(-time.Minute)) }, ""},
			{"waitingForPerson", func(o *Observed) { o.Progress.Paused = true }, ""},
			{"stepFinished", nil, ""},
			{"finished", nil, ""},
		}...)},
		{"while pinning", pinningState(), append(slices.Clone(first), []cause{
			{"abortRequested", asks("abort", "v2"), ""},
			{"superseded", template("v3"), ""},
			{"workloadFailed", late, ""},
			{"ungoverned", unlabelled, ""},
			{"requested", asks("pause", "v2"), ""},
			{"pinning", nil, ""},
		}...)},
		{"while unpinning", handing(v1alpha1.StageUnpinning), append(slices.Clone(first), []cause{
			{"abortRequested", asks("abort", "v2"), ""},
			{"superseded", template("v3"), ""},
			{"workloadFailed", late, ""},
			{"analysisFailed", says(v1alpha1.VerdictFail), ""},
			{"canaryLost", noCanaryReady, ""},
			{"handOver", nil, ""},
			{"ungoverned", unlabelled, ""},
			{"requested", asks("pause", "v2"), ""},
		}...)},
		// From here on nobody's wish and no deletion stops what cannot be taken back.
		{"while handing over", handing(v1alpha1.StageHandingOver), []cause{
			{"newerProgress", newer, ""},
			{"workloadFailed", late, ""},
			{"canaryLost", noCanaryReady, ""},
			{"handOver", nil, ""},
			{"ungoverned", unlabelled, ""},
			{"requested", asks("pause", "v2"), ""},
		}},
		{"while a hand-over is called off", calledOffState(), []cause{
			{"newerProgress", newer, ""},
			{"canaryLost", noCanaryReady, ""},
			{"handOver", nil, ""},
			{"ungoverned", unlabelled, ""},
			{"requested", asks("pause", "v2"), ""},
		}},
		{"while an attempt is taken down", endingAt(v1alpha1.StageDraining, v1alpha1.OutcomeFailed), []cause{
			{"newerProgress", newer, ""},
			{"aborted", nil, ""},
			{"ungoverned", unlabelled, ""},
			{"requested", asks("promote", "v2"), ""},
		}},
		{"before anything is stable", atRest(func(o *Observed) { o.Progress.Stage = v1alpha1.StageAdopting }), append(slices.Clone(first), []cause{
			{"ungoverned", unlabelled, ""},
			{"requested", asks("abort", "-"), ""},
			{"adopting", nil, ""},
		}...)},
		{"before anything is stable, invalid", atRest(func(o *Observed) { o.Progress.Stage = v1alpha1.StageAdopting }), append(slices.Clone(first), []cause{
			{"requested", asks("abort", "-"), ""},
			{"adopting", nil, ""},
			{"invalid", problem("ServiceMissing"), ""},
		}...)},
		{"after a failed attempt", heldState(), append(slices.Clone(first), []cause{
			{"ungoverned", unlabelled, ""},
			{"requested", asks("retry", "v2"), ""},
			{"held", nil, ""},
		}...)},
		{"at rest, a template is held", holding(), append(slices.Clone(first), []cause{
			{"ungoverned", unlabelled, ""},
			{"requested", asks("abort", "-"), ""},
			{"stableBroken", noStableReady, ""},
			{"suspended", suspended, ""},
			{"resting", nil, ""},
		}...)},
		{"at rest, a template is held, invalid", holding(), append(slices.Clone(first), []cause{
			{"requested", asks("abort", "-"), ""},
			{"stableBroken", noStableReady, ""},
			{"suspended", suspended, ""},
			{"invalid", problem("ServiceMissing"), ""},
			{"resting", nil, ""},
		}...)},
	}
}

// at is the state of a contest when everything from row i on has come.
func (c contest) at(i int) Observed {
	o := own(c.from)
	for _, row := range slices.Backward(c.rows[i:]) {
		if row.edit != nil {
			row.edit(&o)
		}
	}
	return o
}

// own lets a state be edited without another that was made from it.
func own(o Observed) Observed {
	o.Workload.Revisions, o.Routes, o.Services = slices.Clone(o.Workload.Revisions), slices.Clone(o.Routes), slices.Clone(o.Services)
	return o
}

// below are the rules that row i has to win against; none when a rule before it applies anyway.
func (c contest) below(i int) []string {
	if slices.ContainsFunc(c.rows[:i], func(row cause) bool { return row.edit == nil }) {
		return nil
	}
	var out []string
	for _, row := range c.rows[i+1:] {
		if c.rows[i].but != row.rule {
			out = append(out, row.rule)
		}
	}
	return out
}

func TestWhichRuleWins(t *testing.T) {
	for _, c := range contests() {
		for i, row := range c.rows {
			below := c.below(i)
			if len(below) == 0 {
				continue
			}
			t.Run(c.where+"/"+row.rule, func(t *testing.T) {
				o := c.at(i)
				if got := Decide(o); got.Rule != row.rule {
					t.Errorf("%s decided: %s", got.Rule, got.Reason)
				}
				applying := applying(o)
				for _, other := range below {
					if !slices.Contains(applying, other) {
						t.Errorf("%s does not apply, so this says nothing about the order", other)
					}
				}
			})
		}
	}
}

// applying lists the rules that would decide if those before them had nothing to say. One that goes by what an earlier
// one has put right cannot be asked before: it does not compete.
func applying(o Observed) []string {
	var out []string
	for _, r := range rules {
		func() {
			defer func() { _ = recover() }()
			alone := o
			if r.decide(&alone) != nil {
				out = append(out, r.name)
			}
		}()
	}
	return out
}

// Every two rules that are ever seen to apply at once have a row that says which one wins.
func TestEveryPairHasItsRow(t *testing.T) {
	known := map[string]bool{}
	for _, c := range contests() {
		for i, row := range c.rows {
			for _, other := range c.below(i) {
				known[row.rule+" over "+other] = true
			}
		}
	}
	look := func(where string, o Observed) {
		seen := applying(o)
		for i, a := range seen {
			for _, b := range seen[i+1:] {
				if pair := a + " over " + b; !known[pair] {
					known[pair] = true // said once
					t.Errorf("no row says %s: %s", pair, where)
				}
			}
		}
	}
	drawn := rapid.Custom(drawObserved)
	for seed := range 3000 {
		look(fmt.Sprintf("drawObserved with seed %d", seed), drawn.Example(seed))
	}
	// And every two causes of any contest, wherever an attempt may stand.
	causes := distinct()
	for n, stage := range stages() {
		for i, a := range causes {
			for _, b := range causes[i:] {
				if o, ok := twice(stage, a.edit, b.edit); ok {
					look(fmt.Sprintf("the causes of %s and %s in stage %d of stages()", a.rule, b.rule, n), o)
				}
			}
		}
	}
}

// distinct are the causes of all contests, each rule's own once, however often it takes part.
func distinct() []cause {
	var out []cause
	for _, c := range contests() {
		for _, row := range c.rows {
			if row.edit != nil && !slices.ContainsFunc(out, func(x cause) bool { return x.rule == row.rule }) {
				out = append(out, row)
			}
		}
	}
	return out
}

// twice makes two edits, unless one of them is about something that is not there.
func twice(o Observed, a, b edit) (out Observed, ok bool) {
	defer func() { _ = recover() }()
	o = own(o)
	a(&o)
	b(&o)
	return o, true
}
