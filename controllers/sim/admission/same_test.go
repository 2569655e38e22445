package admission_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/belay-dev/belay/controllers/sim/admission"
)

// Whatever is written over whatever is stored: the object comes out as by the API server's own parts.
func TestTheSameAsTheLibrary(t *testing.T) {
	policies, library := compiled(t), newReference(t)
	different := 0
	for seed := range uint64(600) {
		w := wild{rand.New(rand.NewPCG(seed, 1))}
		request, params := w.request()
		want, err := library.mutate(request, params)
		if err != nil {
			t.Fatalf("seed %d: the library fails: %v", seed, err)
		}
		got, err := policies.Admit(t.Context(), request, params, nil)
		if err != nil && strings.Contains(err.Error(), "ValidatingAdmissionPolicy") {
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if was, is := withoutEmpty(want), withoutEmpty(got); !reflect.DeepEqual(was, is) {
			t.Fatalf("seed %d, %s by %s: the object is\n  %v\nnot\n  %v\nasked was\n  %v\nover\n  %v", seed, request.Operation, request.User, is, was, request.Object, request.Old)
		}
		if got != request.Object {
			different++
		}
	}
	if different < 200 {
		t.Errorf("only %d of the writes are changed by a policy", different)
	}
}

// withoutEmpty is what is left of the object when its metadata are stored.
func withoutEmpty(o *unstructured.Unstructured) map[string]any {
	copied := o.DeepCopy()
	metadata, err := throughGo(copied.Object["metadata"].(map[string]any), &metav1.ObjectMeta{})
	if err != nil {
		panic(err)
	}
	copied.Object["metadata"] = metadata
	return copied.Object
}

// wild makes writes between sense and nonsense.
type wild struct{ *rand.Rand }

func pick[T any](w wild, from ...T) T { return from[w.IntN(len(from))] }

func (w wild) request() (admission.Request, admission.Params) {
	manifest := pick(w, deployment, service, route, rollout)
	old := w.object(manifest)
	user := pick(w, ours, alice, alice)
	s := story{}
	if w.IntN(3) > 0 {
		s.params = attempt
	}
	switch w.IntN(4) {
	case 0:
		return requestFor(user, nil, old), s.attempt()
	case 1: // the same object with other annotations: what most writes are
		object := old.DeepCopy()
		w.annotate(object)
		return requestFor(user, old, asStored(object)), s.attempt()
	default:
		request := requestFor(user, old, w.object(manifest))
		if w.IntN(8) == 0 && manifest != rollout {
			request.Subresource = "status"
		}
		return request, s.attempt()
	}
}

func (w wild) object(manifest string) *unstructured.Unstructured {
	o := object(manifest)
	if w.IntN(2) == 0 {
		w.annotate(o)
	}
	if w.IntN(2) == 0 {
		govern(o)
	}
	switch o.GetKind() {
	case "Deployment":
		image(pick(w, "v1", "v2", "v3"))(o)
		if w.IntN(2) == 0 {
			set(o, pick(w, true, false), "spec", "paused")
		}
		if w.IntN(3) == 0 {
			set(o, pick(w, "a", "b"), "spec", "template", "metadata", "annotations", pick(w, "kubectl.kubernetes.io/restartedAt", "x"))
		}
	case "Service":
		for range w.IntN(3) {
			set(o, pick(w, "abc12", "web", "def34"), "spec", "selector", pick(w, "pod-template-hash", "controller-revision-hash", "tier"))
		}
		if w.IntN(6) == 0 {
			unstructured.RemoveNestedField(o.Object, "spec", "selector")
		}
	case "HTTPRoute":
		set(o, w.rules(), "spec", "rules")
	}
	w.own(o)
	return asStored(o)
}

func (w wild) rules() []any {
	rules := []any{}
	for range w.IntN(3) {
		refs := []any{}
		for range w.IntN(4) {
			ref := map[string]any{"name": pick(w, "web", "web", "web-canary", "web-canary", "other"), "port": int64(80)}
			if w.IntN(4) > 0 {
				ref["weight"] = pick[int64](w, 0, 1, 90, 450, 8550, 10000, 1000000)
			}
			if w.IntN(8) == 0 {
				ref["kind"], ref["group"], ref["namespace"] = pick(w, "Service", "Backend"), pick(w, "", "x"), pick(w, "shop", "elsewhere")
			}
			refs = append(refs, ref)
		}
		rule := map[string]any{"backendRefs": refs}
		if w.IntN(6) == 0 {
			delete(rule, "backendRefs")
		}
		rules = append(rules, rule)
	}
	return rules
}

func (w wild) annotate(o *unstructured.Unstructured) {
	for range 1 + w.IntN(3) {
		key := pick(w, "hold", "hold", "pin", "pin", "split", "split", "contested-by", "bypass", "bypassed", "ignore-template-changes", "request", "requested-by")
		value := pick(w, w.intent(key), w.intent(key), w.intent(key), pick(w, "alice", "nonsense", "7.1/", "7.1/false/", " "))
		note(key, value)(o)
	}
}

func (w wild) intent(key string) string {
	fence := fmt.Sprintf("%d.%d/", 7+w.IntN(2), w.IntN(4))
	switch key {
	case "hold":
		return fence + pick(w, "true", "false")
	case "pin":
		return fence + pick(w, "pod-template-hash=abc12", "pod-template-hash=def34", "controller-revision-hash=web-5")
	case "split":
		return fence + "web/" + pick(w, "web-canary", "other") + "/" + pick(w, "0/100", "5/100", "100/100", "5/1000", "1000/1000", "101/100")
	case "request":
		return pick(w, "pause - t1", "promote abc12 t2")
	default:
		return pick(w, "", "alice", "x")
	}
}

// own gives the object owners of its fields, the controller among them.
func (w wild) own(o *unstructured.Unstructured) {
	var entries []metav1.ManagedFieldsEntry
	for range w.IntN(4) {
		fields := pick(w, `{"f:spec":{"f:rules":{}}}`, `{"f:spec":{"f:selector":{"f:app":{}},"f:ports":{}}}`, `{"f:metadata":{"f:labels":{"f:app":{}}}}`, `{"f:spec":{"f:selector":{}}}`)
		entries = append(entries, metav1.ManagedFieldsEntry{
			Manager: pick(w, "agent", "belay", "belay", "tool"), Operation: pick(w, metav1.ManagedFieldsOperationApply, metav1.ManagedFieldsOperationUpdate),
			APIVersion: "v1", FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(fields),
		})
	}
	o.SetManagedFields(entries)
}
