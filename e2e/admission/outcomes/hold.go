package outcomes

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// merge is a person's merge patch.
func merge(patch string) func(*scene) error {
	return func(s *scene) error { return s.patch(types.MergePatchType, patch) }
}

// writes is the controller's merge patch.
func writes(patch string) func(*scene) error {
	return func(s *scene) error { return s.intend(patch) }
}

// image is a change of the template by whoever applies manifests.
func image(name string, lines ...string) func(*scene) error {
	return applies(declare(name, lines...))
}

// declare is the Deployment's manifest with more lines of spec.
func declare(image string, lines ...string) string {
	return strings.Replace(deploymentManifest(image), "  replicas: 1\n", "  replicas: 1\n  "+strings.Join(lines, "\n  ")+"\n", 1)
}

func annotated(key, value string) string {
	return strings.Replace(deploymentManifest("v2"), "{name: web}\n", "{name: web, annotations: {"+key+": "+value+"}}\n", 1)
}

func holdIntent(value any) func(*scene) error { return writes(annotation("belay.dev/hold", value)) }

const (
	label    = `{"metadata":{"labels":{"belay.dev/rollout":"web"}}}`
	unlabel  = `{"metadata":{"labels":{"belay.dev/rollout":null}}}`
	relabel  = `{"metadata":{"labels":{"belay.dev/rollout":"other"}}}`
	statused = `{"metadata":{"annotations":{"belay.dev/hold":null,"belay.dev/bypass":null}},"status":{"replicas":0}}`
)

// Each story begins with a Deployment of v1 that is governed and at rest.
var holdStories = map[string][]step{
	"held until the controller lets go": {
		{"v2", image("v2"), "image v2, paused; rollout web; hold 0.0/false"},
		{"v3 over it", image("v3"), "image v3, paused; rollout web; hold 0.0/false"},
		{"the controller's number", holdIntent("4.1/false"), "image v3, paused; rollout web; hold 4.1/false"},
		{"back to v1", image("v1"), "image v1, paused; rollout web; hold 4.1/false"},
		{"released", holdIntent(nil), "image v1; rollout web"},
	},
	"paused by Git before the change stays so afterwards": {
		{"paused", image("v1", "paused: true"), "image v1, paused; rollout web"},
		{"v2", image("v2", "paused: true"), "image v2, paused; rollout web; hold 0.0/true"},
		{"again", image("v2", "paused: true"), "image v2, paused; rollout web; hold 0.0/true"},
		{"numbered", holdIntent("4.1/true"), "image v2, paused; rollout web; hold 4.1/true"},
		{"released", holdIntent(nil), "image v2, paused; rollout web"},
	},
	"Git takes its own pause back in flight": {
		{"paused", image("v1", "paused: true"), "image v1, paused; rollout web"},
		{"v2", image("v2", "paused: true"), "image v2, paused; rollout web; hold 0.0/true"},
		{"no longer declared", image("v2"), "image v2, paused; rollout web; hold 0.0/false; contested-by agent"},
		{"again", image("v2"), "image v2, paused; rollout web; hold 0.0/false; contested-by agent"},
		{"released", holdIntent(nil), "image v2; rollout web"},
	},
	"the label is the controller's": {
		{"forged", merge(relabel), "image v1; rollout web"},
		{"dropped", merge(unlabel), "image v1; rollout web"},
		{"dropped with all labels", merge(`{"metadata":{"labels":null}}`), "image v1; rollout web"},
		{"dropped together with a change", merge(strings.Replace(unlabel, "{", `{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":1}}},`, 1)),
			"image v1, paused; rollout web; hold 0.0/false"},
		{"taken off by the controller, which ends the hold too", writes(unlabel), "image v1"},
		{"forged where there is none", merge(label), "image v1"},
		{"v2 starts at once", image("v2"), "image v2"},
	},
	"leaving a workload held for good is an ordinary pause": {
		{"v2", image("v2"), "image v2, paused; rollout web; hold 0.0/false"},
		{"saved as paused", holdIntent("4.9/true"), "image v2, paused; rollout web; hold 4.9/true"},
		{"let go", writes(`{"metadata":{"labels":{"belay.dev/rollout":null},"annotations":{"belay.dev/hold":null}}}`), "image v2, paused"},
	},
	"ignored annotations are no release": {
		{"restart", merge(`{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"now"}}}}}`), "image v1; rollout web"},
		{"another annotation is", merge(`{"spec":{"template":{"metadata":{"annotations":{"example.com/a":"1"}}}}}`), "image v1, paused; rollout web; hold 0.0/false"},
		{"released", holdIntent(nil), "image v1; rollout web"},
		{"a list by the controller", writes(annotation("belay.dev/ignore-template-changes", "example.com/a, example.com/b")),
			"image v1; rollout web; ignore-template-changes example.com/a, example.com/b"},
		{"both of them change", merge(`{"spec":{"template":{"metadata":{"annotations":{"example.com/a":null,"example.com/b":"1"}}}}}`),
			"image v1; rollout web; ignore-template-changes example.com/a, example.com/b"},
		{"a person's list does not count", merge(annotation("belay.dev/ignore-template-changes", "kubectl.kubernetes.io/restartedAt")),
			"image v1; rollout web; ignore-template-changes example.com/a, example.com/b"},
		{"a restart is not on the list", merge(`{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"then"}}}}}`),
			"image v1, paused; rollout web; hold 0.0/false; ignore-template-changes example.com/a, example.com/b"},
		{"released, with an empty list", writes(`{"metadata":{"annotations":{"belay.dev/hold":null,"belay.dev/ignore-template-changes":""}}}`),
			"image v1; rollout web; ignore-template-changes"},
		{"which ignores nothing", merge(`{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"once more"}}}}}`),
			"image v1, paused; rollout web; hold 0.0/false; ignore-template-changes"},
	},
	"a bypass lets one change through": {
		{"with a reason", applies(annotated("belay.dev/bypass", "outage 12")), "image v2; rollout web; bypass outage 12; bypassed outage 12"},
		{"the same reason is used up", image0("belay.dev/bypass", "outage 12", "v3"), "image v3, paused; rollout web; hold 0.0/false; bypass outage 12; bypassed outage 12"},
		{"in flight a new one opens nothing", image0("belay.dev/bypass", "outage 13", "v4"), "image v4, paused; rollout web; hold 0.0/false; bypass outage 13; bypassed outage 12"},
		{"released", holdIntent(nil), "image v4; rollout web; bypass outage 13; bypassed outage 12"},
		{"bypassed is not a person's to write", merge(annotation("belay.dev/bypassed", "outage 13")), "image v4; rollout web; bypass outage 13; bypassed outage 12"},
		{"so the new reason still counts", image0("belay.dev/bypass", "outage 13", "v5"), "image v5; rollout web; bypass outage 13; bypassed outage 13"},
		{"the controller tidies up", writes(annotation("belay.dev/bypassed", nil)), "image v5; rollout web; bypass outage 13"},
	},
	"a bypass from before the label is used up by the label": {
		{"not governed", writes(unlabel), "image v1"},
		{"laid in advance", merge(annotation("belay.dev/bypass", "just in case")), "image v1; bypass just in case"},
		{"governed", writes(label), "image v1; rollout web; bypass just in case; bypassed just in case"},
		{"v2", merge(`{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":1}}}}`), "image v1, paused; rollout web; hold 0.0/false; bypass just in case; bypassed just in case"},
	},
	"the status subresource is no way around": {
		{"v2", image("v2"), "image v2, paused; rollout web; hold 0.0/false"},
		{"status", status(statused), "image v2, paused; rollout web; hold 0.0/false; contested-by alice"},
		{"agent", image("v2"), "image v2, paused; rollout web; hold 0.0/false; contested-by alice"},
	},
	"only the template is a release": {
		{"replicas", merge(`{"spec":{"replicas":3}}`), "image v1; rollout web"},
		{"strategy", merge(`{"spec":{"strategy":{"rollingUpdate":{"maxSurge":2}},"minReadySeconds":1}}`), "image v1; rollout web"},
		{"a quantity written in another way", applies(strings.Replace(deploymentManifest("v1"), "1000m", `"1"`, 1)), "image v1; rollout web"},
		{"labels of pods are", merge(`{"spec":{"template":{"metadata":{"labels":{"a":"b"}}}}}`), "image v1, paused; rollout web; hold 0.0/false"},
	},
	"contested-by tells the last one": {
		{"v2", image("v2"), "image v2, paused; rollout web; hold 0.0/false"},
		{"agent", image("v2", "paused: false"), "image v2, paused; rollout web; hold 0.0/false; contested-by agent"},
		{"alice", merge(`{"spec":{"paused":false}}`), "image v2, paused; rollout web; hold 0.0/false; contested-by alice"},
		{"alice blames another", merge(annotation("belay.dev/contested-by", "bob")), "image v2, paused; rollout web; hold 0.0/false; contested-by alice"},
		{"the controller has read it", writes(annotation("belay.dev/contested-by", nil)), "image v2, paused; rollout web; hold 0.0/false"},
		{"a person makes one up", merge(annotation("belay.dev/contested-by", "bob")), "image v2, paused; rollout web; hold 0.0/false"},
		{"released", holdIntent(nil), "image v2; rollout web"},
	},
}

func holdsAsTold(t *testing.T, w World) {
	for name, story := range holdStories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := w.scene(t, deploymentManifest("v1"))
			s.reapply()
			s.must(s.intend(label))
			s.follow(story)
		})
	}
}

// image0 applies a manifest with an annotation and an image.
func image0(key, value, image string) func(*scene) error {
	return applies(strings.Replace(annotated(key, value), "image: v2", "image: "+image, 1))
}

func status(patch string) func(*scene) error {
	return func(s *scene) error {
		_, err := s.objects(person).Patch(s.t.Context(), "web", types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "tool"}, "status")
		return err
	}
}

// follow plays a story.
func (s *scene) follow(story []step) {
	s.t.Helper()
	for _, step := range story {
		if err := step.write(s); err != nil {
			s.t.Fatalf("%s: %v", step.does, err)
		}
		if got := formOf(s.get()); got != step.form {
			s.t.Fatalf("%s: the stored form is\n  %s\nnot\n  %s", step.does, got, step.form)
		}
	}
}

// On CREATE nothing of ours may be brought.
func holdOnCreate(t *testing.T, w World) {
	t.Parallel()
	manifest := strings.Replace(deploymentManifest("v1"), "{name: web}\n",
		`{name: web, labels: {belay.dev/rollout: web, team: a}, annotations: {belay.dev/hold: 7.1/false, belay.dev/bypassed: x, belay.dev/ignore-template-changes: a, belay.dev/contested-by: b}}`+"\n", 1)
	s := w.scene(t, strings.Replace(manifest, "  replicas: 1\n", "  replicas: 1\n  paused: true\n", 1))
	s.reapply()
	s.wants("image v1")
	if got := s.get().GetLabels(); len(got) != 1 || got["team"] != "a" {
		t.Errorf("labels are %v", got)
	}
}
