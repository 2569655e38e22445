package admission_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const governed = "{app=web, rollout=web}"

var (
	govern = field("web", "metadata", "labels", "belay.dev/rollout")
	weigh  = func(web, other int64) func(o *unstructured.Unstructured) {
		return field([]any{map[string]any{"backendRefs": []any{
			map[string]any{"name": "web", "port": int64(80), "weight": web, "group": "", "kind": "Service"},
			map[string]any{"name": "other", "port": int64(80), "weight": other, "group": "", "kind": "Service"},
		}}}, "spec", "rules")
	}
)

const attempt = `
apiVersion: v1
kind: ConfigMap
metadata: {name: belay-web, namespace: shop, labels: {belay.dev/attempt: "true"}}
data:
  pin: 7.9/pod-template-hash=abc12
  podLabels: app=web,tier=front
  split: 7.9/web/web-canary/0/100
  routes: elsewhere,web
`

// The policies' promises, as writers see them.
var stories = map[string]story{
	"hold: a new template waits until the controller lets go": {manifest: deployment, steps: []step{
		{does: "not governed, v2 starts at once", by: alice, write: image("v2"), form: "v2; {app=web}"},
		{does: "the label is the controller's", by: alice, write: govern, form: "v2; {app=web}"},
		{does: "governed", by: ours, write: govern, form: "v2; " + governed},
		{does: "scaling is no release", by: alice, write: field(int64(3), "spec", "replicas"), form: "v2; " + governed},
		{does: "a restart is no release", by: alice, write: field("now", "spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"), form: "v2; " + governed},
		{does: "v3", by: alice, write: image("v3"), form: "v3; paused true; " + governed + "; {hold=0.0/false}"},
		{does: "resumed by a person", by: alice, write: field(nil, "spec", "paused"), form: "v3; paused true; " + governed + "; {contested-by=alice, hold=0.0/false}"},
		{does: "the hold taken away", by: alice, write: note("hold", ""), form: "v3; paused true; " + governed + "; {contested-by=alice, hold=0.0/false}"},
		{does: "the label taken away", by: alice, write: field(nil, "metadata", "labels", "belay.dev/rollout"), form: "v3; paused true; " + governed + "; {contested-by=alice, hold=0.0/false}"},
		{does: "numbered", by: ours, write: note("hold", "7.1/false"), form: "v3; paused true; " + governed + "; {contested-by=alice, hold=7.1/false}"},
		{does: "an older controller", by: ours, write: note("hold", "6.9/false"), refused: "the stored intent is 7.1 and this write is 6.9"},
		{does: "let go by an older controller", by: ours, write: note("hold", "7.0/-"), form: "v3; paused true; " + governed + "; {contested-by=alice, hold=7.1/false}"},
		{does: "let go", by: ours, write: note("hold", "7.2/-"), form: "v3; " + governed},
	}},
	"hold: paused by Git stays so afterwards": {manifest: deployment, steps: []step{
		{does: "governed", by: ours, write: govern, form: "v1; " + governed},
		{does: "paused by Git", by: alice, write: field(true, "spec", "paused"), form: "v1; paused true; " + governed},
		{does: "v2", by: alice, write: image("v2"), form: "v2; paused true; " + governed + "; {hold=0.0/true}"},
		{does: "let go", by: ours, write: note("hold", ""), form: "v2; paused true; " + governed},
	}},
	"hold: the status subresource is no way around": {manifest: held, status: true, steps: []step{
		{does: "status", by: alice, write: both(note("hold", ""), field(nil, "spec", "paused"), field(int64(1), "status", "replicas")),
			form: "v1; paused true; " + governed + "; {contested-by=alice, hold=7.1/false}"},
	}},
	"hold: a copy taken in flight is not governed": {manifest: held, create: alice, form: "v1; {app=web}"},
	"bypass: one change goes through, for who may": {manifest: strings.Replace(deployment, "{app: web}}\nspec", "{app: web, belay.dev/rollout: web}}\nspec", 1), steps: []step{
		{does: "by one without the right", by: alice, write: both(image("v2"), note("bypass", "outage")),
			refused: `user "alice" may not bypass: that needs the verb "bypass" on rollouts.belay.dev "web" in the namespace "shop"`},
		{does: "by one with it", by: "adam", write: both(image("v2"), note("bypass", "outage")), form: "v2; " + governed + "; {bypass=outage, bypassed=outage}"},
		{does: "the reason is used up", by: alice, write: image("v3"), form: "v3; paused true; " + governed + "; {bypass=outage, bypassed=outage, hold=0.0/false}"},
	}},
	"pin: the selector follows the intent": {manifest: service, steps: []step{
		{does: "a forged pin", by: alice, write: note("pin", "7.1/pod-template-hash=abc12"), form: "{app=web}"},
		{does: "pinned", by: ours, write: note("pin", "7.1/pod-template-hash=abc12"), form: "{app=web, pod-template-hash=abc12}; {pin=7.1/pod-template-hash=abc12}"},
		{does: "Git's form", by: alice, write: field(map[string]any{"app": "web", "tier": "front"}, "spec", "selector"),
			form: "{app=web, pod-template-hash=abc12, tier=front}; {pin=7.1/pod-template-hash=abc12}"},
		{does: "another value", by: alice, write: field("def34", "spec", "selector", "pod-template-hash"),
			form: "{app=web, pod-template-hash=abc12, tier=front}; {contested-by=alice, pin=7.1/pod-template-hash=abc12}"},
		{does: "an older controller", by: ours, write: note("pin", "7.0/pod-template-hash=abc12"), refused: "the stored intent is 7.1 and this write is 7.0"},
		{does: "taken away by an older controller", by: ours, write: note("pin", "7.0/-"),
			form: "{app=web, pod-template-hash=abc12, tier=front}; {contested-by=alice, pin=7.1/pod-template-hash=abc12}"},
		{does: "nonsense is none", by: ours, write: note("pin", "7.2"), form: "{app=web, tier=front}"},
	}},
	"split: the backends follow the intent": {manifest: route, steps: []step{
		{does: "a forged split", by: alice, write: note("split", "7.1/web/web-canary/100/100"), form: "web 90, other 10"},
		{does: "5 %", by: ours, write: note("split", "7.1/web/web-canary/5/100"), form: "web 8550, web-canary 450, other 1000; {split=7.1/web/web-canary/5/100}"},
		{does: "Git's form", by: alice, write: weigh(90, 10), form: "web 8550, web-canary 450, other 1000; {split=7.1/web/web-canary/5/100}"},
		{does: "other weights from Git", by: alice, write: weigh(50, 50), form: "web 4750, web-canary 250, other 5000; {split=7.1/web/web-canary/5/100}"},
		{does: "25 %", by: ours, write: note("split", "7.2/web/web-canary/25/100"), form: "web 3750, web-canary 1250, other 5000; {split=7.2/web/web-canary/25/100}"},
		{does: "an older controller", by: ours, write: note("split", "7.1/web/web-canary/50/100"), refused: "the stored intent is 7.2 and this write is 7.1"},
		{does: "cleared by an older controller", by: ours, write: note("split", "7.1/-"), form: "web 3750, web-canary 1250, other 5000; {split=7.2/web/web-canary/25/100}"},
		{does: "cleared", by: ours, write: note("split", "7.2/-"), form: "web 50, other 50"},
	}},
	"verbs: a request needs its verb, and has its writer's name beside it": {manifest: rollout, steps: []step{
		{does: "pause", by: alice, write: note("request", "pause - t1"), form: "{request=pause - t1, requested-by=alice}"},
		{does: "abort without the right", by: alice, write: note("request", "abort - t2"),
			refused: `user "alice" may not abort: that needs the verb "abort" on rollouts.belay.dev "web" in the namespace "shop"`},
		{does: "no request at all", by: "adam", write: note("request", "hurry up"), refused: `belay.dev/request must be "<verb> <revision> <token>"`},
		{does: "promote", by: "adam", write: note("request", "promote-full abc12 t3"), form: "{request=promote-full abc12 t3, requested-by=adam}"},
		{does: "in another's name", by: alice, write: note("requested-by", "alice"), form: "{request=promote-full abc12 t3, requested-by=adam}"},
		{does: "taken back", by: alice, write: note("request", ""), form: ""},
	}},
	"created: a Service from a copy taken in flight": {
		manifest: strings.Replace(strings.Replace(service, "namespace: shop}", "namespace: shop, annotations: {belay.dev/pin: 3.1/pod-template-hash=old}}", 1),
			"{app: web}", "{app: web, pod-template-hash: old}", 1),
		create: alice, form: "{app=web}"},
	"created: a route from a copy taken in flight": {
		manifest: strings.NewReplacer("namespace: shop}", "namespace: shop, annotations: {belay.dev/split: 3.1/web/web-canary/5/100}}",
			"weight: 90, group", "weight: 8550, group", "    - {name: other", "    - {name: web-canary, port: 80, weight: 450, group: \"\", kind: Service}\n    - {name: other", "weight: 10,", "weight: 1000,").Replace(route),
		create: alice, form: "web 90, other 10"},
	"recreated: a Service is pinned again": {manifest: service, create: alice, params: attempt,
		form: "{app=web, pod-template-hash=abc12}; {pin=7.9/pod-template-hash=abc12}"},
	"recreated: a Service that selects something else is not": {manifest: strings.Replace(service, "{app: web}", "{app: web, tier: back}", 1),
		create: alice, params: attempt, form: "{app=web, tier=back}"},
	"recreated: a route is split again, without traffic": {manifest: route, create: alice, params: attempt,
		form: "web 9000, web-canary 0, other 1000; {split=7.9/web/web-canary/0/100}"},
	"recreated: from a copy taken in flight": {
		manifest: strings.Replace(strings.Replace(service, "namespace: shop}", "namespace: shop, annotations: {belay.dev/pin: 3.1/pod-template-hash=old}}", 1),
			"{app: web}", "{app: web, pod-template-hash: old}", 1),
		create: alice, params: attempt, form: "{app=web, pod-template-hash=abc12}; {pin=7.9/pod-template-hash=abc12}"},
}

const held = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web, belay.dev/rollout: web}, annotations: {belay.dev/hold: 7.1/false}}
spec:
  paused: true
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: v1}]}
`

func TestStories(t *testing.T) {
	policies := compiled(t)
	for _, name := range slices.Sorted(maps.Keys(stories)) {
		t.Run(name, func(t *testing.T) {
			if err := stories[name].play(policies); err != nil {
				t.Fatal(err)
			}
		})
	}
}
