package admission_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	apiserver "k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/controllers/sim/admission"
)

// Who writes: the controller, and somebody else.
const (
	ours  = "system:serviceaccount:belay-system:belay"
	alice = "alice"
)

// object is a manifest as the API server holds it, with the defaults that matter here.
func object(manifest string) *unstructured.Unstructured {
	content := map[string]any{}
	text, err := yaml.YAMLToJSON([]byte(manifest))
	if err != nil {
		panic(err)
	}
	parsed := &unstructured.Unstructured{Object: content}
	if err := parsed.UnmarshalJSON(text); err != nil {
		panic(err)
	}
	return parsed
}

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: v1, resources: {requests: {cpu: 1000m}}}]
`

const service = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080, protocol: TCP}]
`

const route = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: shop}
spec:
  parentRefs: [{name: gateway, group: gateway.networking.k8s.io, kind: Gateway}]
  rules:
  - matches: [{path: {type: PathPrefix, value: /}}]
    backendRefs:
    - {name: web, port: 80, weight: 90, group: "", kind: Service}
    - {name: other, port: 80, weight: 10, group: "", kind: Service}
`

const rollout = `
apiVersion: belay.dev/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop}
spec: {workloadRef: {kind: Deployment, name: web}}
`

// step is one write and what must come of it: a form that is stored, or words of the refusal.
type step struct {
	does    string
	by      string
	write   func(*unstructured.Unstructured)
	form    string
	refused string
}

// story is a sequence of writes to one object. It begins with the object stored as the manifest says, or with a CREATE of it.
type story struct {
	manifest string
	create   string // by whom; empty: it is there
	status   bool   // the writes go to the status subresource
	params   string // the ConfigMap of an attempt
	form     string // what the CREATE stores
	steps    []step
}

// play gives the first thing that comes out otherwise than the story says.
func (s story) play(policies *admission.Policies) error {
	stored := object(s.manifest)
	if s.create != "" {
		created, err := s.admit(policies, s.create, nil, stored)
		if err != nil {
			return fmt.Errorf("CREATE: %w", err)
		}
		if got := formOf(created); got != s.form {
			return fmt.Errorf("CREATE stores\n  %s\nnot\n  %s", got, s.form)
		}
		stored = created
	}
	for _, step := range s.steps {
		changed := stored.DeepCopy()
		step.write(changed)
		result, err := s.admit(policies, step.by, stored, changed)
		switch {
		case step.refused != "" && err == nil:
			return fmt.Errorf("%s: it is not refused, which should say %q", step.does, step.refused)
		case step.refused != "" && !strings.Contains(err.Error(), step.refused):
			return fmt.Errorf("%s: the refusal does not say %q: %w", step.does, step.refused, err)
		case step.refused != "":
			continue
		case err != nil:
			return fmt.Errorf("%s: %w", step.does, err)
		case formOf(result) != step.form:
			return fmt.Errorf("%s: stored is\n  %s\nnot\n  %s", step.does, formOf(result), step.form)
		}
		stored = result
	}
	return nil
}

func (s story) admit(policies *admission.Policies, user string, old, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	request := requestFor(user, old, object)
	if s.status {
		request.Subresource = "status"
	}
	before, was := object.DeepCopy(), old.DeepCopy()
	result, err := policies.Admit(context.Background(), request, s.attempt(), mayPromote)
	if !reflect.DeepEqual(before, object) || !reflect.DeepEqual(was, old) {
		return nil, fmt.Errorf("admission changed what it was given")
	}
	if err != nil {
		return nil, err
	}
	return &unstructured.Unstructured{Object: withoutEmpty(result)}, nil
}

func requestFor(user string, old, object *unstructured.Unstructured) admission.Request {
	request := admission.Request{
		Operation: apiserver.Update, User: user, Kind: object.GroupVersionKind(), Namespace: object.GetNamespace(), Name: object.GetName(),
		Object: object, Old: old,
	}
	if old == nil {
		request.Operation = apiserver.Create
	}
	request.Resource = request.Kind.GroupVersion().WithResource(strings.ToLower(request.Kind.Kind) + "s")
	return request
}

func (s story) attempt() admission.Params {
	return func(namespace string, selector labels.Selector) []*unstructured.Unstructured {
		if s.params == "" || namespace != "shop" || !selector.Matches(labels.Set{"belay.dev/attempt": "true"}) {
			return nil
		}
		return []*unstructured.Unstructured{object(s.params)}
	}
}

// mayPromote: the user "adam" may do everything with the Rollout "web", others may pause it.
func mayPromote(asked authorizer.Attributes) bool {
	return asked.GetAPIGroup() == "belay.dev" && asked.GetResource() == "rollouts" && asked.GetNamespace() == "shop" && asked.GetName() == "web" &&
		(asked.GetUser().GetName() == "adam" || asked.GetVerb() == "pause")
}

// formOf tells in one line what matters of an object.
func formOf(o *unstructured.Unstructured) string {
	var parts []string
	switch o.GetKind() {
	case "Deployment":
		containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
		parts = append(parts, fmt.Sprint(containers[0].(map[string]any)["image"]))
		if paused, is, _ := unstructured.NestedFieldNoCopy(o.Object, "spec", "paused"); is {
			parts = append(parts, fmt.Sprint("paused ", paused))
		}
	case "Service":
		selector, _, _ := unstructured.NestedFieldNoCopy(o.Object, "spec", "selector")
		parts = append(parts, pairs(selector))
	case "HTTPRoute":
		parts = append(parts, backends(o))
	}
	metadata := o.Object["metadata"].(map[string]any)
	for _, key := range []string{"labels", "annotations"} {
		if content, is := metadata[key]; is {
			parts = append(parts, pairs(content))
		}
	}
	return strings.Join(parts, "; ")
}

func backends(o *unstructured.Unstructured) string {
	rules, _, _ := unstructured.NestedSlice(o.Object, "spec", "rules")
	var all []string
	for _, rule := range rules {
		for _, ref := range rule.(map[string]any)["backendRefs"].([]any) {
			backend := ref.(map[string]any)
			all = append(all, fmt.Sprint(backend["name"], " ", backend["weight"]))
		}
	}
	return strings.Join(all, ", ")
}

func pairs(content any) string {
	all := []string{}
	for key, value := range content.(map[string]any) {
		all = append(all, strings.TrimPrefix(key, "belay.dev/")+"="+fmt.Sprint(value))
	}
	slices.Sort(all)
	return "{" + strings.Join(all, ", ") + "}"
}

// note sets an annotation of ours, and takes it away with an empty value.
func note(key, value string) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		annotations := o.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations["belay.dev/"+key] = value
		if value == "" {
			delete(annotations, "belay.dev/"+key)
		}
		if len(annotations) == 0 {
			annotations = nil // as the API server reads it
		}
		o.SetAnnotations(annotations)
	}
}

func image(name string) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		set(o, []any{map[string]any{"name": "web", "image": name}}, "spec", "template", "spec", "containers")
	}
}

func set(o *unstructured.Unstructured, value any, path ...string) {
	if err := unstructured.SetNestedField(o.Object, value, path...); err != nil {
		panic(err)
	}
}

// field sets a field; nil takes it away.
func field(value any, path ...string) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		if value == nil {
			unstructured.RemoveNestedField(o.Object, path...)
			return
		}
		set(o, value, path...)
	}
}

func both(writes ...func(*unstructured.Unstructured)) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		for _, write := range writes {
			write(o)
		}
	}
}
