package view

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: run go test with -update and look at the result", err)
	}
	if got != string(want) {
		t.Errorf("differs from %s\ngot:\n%s\nwant:\n%s", file, got, want)
	}
}

func TestRender(t *testing.T) {
	for name, c := range map[string]struct {
		tree    Tree
		options Options
	}{
		"unseen":             {tree: Tree{Rollout: checkout(), Now: noon, Notes: []string{"Deployment checkout does not exist"}}},
		"healthy":            {tree: healthy()},
		"progressing":        {tree: progressing(), options: Options{Width: 120}},
		"progressing-narrow": {tree: progressing(), options: Options{Width: 60}},
		"progressing-colour": {tree: progressing(), options: Options{Width: 100, Colour: true}},
		"compared":           {tree: compared(), options: Options{Width: 120}},
		"paused":             {tree: paused(), options: Options{Width: 100}},
		"reverting":          {tree: reverting(), options: Options{Width: 100}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Render(c.tree, c.options)
			golden(t, name, got)
			if c.options.Width == 0 || c.options.Colour {
				return
			}
			for line := range strings.SplitSeq(got, "\n") {
				if columns(line) > c.options.Width {
					t.Errorf("%d columns, %d allowed: %s", columns(line), c.options.Width, line)
				}
			}
		})
	}
}

func TestColourOnlyDecorates(t *testing.T) {
	coloured := Render(progressing(), Options{Width: 100, Colour: true})
	for s := strong; s <= lively; s++ {
		coloured = strings.ReplaceAll(coloured, s.sequence(), "")
	}
	coloured = strings.ReplaceAll(coloured, "\x1b[0m", "")
	if plain := Render(progressing(), Options{Width: 100}); coloured != plain {
		t.Errorf("with the sequences taken off:\n%s\nplain:\n%s", coloured, plain)
	}
}

func TestHostileTextDoesNotReachTheTerminal(t *testing.T) {
	const attack = "\x1b]0;owned\x07\x1b[2J\u202etxet\nsecond line"
	tree := paused()
	r := tree.Rollout
	r.Annotations[v1alpha1.AnnotationRequestedBy] = attack
	r.Status.Message, r.Status.Step, r.Status.Weight, r.Status.Phase = attack, attack, attack, v1alpha1.Phase(attack)
	r.Status.Canary.Image, r.Status.Canary.Revision, r.Status.Canary.SourceRevision = attack, attack, attack
	r.Status.Steps[0], r.Status.Waiting.For = attack, attack
	r.Status.Routes[0].Name, r.Status.Routes[0].Message = attack, attack
	r.Status.Metrics[0] = v1alpha1.MetricStatus{Name: attack, Value: attack, Limit: attack, Message: attack, Verdict: v1alpha1.Verdict(attack)}
	r.Status.Request.User, r.Status.Request.Message, r.Status.Request.Outcome = attack, attack, attack
	r.Status.History[0].Reason, r.Status.History[0].Commit, r.Status.History[0].Outcome = attack, attack, v1alpha1.Outcome(attack)
	r.Status.Conditions = []metav1.Condition{{Type: attack, Status: metav1.ConditionStatus(attack), Reason: attack, Message: attack}}
	tree.Workload.Bypass, tree.Notes = attack, []string{attack}
	tree.Canary.Name, tree.Canary.Pods[0].State, tree.Canary.Pods[0].Name = attack, attack, attack
	for name, text := range map[string]string{
		"tree":  Render(tree, Options{}),
		"table": Table([]v1alpha1.Rollout{*r}, noon, Options{Wide: true, AllNamespaces: true}),
		"lines": strings.Join(Changes(checkout(), r, noon), "\n"),
	} {
		if strings.ContainsAny(text, "\x1b\x07\u202e") {
			t.Errorf("%s: %q", name, text)
		}
	}
}

func TestTable(t *testing.T) {
	other := checkout()
	other.Namespace, other.Name = "billing", "invoices"
	rollouts := []v1alpha1.Rollout{*progressing().Rollout, *other, *healthy().Rollout}
	Sort(rollouts)
	if rollouts[0].Namespace != "billing" {
		t.Errorf("first is %s/%s", rollouts[0].Namespace, rollouts[0].Name)
	}
	golden(t, "table", Table(rollouts[1:], noon, Options{}))
	golden(t, "table-narrow", Table(rollouts[1:], noon, Options{Width: 80}))
	golden(t, "table-wide", Table(rollouts, noon, Options{Wide: true, AllNamespaces: true}))
}

func TestChanges(t *testing.T) {
	quiet := progressing().Rollout
	quiet.Status.Metrics[0].MeasuredAt = ago(0)
	quiet.Status.Metrics[0].Value = "0.0020"
	failed := reverting().Rollout
	ended := reverting().Rollout
	ended.Status.History = append([]v1alpha1.AttemptRecord{{Attempt: 7, Outcome: v1alpha1.OutcomeFailed, Duration: "2m10s", Reason: "error-rate 7.2% > 1%"}}, ended.Status.History...)
	pushed := ended.DeepCopy()
	pushed.Status.History[0].Commit = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
	for name, c := range map[string]struct{ older, newer *v1alpha1.Rollout }{
		"first":   {nil, progressing().Rollout},
		"nothing": {progressing().Rollout, quiet},
		"failed":  {progressing().Rollout, failed},
		"ended":   {failed, ended},
		"pushed":  {ended, pushed},
		"refused": {progressing().Rollout, paused().Rollout},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Join(Changes(c.older, c.newer, noon.Add(90*time.Second)), "\n")
			golden(t, "changes-"+name, text+"\n")
		})
	}
}

// A bypass has the number of the attempt before it, so two records of the history have one.
func TestABypassIsToldOnce(t *testing.T) {
	failed := reverting().Rollout
	failed.Status.History = []v1alpha1.AttemptRecord{{Attempt: 7, Outcome: v1alpha1.OutcomeFailed, Commit: "0a1b2c3d"}}
	bypassed := failed.DeepCopy()
	bypassed.Status.History = append([]v1alpha1.AttemptRecord{{Attempt: 7, Outcome: v1alpha1.OutcomeBypassed, Reason: "let through unheld by a person: fire"}}, failed.Status.History...)
	if got := Changes(failed, bypassed, noon); len(got) != 1 || !strings.Contains(got[0], "attempt 7: Bypassed") {
		t.Errorf("told %q", got)
	}
	if got := Changes(bypassed, bypassed.DeepCopy(), noon); len(got) > 0 {
		t.Errorf("told again %q", got)
	}
}

func TestScreenRedrawsInPlace(t *testing.T) {
	var out bytes.Buffer
	height := 0
	screen := NewScreen(&out, func() int { return height })
	for _, step := range []struct {
		height     int
		draw, want string
	}{
		{0, "one\ntwo\n", "one\x1b[K\ntwo\x1b[K\n\x1b[J"},
		{0, "one\ntwo\n", ""},
		{0, "three\n", "\x1b[2A\rthree\x1b[K\n\x1b[J"},
		{4, "a\nb\nc\nd\n", "\x1b[1A\ra\x1b[K\nb\x1b[K\n… 2 more lines\x1b[K\n\x1b[J"},
	} {
		out.Reset()
		height = step.height
		if err := screen.Draw(step.draw); err != nil {
			t.Fatal(err)
		}
		if out.String() != step.want {
			t.Errorf("drawing %q gave %q, want %q", step.draw, out.String(), step.want)
		}
	}
}

func TestPlainDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 90 * time.Second: "1m30s", 10 * time.Minute: "10m", 24 * time.Hour: "24h", time.Hour + time.Second: "1h0m1s", 100 * time.Minute: "1h40m",
	} {
		if got := plainDuration(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
