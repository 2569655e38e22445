package outcomes

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// writers are the matrix's rows: each sends what a real client sends.
var writers = map[string]func(*scene) error{
	"server-side apply": func(s *scene) error {
		_, err := s.apply(false, false)
		return err
	},
	"server-side apply, forced, against the intent": func(s *scene) error {
		s.git = s.git.DeepCopy()
		switch s.resource {
		case deployments:
			set(s.git, false, "spec", "paused")
		case services:
			set(s.git, map[string]any{"app": "web", "tier": "front"}, "spec", "selector")
		case routes:
			setWeights(s.git, 70, 30)
		}
		_, err := s.apply(true, false)
		return err
	},
	"server-side apply every second, beside a webhook": (*scene).applyEverySecond,
	"client-side apply":                     (*scene).applyClientSide,
	"PUT of a copy from before the attempt": func(s *scene) error { return s.put(s.before) },
	"PUT of a copy from the attempt":        func(s *scene) error { return s.put(s.during) },
	"JSON patch removes":                    func(s *scene) error { return s.patch(types.JSONPatchType, s.removal()) },
	"JSON patch forges": func(s *scene) error {
		key, _ := s.intent()
		return s.patch(types.MergePatchType, annotation(key, forged[key]))
	},
	"delete and create": func(s *scene) error { return s.recreate(s.git) },
	"delete and create from a copy of the attempt": func(s *scene) error {
		copied := s.during.DeepCopy()
		copied.SetResourceVersion("")
		copied.SetUID("")
		return s.recreate(copied)
	},

	"scale": func(s *scene) error {
		_, err := s.objects(person).Patch(s.t.Context(), "web", types.MergePatchType, []byte(`{"spec":{"replicas":2}}`),
			metav1.PatchOptions{FieldManager: "tool"}, "scale")
		return err
	},
	// kubectl replaces the template by the old ReplicaSet's and all annotations with it.
	"rollout undo": func(s *scene) error {
		template, _, _ := unstructured.NestedMap(s.git.Object, "spec", "template")
		object := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"template": template}}}
		setImage(object, "v0")
		text, err := object.MarshalJSON()
		if err != nil {
			return err
		}
		return s.patch(types.JSONPatchType, fmt.Sprintf(`[
			{"op":"replace","path":"/spec/template","value":%s},
			{"op":"replace","path":"/metadata/annotations","value":{"deployment.kubernetes.io/revision":"1"}}]`,
			text[len(`{"spec":{"template":`):len(text)-3]))
	},
	"rollout restart": func(s *scene) error {
		return s.patch(types.StrategicMergePatchType,
			`{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"2026-01-02T03:04:05Z"}}}}}`)
	},
	"rollout resume": func(s *scene) error { return s.patch(types.StrategicMergePatchType, `{"spec":{"paused":null}}`) },
}

var forged = map[string]string{
	"belay.dev/hold":  "9.9/true",
	"belay.dev/pin":   "9.9/pod-template-hash=forged",
	"belay.dev/split": "9.9/web/web-canary/100/100",
}

// removal takes away what makes the object ours: the annotation in flight,
// at rest the label of a workload. Services and routes carry nothing at rest.
func (s *scene) removal() string {
	key, _ := s.intent()
	if _, carried := s.get().GetAnnotations()[key]; carried {
		return fmt.Sprintf(`[{"op":"remove","path":"/metadata/annotations/belay.dev~1%s"}]`, key[len("belay.dev/"):])
	}
	if s.resource == deployments {
		return `[{"op":"remove","path":"/metadata/labels/belay.dev~1rollout"}]`
	}
	return `[{"op":"add","path":"/metadata/labels","value":{}}]`
}

func (s *scene) recreate(object *unstructured.Unstructured) error {
	if err := s.objects(person).Delete(s.t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		return err
	}
	if object.GetManagedFields() != nil {
		object.SetManagedFields(nil)
		_, err := s.objects(agent).Create(s.t.Context(), object, metav1.CreateOptions{FieldManager: "tool"})
		return err
	}
	_, err := s.apply(false, false)
	return err
}

func containersOf(object *unstructured.Unstructured) []any {
	containers, _, _ := unstructured.NestedSlice(object.Object, "spec", "template", "spec", "containers")
	return containers
}

func imageOf(object *unstructured.Unstructured) string {
	return fmt.Sprint(containersOf(object)[0].(map[string]any)["image"])
}

func setImage(object *unstructured.Unstructured, image string) {
	containers := containersOf(object)
	containers[0].(map[string]any)["image"] = image
	set(object, containers, "spec", "template", "spec", "containers")
}

// setWeights sets the weights of the first rule's backends, in order.
func setWeights(object *unstructured.Unstructured, weights ...int64) {
	rules, _, _ := unstructured.NestedSlice(object.Object, "spec", "rules")
	for i, weight := range weights {
		rules[0].(map[string]any)["backendRefs"].([]any)[i].(map[string]any)["weight"] = weight
	}
	set(object, rules, "spec", "rules")
}
