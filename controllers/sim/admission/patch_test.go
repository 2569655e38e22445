package admission

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/cel/mutation"
)

var configMap = schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}

func patched(content map[string]any) *evaluation {
	content["apiVersion"], content["kind"] = "v1", "ConfigMap"
	object := &unstructured.Unstructured{Object: content}
	return &evaluation{facts: newFacts(&Request{Kind: configMap, Object: object}, nil)}
}

func patchOf(operations ...operation) traits.Lister {
	var all []ref.Val
	for _, o := range operations {
		v := &mutation.JSONPatchVal{Op: o.op, Path: o.path, From: o.from}
		if o.value != nil {
			v.Val = types.DefaultTypeAdapter.NativeToValue(o.value)
		}
		all = append(all, v)
	}
	return types.NewRefValList(types.DefaultTypeAdapter, all)
}

// sample is a tree with what a path can run through.
func sample() map[string]any {
	return map[string]any{
		"map":  map[string]any{"a": "1", "b/c": map[string]any{"d~e": true}, "": "nameless"},
		"list": []any{"x", map[string]any{"k": int64(1)}, []any{int64(1), int64(2)}},
		"text": "t", "nothing": nil,
	}
}

// Each patch alone, and its result by hand, so that a wrong library would not go unnoticed.
func TestPatches(t *testing.T) {
	for name, row := range map[string]struct {
		patch []operation
		at    string
		want  any
	}{
		"add a key":               {[]operation{{op: "add", path: "/map/n", value: "v"}}, "/map/n", "v"},
		"add over a key":          {[]operation{{op: "add", path: "/map/a", value: int64(2)}}, "/map/a", int64(2)},
		"add an escaped key":      {[]operation{{op: "add", path: "/map/b~1c/d~0e", value: false}}, "/map/b~1c", map[string]any{"d~e": false}},
		"add into a list":         {[]operation{{op: "add", path: "/list/1", value: "y"}}, "/list", []any{"x", "y", map[string]any{"k": int64(1)}, []any{int64(1), int64(2)}}},
		"add behind a list":       {[]operation{{op: "add", path: "/list/2/-", value: int64(3)}}, "/list/2", []any{int64(1), int64(2), int64(3)}},
		"add at the end by index": {[]operation{{op: "add", path: "/list/2/2", value: int64(3)}}, "/list/2", []any{int64(1), int64(2), int64(3)}},
		"remove a key":            {[]operation{{op: "remove", path: "/map/a"}}, "/map", map[string]any{"b/c": map[string]any{"d~e": true}, "": "nameless"}},
		"remove from a list":      {[]operation{{op: "remove", path: "/list/0"}}, "/list/0", map[string]any{"k": int64(1)}},
		"replace":                 {[]operation{{op: "replace", path: "/list/1/k", value: "v"}}, "/list/1/k", "v"},
		"copy":                    {[]operation{{op: "copy", from: "/list/1", path: "/list/0"}}, "/list/0", map[string]any{"k": int64(1)}},
		"copy, then change the copy": {[]operation{{op: "copy", from: "/list/1", path: "/list/2"}, {op: "replace", path: "/list/2/k", value: int64(9)}},
			"/list/1", map[string]any{"k": int64(1)}},
		"move": {[]operation{{op: "move", from: "/map/a", path: "/list/-"}}, "/list/3", "1"},
		"move over an equal value": {[]operation{{op: "add", path: "/text", value: "1"}, {op: "move", from: "/map/a", path: "/text"}}, "/map",
			map[string]any{"b/c": map[string]any{"d~e": true}, "": "nameless"}},
		"a test that holds": {[]operation{{op: "test", path: "/text", value: "t"}, {op: "replace", path: "/text", value: "u"}}, "/text", "u"},
		"a test that fails undoes the rest": {[]operation{{op: "replace", path: "/text", value: "u"}, {op: "test", path: "/text", value: "t"}},
			"/text", "t"},
		"what was added can be patched": {[]operation{{op: "add", path: "/map/n", value: map[string]any{}}, {op: "add", path: "/map/n/m", value: "v"}},
			"/map/n", map[string]any{"m": "v"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := patched(sample())
			result, done := e.apply(operationsOf(patchOf(row.patch...)))
			if !done {
				t.Fatal("left to the library")
			}
			if got, _ := find(result.Object, row.at); !reflect.DeepEqual(got, row.want) {
				t.Errorf("at %s there is %v, not %v", row.at, got, row.want)
			}
			if want := patched(sample()); !reflect.DeepEqual(e.object, want.object) {
				t.Errorf("the object that was patched is another one now: %v", e.object)
			}
		})
	}
}

// What changes nothing gives back the very object: that is how a policy is known to have left it as it was.
func TestPatchesThatChangeNothing(t *testing.T) {
	e := patched(sample())
	for _, operations := range [][]operation{
		nil, {{op: "add", path: "/map/a", value: "1"}}, {{op: "replace", path: "/list/1", value: map[string]any{"k": int64(1)}}},
		{{op: "test", path: "/text", value: "t"}}, {{op: "test", path: "/text", value: "u"}},
	} {
		if result, done := e.apply(operationsOf(patchOf(operations...))); !done || result != e.object {
			t.Errorf("%v gives another object", operations)
		}
	}
}

// What cannot be applied is refused, in the library's words.
func TestPatchesThatAreRefused(t *testing.T) {
	for _, o := range []operation{
		{op: "remove", path: "/map/none"}, {op: "replace", path: "/map/none/deeper", value: "v"}, {op: "add", path: "/none/deeper", value: "v"},
		{op: "add", path: "/list/7", value: "v"}, {op: "add", path: "/list/x", value: "v"}, {op: "copy", from: "/map/none/deeper", path: "/map/n"}, {op: "copy", from: "", path: "/map/n"},
		{op: "move", from: "/none", path: "/map/n"}, {op: "fly", path: "/map"},
	} {
		e := patched(sample())
		list := patchOf(o)
		if _, done := e.apply(operationsOf(list)); done {
			t.Errorf("%v was applied", o)
		}
		if _, err := e.byTheLibrary(list); err == nil {
			t.Errorf("%v was applied by the library", o)
		}
	}
}

// Any patch comes to what the library makes of it over text.
func TestPatchesAsTheLibraryAppliesThem(t *testing.T) {
	paths := []string{"/map", "/map/a", "/map/b~1c", "/map/b~1c/d~0e", "/map/n", "/map/", "/list", "/list/0", "/list/1", "/list/1/k", "/list/2/1",
		"/list/2/-", "/list/-", "/list/3", "/list/-1", "/list/00", "/text", "/text/x", "/none/x", "/nothing", "/nothing/x", "", "map"}
	applied := 0
	for seed := range uint64(5000) {
		random := rand.New(rand.NewPCG(seed, 2))
		pick := func(from ...string) string { return from[random.IntN(len(from))] }
		values := []any{"v", "1", int64(7), true, map[string]any{}, map[string]any{"k": int64(1)}, []any{}, []any{"x"}}
		var operations []operation
		for range 1 + random.IntN(4) {
			o := operation{op: pick("add", "add", "remove", "replace", "copy", "move", "test"), path: pick(paths...)}
			switch o.op {
			case "add", "replace", "test":
				o.value = values[random.IntN(len(values))]
			case "copy", "move":
				o.from = pick(paths...)
			}
			operations = append(operations, o)
		}
		e, list := patched(sample()), patchOf(operations...)
		got, done := e.apply(operationsOf(list))
		if !done {
			continue
		}
		applied++
		want, err := e.byTheLibrary(list)
		if err != nil {
			t.Fatalf("seed %d: %v comes to %v, but the library says %v", seed, operations, got, err)
		}
		if !reflect.DeepEqual(got.Object, want.Object) {
			t.Fatalf("seed %d: %v comes to\n  %v\nand by the library to\n  %v", seed, operations, got.Object, want.Object)
		}
	}
	if applied < 1000 {
		t.Errorf("only %d patches were applied here", applied)
	}
}
