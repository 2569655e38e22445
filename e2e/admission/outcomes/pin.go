package outcomes

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

func pins(intent any) func(*scene) error { return writes(annotation("belay.dev/pin", intent)) }

const one = "app=web, pod-template-hash=abc12; pin 7.1/pod-template-hash=abc12"

// Each story begins with a Service at rest.
var pinStories = map[string][]step{
	"pinned, pinned to another revision, unpinned": {
		{"one", pins("7.1/pod-template-hash=abc12"), one},
		{"another", pins("7.2/pod-template-hash=def34"), "app=web, pod-template-hash=def34; pin 7.2/pod-template-hash=def34"},
		{"another key", pins("8.0/controller-revision-hash=web-5"), "app=web, controller-revision-hash=web-5; pin 8.0/controller-revision-hash=web-5"},
		{"none", pins(nil), "app=web"},
	},
	"a person writes the key": {
		{"pinned", pins("7.1/pod-template-hash=abc12"), one},
		{"another value", merge(`{"spec":{"selector":{"pod-template-hash":"canary"}}}`), one + "; contested-by alice"},
		{"no key", merge(`{"spec":{"selector":{"pod-template-hash":null}}}`), one + "; contested-by alice"},
		{"the controller has read it", writes(annotation("belay.dev/contested-by", nil)), one},
		{"no key is Git's form", merge(`{"spec":{"selector":{"pod-template-hash":null}}}`), one},
		{"another selector", merge(`{"spec":{"selector":{"app":null,"tier":"front"}}}`), "pod-template-hash=abc12, tier=front; pin 7.1/pod-template-hash=abc12"},
		{"no annotations at all", merge(`{"metadata":{"annotations":null}}`), "pod-template-hash=abc12, tier=front; pin 7.1/pod-template-hash=abc12; contested-by alice"},
		{"unpinned", pins(nil), "tier=front"},
	},
	"endpoints from somewhere else": {
		{"pinned", pins("7.1/pod-template-hash=abc12"), one},
		{"no selector", merge(`{"spec":{"selector":null}}`), "; pin 7.1/pod-template-hash=abc12"},
		{"a selector again", merge(`{"spec":{"selector":{"app":"web"}}}`), one},
		{"unpinned", pins(nil), "app=web"},
	},
	"Git's own key of that name is left alone when nothing was pinned": {
		{"its own", merge(`{"spec":{"selector":{"pod-template-hash":"mine"}}}`), "app=web, pod-template-hash=mine"},
		{"a forged intent", merge(annotation("belay.dev/pin", "1.1/pod-template-hash=yours")), "app=web, pod-template-hash=mine"},
	},
	"the controller's own unparsable intent is none": {
		{"pinned", pins("7.1/pod-template-hash=abc12"), one},
		{"nonsense", pins("7.2/pod-template-hash=NO"), "app=web"},
	},
	"the status subresource is no way around": {
		{"pinned", pins("7.1/pod-template-hash=abc12"), one},
		{"status", status(`{"metadata":{"annotations":null},"spec":{"selector":{"pod-template-hash":null}}}`), one + "; contested-by alice"},
	},
}

func pinsAsTold(t *testing.T, w World) {
	for name, story := range pinStories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := w.scene(t, serviceManifest)
			s.reapply()
			s.follow(story)
		})
	}
}

// Objects that have nothing to do with Belay are not evaluated, let alone changed.
func unrelatedObjectsAreLeftAlone(t *testing.T, w World) {
	for name, manifest := range map[string]string{
		"Deployment": deploymentManifest("v1"), "Service": serviceManifest, "HTTPRoute": routeManifest,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := w.scene(t, manifest)
			s.reapply()
			s.must(s.patch(types.MergePatchType, `{"metadata":{"annotations":{"belay.dev/unknown":"x"},"labels":{"app":"web"}}}`))
			if got := s.get().GetAnnotations()["belay.dev/unknown"]; got != "x" {
				t.Errorf("an annotation without a meaning is %q", got)
			}
		})
	}
}
