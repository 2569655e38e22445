package fidelity

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const attempt = `{apiVersion: v1, kind: ConfigMap, metadata: {name: belay-web, labels: {belay.dev/attempt: "true"}}, data: {pin: 7.9/pod-template-hash=abc12, podLabels: app=web, split: 7.9/web/web-canary/0/100, routes: again}}`

// AwaitPolicies returns when a policy of every kind has been seen at work: the server loads them, and the resources that
// they match, some time after they are stored. What is tried is a script too, of which nobody compares the tape.
func AwaitPolicies(t testing.TB, side Side) {
	t.Helper()
	s := &run{t: t, side: side, namespace: "probe", tape: newTape()}
	s.namespaced("probe")
	s.create(service)
	s.create(deployment)
	for _, manifest := range []string{route, rollout} {
		s.await("creates", func() *unstructured.Unstructured { return s.create(manifest) }, "uid")
	}
	s.await("governs", func() *unstructured.Unstructured {
		return s.annotate("Deployment", "labels", "belay.dev/rollout", "web")
	}, "belay.dev/rollout")
	for _, probe := range []struct {
		what string
		try  func() *unstructured.Unstructured
		has  string
	}{
		{"hold", func() *unstructured.Unstructured {
			return s.patch("Deployment", "web", merging, `{"spec":{"template":{"metadata":{"labels":{"a":"b"}}}}}`, client.DryRunAll)
		}, "belay.dev/hold"},
		{"pin", func() *unstructured.Unstructured {
			return s.annotate("Service", "annotations", "belay.dev/pin", "1.1/pod-template-hash=a")
		}, "pod-template-hash:a"},
		{"fence", func() *unstructured.Unstructured {
			return s.annotate("Service", "annotations", "belay.dev/pin", "1.0/pod-template-hash=b", client.DryRunAll)
		}, refused},
		{"split", func() *unstructured.Unstructured {
			return s.annotate("HTTPRoute", "annotations", "belay.dev/split", "1.1/web/web-canary/5/100")
		}, "name:web-canary"},
		{"requested by", func() *unstructured.Unstructured {
			return s.patch("Rollout", "web", merging, `{"metadata":{"annotations":{"belay.dev/request":"abort - t1"}}}`, client.DryRunAll)
		}, "belay.dev/requested-by"},
		{"requests", func() *unstructured.Unstructured {
			return s.patch("Rollout", "web", merging, `{"metadata":{"annotations":{"belay.dev/request":"nonsense"}}}`, client.DryRunAll)
		}, refused},
		{"guests' rights", func() *unstructured.Unstructured {
			return s.patchAs(Guest, "Rollout", "web", merging, `{"metadata":{"annotations":{"a":"b"}}}`, client.DryRunAll)
		}, "a:b"},
		{"created Services", func() *unstructured.Unstructured {
			return s.create(with(service, "{name: web}", "{name: again, annotations: {belay.dev/pin: 1.1/pod-template-hash=forged}}"), client.DryRunAll)
		}, "!forged"},
		{"created routes", func() *unstructured.Unstructured {
			return s.create(with(route, "{name: web}\n", "{name: again, annotations: {belay.dev/split: 1.1/web/forged/5/100}}\n"), client.DryRunAll)
		}, "!forged"},
		{"an attempt", func() *unstructured.Unstructured { return s.create(attempt) }, "uid"},
		{"recreated Services", func() *unstructured.Unstructured {
			return s.create(with(service, "{name: web}", "{name: again}"), client.DryRunAll)
		}, "abc12"},
		{"recreated routes", func() *unstructured.Unstructured {
			return s.create(with(route, "{name: web}\n", "{name: again}\n"), client.DryRunAll)
		}, "web-canary"},
	} {
		s.await(probe.what, probe.try, probe.has)
	}
}

// refused stands for the answer of a policy that refuses.
const refused = "denied request"

func (s *run) await(what string, try func() *unstructured.Unstructured, has string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx(), 30*time.Second)
	defer cancel()
	var text string
	if err := wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(context.Context) (bool, error) {
		o := try().DeepCopy()
		o.SetManagedFields(nil)
		if text = fmt.Sprint(o.Object); s.refused != nil {
			text = s.refused.Error()
		}
		not, absent := strings.CutPrefix(has, "!")
		return (s.refused == nil || has == refused) && strings.Contains(text, not) != absent, nil
	}); err != nil {
		s.t.Fatalf("%s: waited in vain for %s in %s", what, has, text)
	}
}

// annotate is a write of the controller.
func (s *run) annotate(kind, field, key string, value any, opts ...client.PatchOption) *unstructured.Unstructured {
	s.t.Helper()
	text, err := json.Marshal(map[string]any{"metadata": map[string]any{field: map[string]any{key: value}}})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.patchAs(Ours, kind, "web", merging, string(text), append(opts, client.FieldOwner("belay"))...)
}
