package policies

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiserver "k8s.io/apiserver/pkg/admission"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/sim/admission"
	"github.com/belay-dev/belay/routers"
)

// Who writes.
const (
	controller = "system:serviceaccount:belay-system:belay"
	alice      = "alice"
)

// Bounds of the Gateway API.
const (
	maxBackends = 16
	maxWeight   = 1_000_000
)

func shipped(f *testing.F) *admission.Policies {
	f.Helper()
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no policies: %v", err)
	}
	var texts [][]byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		texts = append(texts, text)
	}
	policies, err := admission.Compile(texts...)
	if err != nil {
		f.Fatal(err)
	}
	return policies
}

// stored is an object that is updated again and again.
type stored struct {
	*testing.T
	policies *admission.Policies
	object   *unstructured.Unstructured
}

func (s *stored) update(user string, change func(*unstructured.Unstructured)) error {
	object := s.object.DeepCopy()
	change(object)
	kind := object.GroupVersionKind()
	admitted, err := s.policies.Admit(s.Context(), admission.Request{
		Operation: apiserver.Update, Kind: kind, Resource: kind.GroupVersion().WithResource(strings.ToLower(kind.Kind) + "s"),
		Namespace: object.GetNamespace(), Name: object.GetName(), User: user, Object: object, Old: s.object,
	}, nil, nil)
	if err == nil {
		s.object = admitted
	}
	return err
}

// must is update of a write that nothing anybody wrote may make fail.
func (s *stored) must(user string, change func(*unstructured.Unstructured)) {
	s.Helper()
	if err := s.update(user, change); err != nil {
		s.Fatalf("%s cannot write %v: %v", user, s.object.Object, err)
	}
}

func note(key, value string) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		if value == "" {
			unstructured.RemoveNestedField(o.Object, "metadata", "annotations", key)
			return
		}
		notes := o.GetAnnotations()
		if notes == nil {
			notes = map[string]string{}
		}
		notes[key] = value
		o.SetAnnotations(notes)
	}
}

func empty(kind schema.GroupVersionKind, spec map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	o.SetGroupVersionKind(kind)
	o.SetNamespace("shop")
	o.SetName("web")
	return o
}

var httpRoute = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"}

// rulesOf makes rules of bytes, as an API server stores them: with a weight at each reference. Three bytes are a reference,
// a byte of 0xff begins the next rule.
func rulesOf(text []byte, names ...string) []any {
	rules := []any{}
	refs := []any{}
	for len(text) >= 3 && len(rules) < 4 {
		if text[0] == 0xff || len(refs) == maxBackends {
			rules, refs, text = append(rules, map[string]any{"backendRefs": refs}), []any{}, text[1:]
			continue
		}
		ref := map[string]any{"name": names[int(text[0]&7)%len(names)], "weight": int64(text[1])<<(text[2]&15) | int64(text[2]>>4)}
		if ref["weight"].(int64) > maxWeight {
			ref["weight"] = int64(maxWeight)
		}
		for bit, field := range map[byte][2]string{1 << 3: {"namespace", "shop"}, 1 << 4: {"kind", "Service"}, 1 << 5: {"namespace", "far"}, 1 << 6: {"kind", "Bucket"}, 1 << 7: {"group", "x.io"}} {
			if text[0]&bit != 0 {
				ref[field[0]] = field[1]
			}
		}
		if text[0]&(1<<3) == 0 {
			ref["filters"] = []any{map[string]any{"type": "X", "n": int64(text[2])}}
		}
		refs, text = append(refs, ref), text[3:]
	}
	return append(rules, map[string]any{"backendRefs": refs})
}

func writes(rules []any) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		o.Object["spec"].(map[string]any)["rules"] = runtime.DeepCopyJSONValue(rules)
	}
}

func split(n int64, weight, scale uint16) routers.Split {
	s := routers.Split{Fence: routers.Fence{Attempt: 7, Sequence: n}, Service: "web", Canary: "web-canary", Scale: 100}
	if scale%2 == 1 {
		s.Scale = 1000
	}
	s.Weight = int32(weight) % (s.Scale + 1)
	return s
}

func seedRules(f *testing.F) {
	f.Add([]byte("\x10\x5a\x00\x11\x0a\x00"), []byte("\x10\x5a\x00\x12\x0a\x00"), uint16(5), uint16(0), uint16(25), uint16(1))
	f.Add([]byte("\x00\x00\x10\x00\x00\x10\xff\x20\x01\x01\x40\x01\x01\x80\x01\x01"), []byte("\x02\xff\x0f\x02\xff\x0f"), uint16(1000), uint16(1), uint16(0), uint16(0))
	f.Add([]byte("\x10\xff\x0c\x11\x01\x00"), []byte("\x12\x01\x00\x10\x01\x00"), uint16(100), uint16(0), uint16(7), uint16(0))
	f.Add([]byte("\x10\x01\x00\x10\x01\x00\x10\x01\x00\x10\x01\x00\x10\x01\x00\x10\x01\x00\x10\x01\x00\x10\x01\x00\x10\x01\x00"), []byte{}, uint16(1), uint16(0), uint16(2), uint16(0))
	f.Add([]byte{}, []byte("\x10\x01\x00\x12\x63\x00\x12\x01\x00"), uint16(50), uint16(0), uint16(50), uint16(1))
}

// FuzzSplit splits routes of any backends and weights: none becomes negative, they sum to what Git has times the scale, the
// canary has exactly its share of the Service's, others keep theirs; it is the same however often and by whomever the route
// is written again; and without the intent the rules are as Git has them.
func FuzzSplit(f *testing.F) {
	policies := shipped(f)
	seedRules(f)
	f.Fuzz(func(t *testing.T, text, foreign []byte, weight, scale, nextWeight, nextScale uint16) {
		git := rulesOf(text, "web", "other", "api")
		route := &stored{T: t, policies: policies, object: empty(httpRoute, map[string]any{"rules": runtime.DeepCopyJSONValue(git)})}
		for i, s := range []routers.Split{split(1, weight, scale), split(2, nextWeight, nextScale), split(3, 0, nextScale)} {
			route.must(controller, note(v1alpha1.AnnotationSplit, s.String()))
			shares(t, git, route.object, s)
			if i == 1 {
				continue // from one scale to the next at once
			}
			before := route.object.DeepCopy()
			for _, again := range [][]any{git, before.Object["spec"].(map[string]any)["rules"].([]any)} {
				route.must(alice, func(o *unstructured.Unstructured) {
					writes(again)(o)
					note(v1alpha1.AnnotationSplit, "")(o)
				})
				if !reflect.DeepEqual(route.object.Object["spec"], before.Object["spec"]) {
					t.Errorf("written again as\n%v\nit became\n%v", before.Object["spec"], route.object.Object["spec"])
				}
			}
		}
		route.must(controller, note(v1alpha1.AnnotationSplit, ""))
		if got := route.object.Object["spec"].(map[string]any)["rules"]; !reflect.DeepEqual(got, any(git)) {
			t.Errorf("afterwards the rules are\n%v\nGit has\n%v", got, git)
		}
		if notes := route.object.GetAnnotations(); len(notes) > 0 {
			t.Errorf("afterwards there is left %v", notes)
		}
	})
}

// shares holds the stored rules against Git's.
func shares(t *testing.T, git []any, route *unstructured.Unstructured, s routers.Split) {
	t.Helper()
	rules, _, _ := unstructured.NestedSlice(route.Object, "spec", "rules")
	if len(rules) != len(git) {
		t.Fatalf("%d rules became %d", len(git), len(rules))
	}
	for i := range rules {
		got, want := refs(rules[i]), divided(refs(git[i]), s)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("by %s rule\n%v\nbecame\n%v\nwant\n%v", s, refs(git[i]), got, want)
		}
	}
}

func refs(rule any) []any { return rule.(map[string]any)["backendRefs"].([]any) }

// divided is the arithmetic in other words: every reference times the scale, and each to the Service in two.
func divided(git []any, s routers.Split) []any {
	out, targets := []any{}, 0
	for _, item := range git {
		ref := runtime.DeepCopyJSON(item.(map[string]any))
		weight := ref["weight"].(int64)
		if weight*int64(s.Scale) > maxWeight {
			return git
		}
		if !ours(ref, s.Service) {
			ref["weight"] = weight * int64(s.Scale)
			out = append(out, ref)
			continue
		}
		half := runtime.DeepCopyJSON(ref)
		half["name"], half["weight"] = s.Canary, weight*int64(s.Weight)
		ref["weight"] = weight * int64(s.Scale-s.Weight)
		out, targets = append(out, ref, half), targets+1
	}
	if targets == 0 || len(out) > maxBackends {
		return git
	}
	return out
}

func ours(ref map[string]any, name string) bool {
	is := func(field, otherwise, want string) bool {
		value, ok := ref[field].(string)
		return value == want || !ok && otherwise == want
	}
	return ref["name"] == name && is("namespace", "shop", "shop") && is("kind", "Service", "Service") && is("group", "", "")
}

// FuzzForeignRules lets a stranger write rules of any form, also such that look like a split: the canary never gets more of
// them than its share, and nothing of it is left when the intent goes.
func FuzzForeignRules(f *testing.F) {
	policies := shipped(f)
	seedRules(f)
	f.Fuzz(func(t *testing.T, text, foreign []byte, weight, scale, nextWeight, nextScale uint16) {
		route := &stored{T: t, policies: policies, object: empty(httpRoute, map[string]any{"rules": rulesOf(text, "web", "other")})}
		s := split(1, weight, scale)
		route.must(controller, note(v1alpha1.AnnotationSplit, s.String()))
		route.must(alice, func(o *unstructured.Unstructured) {
			writes(rulesOf(foreign, "web", "other", "web-canary"))(o)
			note(v1alpha1.AnnotationSplit, split(9, nextWeight, nextScale).String())(o)
		})
		bounded(t, route.object, s)
		again := route.object.DeepCopy()
		route.must(alice, func(*unstructured.Unstructured) {})
		if !reflect.DeepEqual(again.Object["spec"], route.object.Object["spec"]) {
			t.Errorf("left alone\n%v\nbecame\n%v", again.Object["spec"], route.object.Object["spec"])
		}
		route.must(controller, note(v1alpha1.AnnotationSplit, split(2, nextWeight, nextScale).String()))
		bounded(t, route.object, split(2, nextWeight, nextScale))
		route.must(controller, note(v1alpha1.AnnotationSplit, ""))
		bounded(t, route.object, routers.Split{Service: "web", Canary: "web-canary", Scale: 100})
	})
}

// bounded says that no rule gives the canary more than its share of what the two have.
func bounded(t *testing.T, route *unstructured.Unstructured, s routers.Split) {
	t.Helper()
	rules, _, _ := unstructured.NestedSlice(route.Object, "spec", "rules")
	for _, rule := range rules {
		var both, canary int64
		for _, item := range refs(rule) {
			ref := item.(map[string]any)
			weight := ref["weight"].(int64)
			if weight < 0 || weight > maxWeight {
				t.Errorf("a weight of %d", weight)
			}
			if ours(ref, s.Canary) {
				canary += weight
			}
			if ours(ref, s.Canary) || ours(ref, s.Service) {
				both += weight
			}
		}
		if canary*int64(s.Scale) > both*int64(s.Weight) {
			t.Errorf("by %s the canary has %d of %d in %v", s, canary, both, refs(rule))
		}
	}
}

// FuzzIntent stores intents that say anything: what the policies obey is what the controller reads as the same, anything
// else is absent, and whoever writes next can write.
func FuzzIntent(f *testing.F) {
	policies := shipped(f)
	for _, seed := range []string{
		"7.41/web/web-canary/25/100", "0.0/a/b/1000/1000", "1.1/a/b/101/100", "1.1/a/b/025/100", "7.41/pod-template-hash=7d4f", "007.1/controller-revision-hash=-", "1.1/pod-template-hash=a=b",
		"7.3/false", "7.3/true", "7.4/-", "7.3/", "x", "1.1/a/b/5/100\n", "٧.1/a/b/5/100", "1234567890.1/true",
	} {
		f.Add(seed, seed)
	}
	f.Add("7.3/true", "7.3/false")
	f.Add("7.3/web/web-canary/5/100", "7.2/web/web-canary/5/100")
	f.Fuzz(func(t *testing.T, first, second string) {
		for kind, key := range map[schema.GroupVersionKind]string{
			httpRoute: v1alpha1.AnnotationSplit, {Version: "v1", Kind: "Service"}: v1alpha1.AnnotationPin, {Group: "apps", Version: "v1", Kind: "Deployment"}: v1alpha1.AnnotationHold,
		} {
			spec := map[string]any{
				"rules":    []any{map[string]any{"backendRefs": []any{map[string]any{"name": "web", "weight": int64(1)}}}},
				"selector": map[string]any{"app": "web"}, "paused": true, "template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "web", "image": "v1"}}}},
			}
			object := &stored{T: t, policies: policies, object: empty(kind, spec)}
			object.object.SetLabels(map[string]string{v1alpha1.LabelRollout: "web"})
			note("of", "another")(object.object)
			note(key, first)(object.object)
			object.must(alice, func(*unstructured.Unstructured) {})
			want := absentOr(kind.Kind, first)
			if got := object.object.GetAnnotations()[key]; got != want {
				t.Errorf("%s: %q is stored and becomes %q, the controller reads %q", kind.Kind, first, got, want)
			}
			object.must(alice, note(key, second))
			// Whoever may resume the Deployment may also say that it is not to stay paused.
			resumed := strings.HasSuffix(want, "/true") && second == strings.TrimSuffix(want, "true")+"false"
			if got := object.object.GetAnnotations()[key]; got != want && !(resumed && got == second) {
				t.Errorf("%s: a stranger's %q took the place of %q: %q", kind.Kind, second, want, got)
			}
			err := object.update(controller, note(key, second))
			if err != nil && !strings.Contains(err.Error(), "belay-fence") {
				t.Errorf("%s: %q after %q: %v", kind.Kind, second, first, err)
			}
			// A hold begins with a template, not with an annotation.
			if got := object.object.GetAnnotations()[key]; err == nil && !strings.HasSuffix(second, "/-") && (want != "" || kind.Kind != "Deployment") && got != absentOr(kind.Kind, second) {
				t.Errorf("%s: the controller's %q is stored as %q", kind.Kind, second, got)
			}
			object.must(alice, func(*unstructured.Unstructured) {})
		}
	})
}

// holdSyntax is what workloads/deployment reads.
var holdSyntax = regexp.MustCompile(`^[0-9]{1,9}\.[0-9]{1,9}/(true|false)$`)

// absentOr is the value, if the controller reads an intent from it.
func absentOr(kind, value string) string {
	ok := false
	switch kind {
	case "HTTPRoute":
		_, ok = routers.ParseSplit(value)
	case "Service":
		_, ok = routers.ParsePin(value)
	case "Deployment":
		ok = holdSyntax.MatchString(value)
	}
	if !ok {
		return ""
	}
	return value
}
