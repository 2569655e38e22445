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
const withinSeeds = 60

// mutant is a defect that somebody could bring in: one piece of text of one file, replaced.
type mutant struct {
	name string
	file string // from the root of the module
	text string // what stands there, exactly once
	with string // what stands there instead
}

// mutants of the policies are simulated in this process.
var policyMutants = []mutant{
	{"no fence on what is written", "config/policies/fence.yaml", `expression: "size(variables.lowered) == 0"`, `expression: "true"`},
	{"no fence on what is taken away", "config/policies/pin.yaml", `(f[0][0] == f[1][0] && f[0][1] < f[1][1])`, `false`},
	{"a hold that anybody takes off", "config/policies/hold.yaml",
		`(variables.old != '' ? !variables.ours || variables.new != '' || variables.late : variables.changed && !variables.bypassing)`,
		`(variables.old != '' ? variables.new != '' : variables.changed && !variables.bypassing)`},
	{"a template that is not compared", "config/policies/hold.yaml", `"size(variables.templates) == 2 && variables.templates[0] != variables.templates[1]"`, `"false"`},
	{"a pin that a re-apply takes off", "config/policies/pin.yaml",
		`variables.ours && !variables.late ? variables.new : variables.old`, `variables.new`},
	{"a split that a re-apply takes off", "config/policies/split.yaml",
		`variables.ours && !variables.late ? variables.new : variables.old`, `variables.new`},
	{"a route that comes back as it was exported", "config/policies/created.yaml", `"request.userInfo.username != 'system:serviceaccount:belay-system:belay'"`, `"false"`},
}

// mutants of the controller are compiled by the go tool, with the file replaced.
var codeMutants = []mutant{
	{"no precondition on routes", "routers/httproute/httproute.go", `"resourceVersion": resourceVersion, "annotations": annotations,`, `"annotations": annotations,`},
	{"acts before it records", "controllers/reconciler.go", `		return r.record(ctx, scene, decided)
	}
	return r.act(`, `		ahead := scene.Observed
		ahead.Progress = *decided.Progress
		_ = r.Applier.Apply(ctx, scene, plan.Decide(ahead).Effects)
		return r.record(ctx, scene, decided)
	}
	return r.act(`},
	{"advances before it has baked", "controllers/plan/rules.go", `	{"stepUnfinished", stepUnfinished},     // bake and verdicts
	{"waitingForPerson", waitingForPerson}, // paused, inconclusive, frozen
	{"stepFinished", stepFinished},         // next rung`, `	{"stepFinished", stepFinished},         // next rung
	{"waitingForPerson", waitingForPerson}, // paused, inconclusive, frozen
	{"stepUnfinished", stepUnfinished},     // bake and verdicts`},
	{"raises the weight before it looks for lost pods", "controllers/plan/rules.go", `	{"canaryLost", canaryLost},             // weight without a ready pod: to zero at once`, `	// {"canaryLost", canaryLost},`},
}

// The simulation notices what is taken away.
func TestMutants(t *testing.T) {
	if raced {
		t.Skip("without the race detector this is a matter of a minute")
	}
	for _, m := range policyMutants {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			p, err := assemble(func(name string, text []byte) []byte {
				if name != filepath.Base(m.file) {
					return text
				}
				return m.apply(t, text)
			})
			if err != nil {
				t.Fatal(err)
			}
			for seed := range uint64(withinSeeds) {
				w := simulate(t, p, seed+1)
				if len(w.violations) == 0 {
					continue
				}
				if sound := simulate(t, assembled(t), seed+1); len(sound.violations) > 0 {
					t.Fatalf("seed %d fails without the defect, too: %s", seed+1, sound.violations[0].text)
				}
				t.Logf("seed %d: %s: %s", seed+1, w.violations[0].law, w.violations[0].text)
				return
			}
			t.Errorf("%d seeds, and nothing was noticed", withinSeeds)
		})
	}
	for _, m := range codeMutants {
		t.Run(m.name, m.compiled)
	}
}

func (m mutant) apply(t *testing.T, text []byte) []byte {
	t.Helper()
	if bytes.Count(text, []byte(m.text)) != 1 {
		t.Fatalf("%s has %d places like %q", m.file, bytes.Count(text, []byte(m.text)), m.text)
	}
	return bytes.Replace(text, []byte(m.text), []byte(m.with), 1)
}

// compiled runs the seeds on a controller with the defect.
func (m mutant) compiled(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, m.file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := filepath.Join(t.TempDir(), filepath.Base(m.file))
	if err := os.WriteFile(changed, m.apply(t, text), 0o600); err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{file: changed}})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), "go", "test", "-overlay="+list, "-run=^TestSeeds$", "-count=1", ".", "-sim.first", fmt.Sprint("-sim.seeds=", withinSeeds))
	said, err := run.CombinedOutput()
	at := bytes.Index(said, []byte("breaks"))
	if err == nil || at < 0 {
		t.Fatalf("%d seeds, and nothing was noticed: %v\n%s", withinSeeds, err, said[max(0, len(said)-2000):])
	}
	t.Log(strings.Join(strings.Split(string(said[max(0, at-60):]), "\n")[:3], "\n"))
}
