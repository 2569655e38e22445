package plan

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// tale is a story before it is told: how the world is at its beginning, and what happens in it, in order.
type tale struct {
	begin      func(*world)
	happenings []happening
	// unserved: there is no stable pod, by intention, so a new template must not be blocked and nobody is served meanwhile.
	unserved bool
	// or is another end to which it may come when neighbours take their time, or the write before something happens is refused.
	or string
}

// tales are all stories, by name.
func tales() map[string]tale {
	out := map[string]tale{}
	for _, some := range []map[string]tale{releases(), aborts(), troubles(), interruptions(), reverts(), climbs()} {
		maps.Copy(out, some)
	}
	return out
}

// story of a tale, in a new shop.
func (t tale) story(to teller) *story {
	s := newStory(to, t.begin, t.happenings...)
	s.unserved = t.unserved
	return s
}

func TestStories(t *testing.T) {
	for name, tale := range tales() {
		t.Run(name, func(t *testing.T) {
			s := tale.story(t).run()
			s.golden(name)
			s.rescue()
		})
	}
}

// A transcript that no story writes says nothing.
func TestEveryTranscriptHasItsStory(t *testing.T) {
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var written []string
	for name := range tales() {
		written = append(written, transcript(name))
	}
	for _, f := range files {
		if !f.IsDir() && !slices.Contains(written, f.Name()) {
			t.Errorf("testdata/%s is no story's transcript: delete it", f.Name())
		}
	}
}

// transcript is the file of a story.
func transcript(name string) string {
	return filepath.Base(strings.ReplaceAll(strings.ReplaceAll(name, ",", ""), " ", "-") + ".txt")
}

// What happens in stories.

func happens(say string, when func(Observed, Plan) bool, do func(*world)) happening {
	return happening{say, when, do}
}

// pushes has a version committed and applied.
func pushes(version string, when func(Observed, Plan) bool) happening {
	return happens(version+" is pushed", when, func(w *world) { w.push(version) })
}

var v2Shipped = pushes("v2", quiet)

// personSays writes a request.
func personSays(verb, revision string, when func(Observed, Plan) bool) happening {
	return happens("a person says "+verb, when, func(w *world) {
		w.made++
		w.request = &Request{Verb: verb, Revision: revision, Token: verb + "-" + w.now.Format("150405"), User: "jo"}
	})
}

// loses takes every pod of a version away; regains brings them back.
func loses(version string, when func(Observed, Plan) bool) happening {
	return happens("every pod of "+version+" is lost", when, func(w *world) { w.lost[version] = true })
}

func regains(version string, when func(Observed, Plan) bool) happening {
	return happens("the pods of "+version+" are back", when, func(w *world) { w.lost[version] = false })
}

func suspends(suspend bool, when func(Observed, Plan) bool) happening {
	say := "the Rollout is taken up again"
	if suspend {
		say = "the Rollout is suspended"
	}
	return happens(say, when, func(w *world) { w.suspend = suspend })
}

func deletes(when func(Observed, Plan) bool) happening {
	return happens("the Rollout is deleted", when, func(w *world) { w.deleting = true })
}

// How a world may be at its beginning.

// fails has the metric fail for v2; lacks has it stay without a conclusion.
func fails(w *world) { w.verdicts["v2"] = v1alpha1.VerdictFail }
func lacks(w *world) { w.verdicts["v2"] = v1alpha1.VerdictInconclusive }

// measures has the metric say something for a version; sick has its pods never get ready.
func measures(version string, v v1alpha1.Verdict) func(*world) {
	return func(w *world) { w.verdicts[version] = v }
}

func sick(version string) func(*world) { return func(w *world) { w.sick[version] = true } }

// approving has a person between the first step and the last.
func approving(onTimeout v1alpha1.TimeoutAction) func(*world) {
	return func(w *world) {
		w.live.config.Ladder = []Step{
			{Permille: 100, Bake: time.Minute},
			{Permille: 100, Approve: true, Timeout: time.Hour, OnTimeout: onTimeout},
			{Permille: 1000, Appended: true},
		}
	}
}

// The usual moments of a story.

func atRule(rule string) func(Observed, Plan) bool {
	return func(_ Observed, p Plan) bool { return p.Rule == rule }
}

// quiet is when everything is quiet.
func quiet(o Observed, p Plan) bool {
	return o.Progress.Stage == v1alpha1.StageResting && p.Progress == nil && len(p.Effects) == 0
}

// comesUnderGuard is when the workload is labelled, or was the last time that somebody looked.
func comesUnderGuard(o Observed, p Plan) bool {
	return o.Finalizer && (o.Workload.Governor == "" || p.Rule == "adopting")
}

// bakes is when step n bakes.
func bakes(n int32) func(Observed, Plan) bool {
	return func(o Observed, p Plan) bool {
		return o.Progress.Step == n && p.Rule == "stepUnfinished" && p.Progress == nil && o.Progress.ProgrammedSince != nil
	}
}

func inStage(stage v1alpha1.Stage) func(Observed, Plan) bool {
	return func(o Observed, _ Plan) bool { return o.Progress.Stage == stage }
}

// isEnding is when an attempt is taken down.
func isEnding(o Observed, _ Plan) bool { return o.ending() }

// waitsIn is when nothing is to be done in a stage.
func waitsIn(stage v1alpha1.Stage) func(Observed, Plan) bool {
	return func(o Observed, p Plan) bool {
		return o.Progress.Stage == stage && p.Progress == nil && !changes(p.Effects)
	}
}

// inDoubt is when an attempt waits for a person because the metrics led nowhere.
func inDoubt(o Observed, p Plan) bool { return o.Progress.Inconclusive != "" && p.Progress == nil }

// atHandOver is when the hand-over says a sentence.
func atHandOver(reason string) func(Observed, Plan) bool {
	return func(_ Observed, p Plan) bool { return p.Rule == "handOver" && p.Reason == reason }
}

const (
	adopts = "the workload takes the canary's ReplicaSet over"
	letsGo = "the hold goes: the canary's pods are the workload's own"
)
