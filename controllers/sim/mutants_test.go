package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// withinSeeds is how many seeds the simulation has to notice that something is missing.
const withinSeeds = 1000

// mutant is a defect that somebody could bring in. Every story of it has the named faults, so that it need not wait for
// seeds that draw them.
type mutant struct {
	name, with string
	edits      []edit
}

// edit replaces text that stands in a file exactly once.
type edit struct{ file, text, with string }

const (
	unheld = `(variables.old != '' ? !variables.ours || variables.new != '' || variables.late : variables.changed && !variables.bypassing)`
	intent = `variables.ours && !variables.late ? variables.new : variables.old`
)

var mutants = []mutant{
	{"a template that is not held", "", []edit{
		{"config/policies/hold.yaml", `"size(variables.templates) == 2 && variables.templates[0] != variables.templates[1]"`, `"false"`}}},
	{"a hold that anybody takes off", "people with kubectl", []edit{
		{"config/policies/hold.yaml", unheld, `(variables.old != '' ? variables.new != '' : variables.changed && !variables.bypassing)`}}},
	{"a pin that anybody takes off", "people with kubectl", []edit{{"config/policies/pin.yaml", intent, `variables.new`}}},
	{"a split that anybody changes", "people with kubectl", []edit{{"config/policies/split.yaml", intent, `variables.new`}}},
	{"no fence", "frozen leader,two leaders,stale reads", []edit{
		{"config/policies/fence.yaml", `expression: "size(variables.lowered) == 0"`, `expression: "true"`},
		{"config/policies/pin.yaml", intent, `variables.ours ? variables.new : variables.old`},
		{"config/policies/split.yaml", intent, `variables.ours ? variables.new : variables.old`},
		{"config/policies/hold.yaml", unheld, `(variables.old != '' ? !variables.ours || variables.new != '' : variables.changed && !variables.bypassing)`},
		{"controllers/reconciler.go", `if changing(effects) == 0 || apply.Clears(effects) {`, `if true {`}}},
	{"no precondition on routes", "frozen leader,two leaders", []edit{
		{"routers/httproute/httproute.go", `"resourceVersion": resourceVersion, "annotations": annotations,`, `"annotations": annotations,`}}},
	{"acts before it records", "crashes,conflicts", []edit{
		{"controllers/reconciler.go", `		return r.record(ctx, scene, decided)
	}
	return r.act(`, `		ahead := scene.Observed
		ahead.Progress = *decided.Progress
		_ = r.Applier.Apply(ctx, scene, plan.Decide(ahead).Effects)
		return r.record(ctx, scene, decided)
	}
	return r.act(`}}},
	{"two rules swapped: the next step before the bake", "", []edit{
		{"controllers/plan/rules.go", `	{"stepUnfinished", stepUnfinished}, `, `	{"stepFinished", stepFinished}, {"stepUnfinished", stepUnfinished}, `}}},
	{"two rules swapped: traffic before a lost canary", "vanishing pods,flapping pods", []edit{
		{"controllers/plan/rules.go", `	{"canaryLost", canaryLost}, `, `	{"handOver", handOver}, {"trafficPending", trafficPending}, {"canaryLost", canaryLost}, `}}},
	{"found: Services unpinned beside pods that nobody owns", "people with kubectl", []edit{
		{"controllers/plan/ending.go", `	case !exists && o.CanaryPods > 0:`, `	case false:`}}},
	{"found: an attempt ends while the workload may take its canary over", "two leaders,clock jumps", []edit{
		{"controllers/plan/ending.go", `	if o.Progress.Stage == v1alpha1.StageHandingOver && o.adoptable() {`, `	if false {`}}},
	{"found: a record without a stage", "people with kubectl,impatient people", []edit{
		{"controllers/plan/plan.go", `	if p.Stage == "" {`, `	if false {`}}},
}

// The simulation notices what is taken away, and what it found once it would find again.
func TestMutants(t *testing.T) {
	if raced || testing.Short() {
		t.Skip("twelve controllers are compiled and simulated: with make test, once, without the race detector")
	}
	for _, m := range mutants {
		t.Run(m.name, m.noticed)
	}
}

// noticed runs seeds on a controller with the defect, compiled by the go tool with files replaced, until a law is broken. The
// same seed has to be sound without it.
func (m mutant) noticed(t *testing.T) {
	seeds := []string{"test", "-count=1", "-run=^TestSeeds$", "."}
	flags := []string{"-args", "-sim.first", "-sim.with=" + m.with}
	said := run(t, append(append(append(seeds[:1:1], m.overlay(t)...), seeds[1:]...), append(flags, fmt.Sprint("-sim.seeds=", withinSeeds), "-sim.policies="+m.policies(t))...))
	at := bytes.Index(said, []byte("seed "))
	if at < 0 || !bytes.Contains(said, []byte("breaks")) {
		t.Fatalf("%d seeds, and nothing was noticed:\n%s", withinSeeds, said[max(0, len(said)-2000):])
	}
	story := strings.SplitN(string(said[at:]), "\n", 3)
	var seed uint64
	if _, err := fmt.Sscanf(story[0], "seed %d", &seed); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s %s", story[0], strings.TrimSpace(story[1]))
	p := assembled(t)
	p.With = strings.Split(m.with, ",")
	if sound := simulate(t, p, seed); len(sound.violations) > 0 {
		t.Errorf("seed %d breaks a law without the defect, too: %s", seed, sound.violations[0].text)
	}
}

func run(t *testing.T, args []string) []byte {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput()
	if err == nil {
		t.Fatalf("%d seeds, and nothing was noticed:\n%s", withinSeeds, said[max(0, len(said)-2000):])
	}
	return said
}

// overlay replaces the edited Go files for the go tool.
func (m mutant) overlay(t *testing.T) []string {
	t.Helper()
	replaced := map[string]string{}
	for _, e := range m.edits {
		if filepath.Ext(e.file) != ".go" {
			continue
		}
		path, err := filepath.Abs(filepath.Join("../..", e.file))
		if err != nil {
			t.Fatal(err)
		}
		replaced[path] = filepath.Join(t.TempDir(), filepath.Base(e.file))
		write(t, replaced[path], e.apply(t))
	}
	list, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "overlay.json")
	write(t, name, list)
	return []string{"-overlay=" + name}
}

// policies is a folder with the edited policies and all others.
func (m mutant) policies(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	texts, names, err := read("../../config/policies/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		for _, e := range m.edits {
			if e.file == "config/policies/"+name {
				texts[i] = e.apply(t)
			}
		}
		write(t, filepath.Join(dir, name), texts[i])
	}
	return dir
}

func (e edit) apply(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", e.file))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte(e.text)); n != 1 {
		t.Fatalf("%s has %d places like %q: the defect is to be written anew", e.file, n, e.text)
	}
	return bytes.Replace(text, []byte(e.text), []byte(e.with), 1)
}

func write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
