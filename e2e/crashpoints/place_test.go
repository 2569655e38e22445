package crashpoints

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/proxy"
)

// namer names each write of one shop's controller by what it is for, so that a write of one run is found again in another
// one: numbers would not do, since writes that are refused are made again and reports come as time passes.
type namer struct {
	mu sync.Mutex
	// recorded is status.progress as it was accepted last.
	recorded map[string]any
	accepted map[string]int
}

// name of a write. settle is to be called when its answer is known: one that was refused comes again under its name.
func (n *namer) name(w *proxy.Write) (name string, settle func(accepted bool)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var body map[string]any
	_ = json.Unmarshal(w.Body, &body) // what Kubernetes itself has as a type comes in a form of its own
	what, progress := n.what(w, body)
	name = what
	if before := n.accepted[what]; before > 0 {
		name += fmt.Sprintf(" (%d)", before+1)
	}
	return name, func(accepted bool) {
		n.mu.Lock()
		defer n.mu.Unlock()
		if !accepted {
			return
		}
		if n.accepted == nil {
			n.accepted = map[string]int{}
		}
		n.accepted[what]++
		n.recorded = progress
	}
}

// plain is a name without the number of those that came again.
func plain(name string) string {
	before, _, _ := strings.Cut(name, " (")
	return before
}

// what a write is, and what is remembered when it was accepted.
func (n *namer) what(w *proxy.Write, body map[string]any) (string, map[string]any) {
	parts := strings.Split(w.Object, "/")
	if parts[0] != "rollouts" || parts[len(parts)-1] != "status" {
		return strings.Join(append([]string{strings.ToLower(w.Method), parts[0]}, said(body)...), " "), n.recorded
	}
	status, _ := body["status"].(map[string]any)
	progress, _ := status["progress"].(map[string]any)
	if progress["sequence"] == n.recorded["sequence"] {
		return report + strings.TrimSuffix(" "+placeOf(progress), " "), progress
	}
	return "record " + change(n.recorded, progress), progress
}

// report begins the names of writes that change nothing of what the controller remembers: they are for people.
const report = "report"

// change is what a record changes: the stage or the step, or else its other parts.
func change(was, is map[string]any) string {
	if place := placeOf(is); place != placeOf(was) {
		return place
	}
	var parts []string
	keys := maps.Clone(was)
	maps.Copy(keys, is)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		a, _ := json.Marshal(was[key])
		b, _ := json.Marshal(is[key])
		switch {
		case string(a) == string(b) || key == "sequence" || strings.HasSuffix(key, "Since") && key != "programmedSince" || key == "readyHighWater":
		case key == "revert":
			parts = append(parts, fmt.Sprint("revert ", is["revert"].(map[string]any)["state"]))
		case key == "programmedSince":
			parts = append(parts, placeOf(is)+" programmed")
		default:
			parts = append(parts, key)
		}
	}
	return strings.Join(parts, ", ")
}

// placeOf a record.
func placeOf(progress map[string]any) string {
	place, _ := progress["stage"].(string)
	switch place {
	case string(v1alpha1.StageStepping):
		place += fmt.Sprintf(" %v", progress["step"])
	case string(v1alpha1.StageResting):
		if attempt, _ := progress["attempt"].(float64); attempt > 0 {
			place += " again"
		}
	}
	return place
}

// said is what a patch says, in a few words.
func said(patch map[string]any) []string {
	var out []string
	metadata, _ := patch["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		word, ours := strings.CutPrefix(key, "belay.dev/")
		switch value, _ := annotations[key].(string); {
		case value == "" || strings.HasSuffix(value, "/-"): // an intent is taken away by a fence without an intent
			out = append(out, "-"+word)
		case ours:
			out = append(out, "+"+word+weight(key, value))
		}
	}
	if refs, _ := metadata["ownerReferences"].([]any); len(refs) > 0 {
		out = append(out, fmt.Sprint("of ", refs[0].(map[string]any)["kind"]))
	}
	if spec, _ := patch["spec"].(map[string]any); spec["replicas"] != nil {
		out = append(out, fmt.Sprint("replicas ", spec["replicas"]))
	}
	if metadata["finalizers"] != nil {
		out = append(out, "finalizer")
	}
	return out
}

// weight that a split gives the canary, as " 50/100".
func weight(key, intent string) string {
	fields := strings.Split(intent, "/")
	if key != v1alpha1.AnnotationSplit || len(fields) < 2 {
		return ""
	}
	return " " + strings.Join(fields[len(fields)-2:], "/")
}
