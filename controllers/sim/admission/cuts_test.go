package admission_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/belay-dev/belay/controllers/sim/admission"
)

// What stands in the policies' text is what decides: with a piece of it taken out or turned round, the story that relies on
// it comes out otherwise.
func TestAPieceMissingGivesAnotherOutcome(t *testing.T) {
	for _, cut := range []struct{ files, text, by, story string }{
		{"hold", "      operations: [CREATE, UPDATE]\n      # The status subresource stores annotations too, so it would be a way around.\n      resources: [deployments, deployments/status]\n  matchConditions:\n  # The label",
			"      operations: [CREATE, UPDATE]\n      resources: [deployments]\n  matchConditions:\n  # The label", "hold: the status subresource is no way around"},
		{"hold", "!(k in variables.ignored)", "true", "hold: a new template waits until the controller lets go"},
		{"hold fence", "(variables.ours ? variables.labels : variables.oldLabels)[?'belay.dev/rollout']", "variables.labels[?'belay.dev/rollout']", "hold: a new template waits until the controller lets go"},
		{"hold", "variables.new != '' ? [variables.new.endsWith('/true')] :\n      variables.old != '' ? [variables.old.endsWith('/true')] : []", "[false]", "hold: paused by Git stays so afterwards"},
		{"hold verbs", "&& variables.reason != variables.oldNotes[?'belay.dev/bypassed'].orValue('')", "", "bypass: one change goes through, for who may"},
		{"hold verbs", ".check('bypass')", ".check('pause')", "bypass: one change goes through, for who may"},
		{"pin fence", "variables.ours && !variables.late ? variables.new : variables.old", "variables.new", "pin: the selector follows the intent"},
		{"pin fence", "variables.stale.map(k, JSONPatch{op: \"remove\", path: \"/spec/selector/\" + k}) +", "", "pin: the selector follows the intent"},
		{"split fence", "variables.ours && !variables.late ? variables.new : variables.old", "variables.new", "split: the backends follow the intent"},
		{"split fence", "f[1][1] < f[0][1]", "f[1][1] > f[0][1]", "split: the backends follow the intent"},
		{"hold fence", "f[0][0] == f[1][0] && f[0][1] < f[1][1]", "false", "hold: a new template waits until the controller lets go"},
		{"pin fence", "f[0][0] == f[1][0] && f[0][1] < f[1][1]", "false", "pin: the selector follows the intent"},
		{"split fence", "f[0][0] == f[1][0] && f[0][1] < f[1][1]", "false", "split: the backends follow the intent"},
		{"pin fence", "size(variables.lowered) == 0", "true", "pin: the selector follows the intent"},
		{"verbs", "'promote-full': 'promote'", "'promote-full': 'pause', 'abort': 'pause'", "verbs: a request needs its verb, and has its writer's name beside it"},
		{"verbs", "variables.oldNotes[?'belay.dev/requested-by'].hasValue() ?", "false ?", "verbs: a request needs its verb, and has its writer's name beside it"},
		{"created", "variables.pin.filter(p, object.spec", "variables.pin.filter(p, false && object.spec", "created: a Service from a copy taken in flight"},
		{"created", "w == 0 ? 0 : w < variables.scale ? 1 : (w + variables.scale / 2) / variables.scale", "w", "created: a route from a copy taken in flight"},
		{"created pin split recreated", "    selector:\n      matchLabels:\n        belay.dev/attempt: \"true\"", "    selector:\n      matchLabels:\n        belay.dev/attempt: \"false\"", "recreated: a Service is pinned again"},
		{"created pin split recreated", "(k + '=' + object.spec.selector[k]) in", "true || (k + '=' + object.spec.selector[k]) in", "recreated: a Service that selects something else is not"},
		{"created pin split recreated hold", "name: belay-split-recreated\nspec:\n  policyName: belay-split", "name: belay-split-recreated\nspec:\n  policyName: belay-hold", "recreated: a route is split again, without traffic"},
	} {
		t.Run(cut.story+", without "+cut.text[:min(len(cut.text), 40)], func(t *testing.T) {
			documents, found := shipped(t, strings.Fields(cut.files)...), 0
			for i, text := range documents {
				found += bytes.Count(text, []byte(cut.text))
				documents[i] = bytes.ReplaceAll(text, []byte(cut.text), []byte(cut.by))
			}
			if found == 0 {
				t.Fatal("no policy has this text")
			}
			policies, err := admission.Compile(documents...)
			if err != nil {
				t.Fatal(err)
			}
			err = stories[cut.story].play(policies)
			if err == nil {
				t.Fatal("the story comes out as before")
			}
			t.Log(err)
		})
	}
}
