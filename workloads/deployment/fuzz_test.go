package deployment

import (
	"context"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/workloads"
)

// shelf reads a Deployment and ReplicaSets, whatever they say.
type shelf struct {
	client.Reader
	deployment *unstructured.Unstructured
	sets       []unstructured.Unstructured
}

func (s shelf) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	if s.deployment == nil {
		return apierrors.NewNotFound(kind.GroupVersion().WithResource("deployments").GroupResource(), key.Name)
	}
	into.(*unstructured.Unstructured).Object = s.deployment.DeepCopy().Object
	return nil
}

func (s shelf) List(_ context.Context, into client.ObjectList, _ ...client.ListOption) error {
	for i := range s.sets {
		into.(*unstructured.UnstructuredList).Items = append(into.(*unstructured.UnstructuredList).Items, *s.sets[i].DeepCopy())
	}
	return nil
}

// parsed is an object of a kind; nil: the text is no JSON object.
func parsed(text string) map[string]any {
	var object map[string]any
	if json.Unmarshal([]byte(text), &object) != nil {
		return nil
	}
	return object
}

// stocked are objects of arbitrary specs; false: a text is no JSON.
func stocked(deployment, first, second string) (shelf, bool) {
	d, a, b := parsed(deployment), parsed(first), parsed(second)
	if d == nil || a == nil || b == nil {
		return shelf{}, false
	}
	s := shelf{deployment: &unstructured.Unstructured{Object: d}, sets: []unstructured.Unstructured{{Object: a}, {Object: b}}}
	s.deployment.SetGroupVersionKind(kind)
	s.deployment.SetName("web")
	s.deployment.SetUID("web-uid")
	for i, name := range []string{"web-a", "web-b"} {
		s.sets[i].SetGroupVersionKind(replicaSetKind)
		s.sets[i].SetName(name)
	}
	return s, true
}

const (
	plainDeployment = `{"metadata":{"generation":4,"annotations":{"belay.dev/hold":"7.3/false"}},"spec":{"paused":true,"replicas":3,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"},"creationTimestamp":null},"spec":{"containers":[{"image":"web:v2"}]}}},"status":{"observedGeneration":4,"replicas":3,"updatedReplicas":3,"availableReplicas":3}}`
	canarySet       = `{"metadata":{"creationTimestamp":"2026-01-01T00:00:00Z","labels":{"pod-template-hash":"a"},"ownerReferences":[{"apiVersion":"belay.dev/v1alpha1","kind":"Rollout","name":"web","uid":"rollout-uid","controller":true}]},"spec":{"replicas":1,"template":{"metadata":{"labels":{"app":"web","pod-template-hash":"a"}},"spec":{"containers":[{"image":"web:v2"}]}}},"status":{"replicas":1}}`
	stableSet       = `{"metadata":{"creationTimestamp":"2025-01-01T00:00:00Z","ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"web","uid":"web-uid","controller":true}]},"spec":{"replicas":3,"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"x"}},"spec":{}}}}`
)

func seedWorkloads(f *testing.F) {
	f.Add(plainDeployment, canarySet, stableSet)
	f.Add(`{"spec":{"selector":{"matchExpressions":[{"key":"app","operator":"In","values":["web"]}]},"template":{}}}`, `{"spec":{"template":{}}}`, `{}`)
	f.Add(`{"spec":{"replicas":"3","template":7,"paused":"yes"},"status":[]}`, `{"spec":null,"metadata":{"labels":{"pod-template-hash":7}}}`, canarySet)
	f.Add(`{"spec":{"template":{"metadata":{"labels":{"pod-template-hash":"x"},"annotations":{}}}},"metadata":{"annotations":{"belay.dev/ignore-template-changes":""}}}`,
		`{"spec":{"template":{"metadata":{"annotations":{"a":1}}},"replicas":1e3}}`, `{"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}}`)
	f.Add(`{"spec":{"selector":{"matchLabels":7}}}`, `{"metadata":{"ownerReferences":[null,{"controller":true,"uid":"rollout-uid"}]}}`, `{"metadata":{"creationTimestamp":"soon"}}`)
}

// FuzzObserve reads Deployments and ReplicaSets that say anything: what cannot be read is an error; a held Deployment is
// paused and never settled; the candidate carries the present template; and reading changes nothing.
func FuzzObserve(f *testing.F) {
	seedWorkloads(f)
	f.Fuzz(func(t *testing.T, deployment, first, second string) {
		s, ok := stocked(deployment, first, second)
		if !ok {
			return
		}
		before := s.deployment.DeepCopy()
		state, err := Deployment{}.Observe(t.Context(), s, target)
		if err != nil {
			return
		}
		if !reflect.DeepEqual(before, s.deployment) {
			t.Error("reading changed the Deployment")
		}
		if !state.Found || len(state.Revisions) != 2 || state.Held && (!paused(s.deployment) || state.Settled) {
			t.Errorf("read %+v", state)
		}
		slices.Reverse(s.sets)
		if again, err := (Deployment{}).Observe(t.Context(), s, target); err != nil || !reflect.DeepEqual(again, state) {
			t.Errorf("read\n%+v\nand in another order\n%+v\n%v", state, again, err)
		}
		candidate(t, state)
		for _, r := range state.Revisions {
			if r.Current && !r.Alike || !r.Exists {
				t.Errorf("revision %+v", r)
			}
		}
		s.deployment = nil
		orphaned, err := Deployment{}.Observe(t.Context(), s, target)
		if err != nil || orphaned.Found {
			t.Fatalf("without a Deployment: %+v, %v", orphaned, err)
		}
		for _, r := range orphaned.Revisions {
			if !r.Ours {
				t.Errorf("%s is not the Rollout's and is read as its", r.Name)
			}
		}
	})
}

var nameSyntax = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`)

func candidate(t *testing.T, state workloads.State) {
	t.Helper()
	c := state.Candidate
	_, there := state.Find(c.Name)
	if !c.Current || c.Exists && !there || c.Exists && !c.Owned && !c.Ours {
		t.Errorf("the candidate is %+v", c)
	}
	if !c.Exists && (c.Hash == "" || c.Replicas != 0 || !strings.HasSuffix(c.Name, "-"+c.Hash) || len(c.Name) > maxName) {
		t.Errorf("the candidate would be %+v", c)
	}
}

// FuzzTemplate says what a revision is: a template read twice is the same, a hash and a null time are no part of it, and
// it has one name that a pod and a label can bear.
func FuzzTemplate(f *testing.F) {
	f.Add("web", `{"metadata":{"labels":{"app":"web"},"annotations":{"a":"b"},"creationTimestamp":null},"spec":{"containers":[{"image":"web:v2"}]}}`, "v1", "a,b")
	f.Add(strings.Repeat("a", 49)+"-.b", `{}`, "", "")
	f.Add("a.b", `{"metadata":{"labels":{},"annotations":{"a":7}},"spec":{"containers":[7]}}`, "x", "a")
	f.Add("web", `{"metadata":{"creationTimestamp":"2026-01-01T00:00:00Z"},"spec":{"containers":[{"image":[]}]}}`, "x", ",")
	f.Fuzz(func(t *testing.T, name, text, hash, ignored string) {
		fields := parsed(text)
		if fields == nil {
			return
		}
		of := func(template map[string]any) *unstructured.Unstructured {
			return &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"template": runtime.DeepCopyJSON(template)}}}
		}
		template := templateOf(of(fields))
		if again := templateOf(of(template)); !reflect.DeepEqual(again, template) {
			t.Errorf("%v became %v", template, again)
		}
		hashed := of(template)
		if unstructured.SetNestedField(hashed.Object, hash, "spec", "template", "metadata", "labels", hashKey) == nil && !equal(templateOf(hashed), template) {
			t.Errorf("with a hash %v is %v", template, templateOf(hashed))
		}
		keys := strings.Split(ignored, ",")
		left := without(template, keys)
		if again := without(left, keys); !equal(left, again) {
			t.Errorf("without %q it is %v, and once more %v", keys, left, again)
		}
		_, _ = firstImage(template), podLabels(template)
		if len(name) > 253 || !nameSyntax.MatchString(name) {
			return // no Deployment has it
		}
		first, hash1, err := nameFor(name, template, func(string) bool { return false })
		again, _, _ := nameFor(name, template, func(string) bool { return false })
		next, hash2, _ := nameFor(name, template, func(taken string) bool { return taken == first })
		if err != nil || first != again || first == next || hash1 == hash2 {
			t.Errorf("called %q, then %q, and beside it %q: %v", first, again, next, err)
		}
		if len(first) > maxName || !nameSyntax.MatchString(first) || !strings.HasSuffix(first, "-"+hash1) {
			t.Errorf("%q with hash %q cannot be a name", first, hash1)
		}
	})
}

// FuzzSize reads surges that say anything: what is no number of pods is none, and none is negative where the API server's
// are not. Beyond six characters the Deployment's own controller does not count right either.
func FuzzSize(f *testing.F) {
	for _, seed := range []string{`"25%"`, `1`, `0`, `"0%"`, `"x"`, `null`, `25.5`, `{}`, `"999%"`, `""`} {
		f.Add(seed, int32(3))
	}
	f.Fuzz(func(t *testing.T, surge string, replicas int32) {
		d := parsed(`{"spec":{"strategy":{"rollingUpdate":{"maxSurge":` + surge + `}}}}`)
		if d == nil || len(surge) > 6 || strings.Contains(surge, "-") || replicas < 0 || replicas > 1_000_000 {
			return
		}
		if got := maxSurge(&unstructured.Unstructured{Object: d}, replicas); got < 0 || replicas == 0 && got > 0 && strings.HasSuffix(surge, `%"`) {
			t.Errorf("%s of %d is %d", surge, replicas, got)
		}
	})
}
