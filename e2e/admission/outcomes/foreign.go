package outcomes

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Nothing that anybody wrote can make a later write fail: whatever a foreigner
// puts into our annotations, at rest or in flight, by merge, by status or on
// CREATE, that write succeeds if the API server alone would take it, every
// later write succeeds, and the intent neither moves nor appears.
func whateverForeignersWrite(t *testing.T, w World) {
	for name, manifest := range map[string]string{
		"Deployment": deploymentManifest("v1"), "Service": serviceManifest, "HTTPRoute": routeManifest,
	} {
		for _, state := range []state{atRest, inFlight} {
			t.Run(name+"/"+string(state), func(t *testing.T) {
				t.Parallel()
				// A seed of its own for each, and always the same: a failure can be repeated.
				random := rand.New(rand.NewPCG(uint64(len(name)), uint64(len(state))))
				s := w.scene(t, manifest)
				s.play(state)
				key, intent := s.intent()
				for i := range 60 {
					patch := foreignPatch(random)
					if err := s.patch(types.MergePatchType, patch); err != nil {
						t.Fatalf("write %d failed: %v\n%s", i, err, patch)
					}
					if _, err := s.apply(true, false); err != nil {
						t.Fatalf("after write %d the agent's failed: %v\n%s", i, err, patch)
					}
					stored, carried := s.get().GetAnnotations()[key]
					if carried != (state == inFlight) || carried && stored != intent {
						t.Fatalf("after write %d the intent is %q\n%s", i, stored, patch)
					}
				}
				if state == inFlight {
					s.end()
				}
				// What has no meaning on this kind may stay in annotations, but nothing in what Git declares.
				form, _, _ := strings.Cut(formOf(s.get()), ";")
				if git, _, _ := strings.Cut(formOf(s.before), ";"); form != git && form != "image v2" {
					t.Errorf("%s became %s", git, form)
				}
			})
		}
	}
}

// foreignPatch sets several of our annotations to something between sense and nonsense.
func foreignPatch(random *rand.Rand) string {
	annotations := map[string]any{}
	for _, key := range []string{"hold", "pin", "split", "contested-by", "bypassed", "ignore-template-changes", "canary-of"} {
		switch random.IntN(3) {
		case 0:
			annotations["belay.dev/"+key] = foreignValue(random)
		case 1:
			annotations["belay.dev/"+key] = nil
		}
	}
	text, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": annotations}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// foreignValue takes a good value apart and puts it together wrongly.
func foreignValue(random *rand.Rand) string {
	good := []string{
		"7.1/false", "7.1/true", "7.1/pod-template-hash=abc12", "7.2/controller-revision-hash=web-1",
		"7.1/web/web-canary/5/100", "9.9/web/other/1000/1000", "1.1/web/web/50/100", "1.1/other/web/100/100", "0.0/-/-/0/100",
	}
	value := good[random.IntN(len(good))]
	pieces := []string{"", "/", "//", ".", "=", "-1", "99999999999999999999", "1e9", "0x1", " ", "\n", "\x00", "é", "💥", "%s", "'", `"`, "~1", "{}", strings.Repeat("9", 400), strings.Repeat("/", 3000)}
	for range random.IntN(4) {
		at := random.IntN(len(value) + 1)
		until := at + random.IntN(len(value)-at+1)
		value = value[:at] + pieces[random.IntN(len(pieces))] + value[until:]
	}
	return strings.ToValidUTF8(value, "?")
}

// A write that the schema refuses is refused by the schema, with its message,
// and not by a policy that stumbled over it.
func senselessRoutesAreLeftToTheSchema(t *testing.T, w World) {
	for name, rules := range map[string]string{
		"rules that are no list":       `{"a":1}`,
		"rules that are text":          `"all"`,
		"a rule that is a number":      `[1]`,
		"a rule that is nothing":       `[null]`,
		"backendRefs that are a map":   `[{"backendRefs":{"name":"web"}}]`,
		"a backend that is text":       `[{"backendRefs":["web"]}]`,
		"a backend without a name":     `[{"backendRefs":[{"port":80}]}]`,
		"a name that is a number":      `[{"backendRefs":[{"name":1,"port":80}]}]`,
		"a weight that is text":        `[{"backendRefs":[{"name":"web","port":80,"weight":"1"}]}]`,
		"a weight that is a fraction":  `[{"backendRefs":[{"name":"web","port":80,"weight":1.5}]}]`,
		"a weight below zero":          `[{"backendRefs":[{"name":"web","port":80,"weight":-1}]}]`,
		"a weight beyond any":          `[{"backendRefs":[{"name":"web","port":80,"weight":9223372036854775807}]}]`,
		"a kind that is a number":      `[{"backendRefs":[{"name":"web","kind":7,"port":80}]}]`,
		"17 backends":                  "[" + backends(17) + "]",
		"17 rules":                     "[" + strings.TrimSuffix(strings.Repeat(backends(1)+",", 17), ",") + "]",
		"more rules than can be meant": "[" + strings.TrimSuffix(strings.Repeat(backends(16)+",", 1000), ",") + "]",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := w.scene(t, routeManifest)
			s.play(inFlight)
			err := s.patch(types.MergePatchType, `{"spec":{"rules":`+rules+`}}`)
			if err == nil || strings.Contains(err.Error(), "denied request") {
				t.Errorf("the answer is %v", err)
			}
			s.wants(divided)
		})
	}
}

func backends(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"name":"web","port":%d,"weight":1}`, 80+i))
	}
	return `{"backendRefs":[` + strings.Join(all, ",") + `]}`
}

// Annotations and rules may be missing altogether.
func emptyRoutes(t *testing.T, w World) {
	t.Parallel()
	s := w.scene(t, routeManifest)
	s.reapply()
	s.follow([]step{
		{"in flight", intends(at5), divided5},
		{"no annotations", merge(`{"metadata":{"annotations":null}}`), divided5 + "; contested-by alice"},
		{"annotations that are nothing", putsNothing("metadata", "annotations"), divided5 + "; contested-by alice"},
		{"no backends", merge(`{"spec":{"rules":[{"matches":[{"path":{"type":"PathPrefix","value":"/"}}]}]}}`), "; split " + at5 + "; contested-by alice"},
		{"an empty list", merge(`{"spec":{"rules":[{"backendRefs":[]}]}}`), "; split " + at5 + "; contested-by alice"},
		{"no rules", merge(`{"spec":{"rules":null}}`), "; split " + at5 + "; contested-by alice"},
		{"Git again", applies(routeManifest), divided5 + "; contested-by alice"},
		{"end", (*scene).drop, whole},
	})
}

// A client may send any managedFields with its copy.
func whateverForeignersWriteAsOwners(t *testing.T, w World) {
	for name, fields := range map[string]any{
		"none":                  nil,
		"reset":                 []any{map[string]any{}},
		"without a manager":     []any{map[string]any{"operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": map[string]any{"f:spec": map[string]any{"f:selector": map[string]any{}, "f:rules": map[string]any{}}}}},
		"without fields":        []any{map[string]any{"manager": "x", "operation": "Update", "apiVersion": "v1"}},
		"an unknown operation":  []any{map[string]any{"manager": "x", "operation": "Steal", "apiVersion": "v1"}},
		"in the agent's name":   []any{map[string]any{"manager": agent, "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": map[string]any{"f:spec": map[string]any{}}}},
		"in the controller's":   []any{map[string]any{"manager": "belay", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": map[string]any{"f:spec": map[string]any{}}}},
		"of an unknown version": []any{map[string]any{"manager": "x", "operation": "Update", "apiVersion": "v9", "fieldsType": "FieldsV1", "fieldsV1": map[string]any{"f:spec": map[string]any{"f:rules": map[string]any{}}}}},
	} {
		for _, manifest := range []string{deploymentManifest("v1"), serviceManifest, routeManifest} {
			s := w.scene(t, manifest)
			t.Run(name+"/"+s.git.GetKind(), func(t *testing.T) {
				t.Parallel()
				s.t = t
				s.play(inFlight)
				key, intent := s.intent()
				for _, copied := range []*unstructured.Unstructured{s.before, s.during} {
					copied = copied.DeepCopy()
					set(copied, fields, "metadata", "managedFields")
					if err := s.put(copied); err != nil && !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) {
						t.Fatalf("refused: %v", err)
					}
					if _, err := s.apply(true, false); err != nil {
						t.Fatalf("then the agent's apply failed: %v", err)
					}
					if got := s.get().GetAnnotations()[key]; got != intent {
						t.Fatalf("the intent is %q", got)
					}
				}
				s.end()
			})
		}
	}
}

// putsNothing sends the object as it is with an explicit null in one place.
func putsNothing(path ...string) func(*scene) error {
	return func(s *scene) error {
		copied := s.get()
		set(copied, nil, path...)
		return s.put(copied)
	}
}
