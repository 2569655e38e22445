package outcomes

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// route is a manifest whose rules have these lists of backendRefs in flow style.
func route(rules ...string) string {
	manifest := `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  rules:
`
	for i, rule := range rules {
		manifest += fmt.Sprintf("  - matches: [{path: {type: PathPrefix, value: /%d}}]\n    backendRefs: [%s]\n", i, rule)
	}
	return manifest
}

// many is n backends with other names.
func many(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("{name: other-%d, port: 80, weight: 1}", i))
	}
	return strings.Join(all, ", ")
}

func splitForms(t *testing.T, w World) {
	const web = "{name: web, port: 80}"
	for name, row := range map[string]struct {
		rules  []string
		intent string
		form   string
	}{
		"no weight given is 1":          {[]string{web}, "1.1/web/web-canary/5/100", "web 95, web-canary 5"},
		"weight 0 is written out":       {[]string{web}, "1.1/web/web-canary/0/100", "web 100, web-canary 0"},
		"weight 100 leaves the Service": {[]string{web}, "1.1/web/web-canary/100/100", "web 0, web-canary 100"},
		"per mille":                     {[]string{"{name: web, port: 80, weight: 90}, {name: other, port: 80, weight: 10}"}, "1.1/web/web-canary/1/1000", "web 89910, web-canary 90, other 10000"},
		"a Service of weight 0 stays without traffic": {[]string{"{name: web, port: 80, weight: 0}, {name: other, port: 80, weight: 2}"},
			"1.1/web/web-canary/50/100", "web 0, web-canary 0, other 200"},
		"several rules, and one that names another Service": {[]string{web, "{name: other, port: 80, weight: 3}", "{name: web, port: 81, weight: 2}"},
			"1.1/web/web-canary/25/100", "web 75, web-canary 25 | other 3 | web 150, web-canary 50"},
		"two references to the Service in one rule": {[]string{"{name: web, port: 80, weight: 3}, {name: other, port: 80, weight: 1}, {name: web, port: 81, weight: 5}"},
			"1.1/web/web-canary/10/100", "web 270, web-canary 30, other 100, web 450, web-canary 50"},
		"the same name in another namespace": {[]string{"{name: web, namespace: elsewhere, port: 80, weight: 4}"}, "1.1/web/web-canary/10/100", "web 4"},
		"the same name of another kind":      {[]string{"{name: web, group: example.com, kind: Service, port: 80, weight: 4}, {name: web, kind: Backend, group: example.com, weight: 1}"}, "1.1/web/web-canary/10/100", "web 4, web 1"},
		"16 backends cannot become 17":       {[]string{"{name: web, port: 80, weight: 1}, " + many(15)}, "1.1/web/web-canary/10/100", "web 1, " + formOfMany(15, 1)},
		"15 can become 16":                   {[]string{"{name: web, port: 80, weight: 1}, " + many(14)}, "1.1/web/web-canary/10/100", "web 90, web-canary 10, " + formOfMany(14, 100)},
		"a rule that cannot be split does not keep the others from it": {[]string{"{name: web, port: 80, weight: 1}, " + many(15), web},
			"1.1/web/web-canary/10/100", "web 1, " + formOfMany(15, 1) + " | web 90, web-canary 10"},
		"the largest weight that can be scaled": {[]string{"{name: web, port: 80, weight: 10000}, {name: other, port: 80, weight: 1}"},
			"1.1/web/web-canary/10/100", "web 900000, web-canary 100000, other 100"},
		"a weight too large to be scaled": {[]string{"{name: web, port: 80, weight: 10001}, {name: other, port: 80, weight: 1}"},
			"1.1/web/web-canary/10/100", "web 10001, other 1"},
		"another backend's weight too large to be scaled": {[]string{"{name: web, port: 80, weight: 1}, {name: other, port: 80, weight: 1001}"},
			"1.1/web/web-canary/10/1000", "web 1, other 1001"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := w.scene(t, route(row.rules...))
			s.reapply()
			git := s.get()
			s.must(s.intend(annotation("belay.dev/split", row.intent)))
			s.wants(row.form + "; split " + row.intent)
			s.reapply()
			s.wants(row.form + "; split " + row.intent)
			s.end()
			if !reflect.DeepEqual(git.Object["spec"], s.get().Object["spec"]) {
				t.Errorf("Git's form did not come back exactly:\n  %v\nwas\n  %v", s.get().Object["spec"], git.Object["spec"])
			}
		})
	}
}

func formOfMany(n, weight int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("other-%d %d", i, weight))
	}
	return strings.Join(all, ", ")
}

// A story is a sequence of writes, each with the form that it must leave.
type step struct {
	does  string
	write func(*scene) error
	form  string
}

func intends(intent string) func(*scene) error {
	return func(s *scene) error { return s.intend(annotation("belay.dev/split", intent)) }
}

func applies(manifest string) func(*scene) error {
	return func(s *scene) error {
		s.git = mustParse(s.t, manifest)
		_, err := s.apply(true, false)
		return err
	}
}

// edits is a person who changes backendRefs of the first rule in place.
func edits(refs string) func(*scene) error {
	return func(s *scene) error {
		return s.patch(types.JSONPatchType, `[{"op":"replace","path":"/spec/rules/0/backendRefs","value":[`+refs+`]}]`)
	}
}

func ref(name string, weight int) string {
	return fmt.Sprintf(`{"name":%q,"port":80,"weight":%d}`, name, weight)
}

const at5, at25 = "1.1/web/web-canary/5/100", "1.2/web/web-canary/25/100"

// Each story begins with a route at rest: web 90, other 10.
var splitStories = map[string][]step{
	"a ladder up and back": {
		{"5 %", intends(at5), divided5},
		{"25 %", intends(at25), "web 6750, web-canary 2250, other 1000; split " + at25},
		{"100 %", intends("1.3/web/web-canary/100/100"), "web 0, web-canary 9000, other 1000; split 1.3/web/web-canary/100/100"},
		{"0 %", intends("1.4/web/web-canary/0/100"), "web 9000, web-canary 0, other 1000; split 1.4/web/web-canary/0/100"},
		{"end", (*scene).drop, "web 90, other 10"},
	},
	"the next attempt counts in per mille without a clearing in between": {
		{"percent", intends(at5), divided5},
		{"per mille", intends("2.0/web/web-canary/5/1000"), "web 89550, web-canary 450, other 10000; split 2.0/web/web-canary/5/1000"},
		{"percent", intends("3.0/web/web-canary/5/100"), "web 8550, web-canary 450, other 1000; split 3.0/web/web-canary/5/100"},
		{"end", (*scene).drop, "web 90, other 10"},
	},
	"the canary Service gets another name": {
		{"one", intends(at5), divided5},
		{"other", intends("1.2/web/web-canary-2/5/100"), "web 8550, web-canary-2 450, other 1000; split 1.2/web/web-canary-2/5/100"},
		{"end", (*scene).drop, "web 90, other 10"},
	},
	"another Service is split": {
		{"web", intends(at5), divided5},
		{"other", intends("2.0/other/other-canary/50/100"), "web 9000, other 500, other-canary 500; split 2.0/other/other-canary/50/100"},
		{"end", (*scene).drop, "web 90, other 10"},
	},
	"Git changes weights, adds a rule and takes it away": {
		{"5 %", intends(at5), divided5},
		{"other weights", applies(route("{name: web, port: 80, weight: 1}, {name: other, port: 80, weight: 1}")), "web 95, web-canary 5, other 100; split " + at5},
		{"another rule", applies(route("{name: web, port: 80}", "{name: web, port: 81, weight: 2}")), "web 95, web-canary 5 | web 190, web-canary 10; split " + at5},
		{"without the Service", applies(route("{name: other, port: 80, weight: 7}")), "other 7; split " + at5},
		{"and back", applies(route("{name: web, port: 80, weight: 90}, {name: other, port: 80, weight: 10}")), divided5},
		{"end", (*scene).drop, "web 90, other 10"},
	},
	"a rule grows until it cannot be split, and shrinks again": {
		{"5 %", intends(at5), divided5},
		{"16 backends", applies(route("{name: web, port: 80}, " + many(15))), "web 1, " + formOfMany(15, 1) + "; split " + at5},
		{"25 %", intends(at25), "web 1, " + formOfMany(15, 1) + "; split " + at25},
		{"3 backends", applies(route("{name: web, port: 80}, " + many(2))), "web 75, web-canary 25, " + formOfMany(2, 100) + "; split " + at25},
		{"end", (*scene).drop, "web 1, " + formOfMany(2, 1)},
	},
	"a person edits what is in flight": {
		{"5 %", intends(at5), divided5},
		{"all to the canary", edits(ref("web", 0) + "," + ref("web-canary", 9000) + "," + ref("other", 1000)), divided5 + "; contested-by alice"},
		{"the canary goes missing", edits(ref("web", 9000) + "," + ref("other", 1000)), "web 855000, web-canary 45000, other 100000; split " + at5 + "; contested-by alice"},
		{"Git again", applies(route("{name: web, port: 80, weight: 90}, {name: other, port: 80, weight: 10}")), divided5 + "; contested-by alice"},
		{"only the canary is left", edits(ref("web-canary", 9000) + "," + ref("other", 1000)), divided5 + "; contested-by alice"},
		{"the canary comes first", edits(ref("web-canary", 450) + "," + ref("web", 8550) + "," + ref("other", 1000)),
			"web 475, web-canary 25, web 8170, web-canary 430, other 1000; split " + at5 + "; contested-by alice"},
		{"crumbs", edits(ref("web", 3) + "," + ref("web-canary", 0) + "," + ref("other", 149)), "web 95, web-canary 5, other 100; split " + at5 + "; contested-by alice"},
		{"end", (*scene).drop, "web 1, other 1"},
	},
	"the controller's own unparsable intent is none": {
		{"5 %", intends(at5), divided5},
		{"101 %", intends("1.2/web/web-canary/101/100"), "web 90, other 10"},
	},
}

func splitsAsTold(t *testing.T, w World) {
	for name, story := range splitStories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := w.scene(t, route("{name: web, port: 80, weight: 90}, {name: other, port: 80, weight: 10}"))
			s.reapply()
			s.follow(story)
		})
	}
}

const divided5 = "web 8550, web-canary 450, other 1000; split 1.1/web/web-canary/5/100"

func (s *scene) drop() error { return s.intend(annotation("belay.dev/split", nil)) }

// A canary reference is a copy of the Service's with everything on it, and a
// change from Git in the same rule goes through under the split.
func splitKeepsTheRest(t *testing.T, w World) {
	t.Parallel()
	const filters = `filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x-tenant, value: "1"}]}}]`
	manifest := route("{name: web, port: 80, weight: 1, " + filters + "}")
	s := w.scene(t, manifest)
	s.reapply()
	s.must(s.intend(annotation("belay.dev/split", "1.1/web/web-canary/5/100")))
	refs := firstRule(s.get())["backendRefs"].([]any)
	service, canary := refs[0].(map[string]any), refs[1].(map[string]any)
	if !reflect.DeepEqual(service["filters"], canary["filters"]) || len(canary["filters"].([]any)) != 1 {
		t.Errorf("the canary has filters %v, the Service %v", canary["filters"], service["filters"])
	}
	before := s.get().GetGeneration()
	s.must(applies(strings.Replace(manifest, "    backendRefs", "    timeouts: {request: 7s}\n    backendRefs", 1))(s))
	s.wants("web 95, web-canary 5; split 1.1/web/web-canary/5/100")
	if got := firstRule(s.get())["timeouts"]; !reflect.DeepEqual(got, map[string]any{"request": "7s"}) {
		t.Errorf("Git's timeout is %v", got)
	}
	if moved := s.get().GetGeneration() - before; moved != 1 {
		t.Errorf("generation moved by %d for one change", moved)
	}
}

func firstRule(object *unstructured.Unstructured) map[string]any {
	rules, _, _ := unstructured.NestedSlice(object.Object, "spec", "rules")
	return rules[0].(map[string]any)
}

// Routes are served in an older version too; the policy sees them converted.
func splitThroughTheOlderVersion(t *testing.T, w World) {
	t.Parallel()
	s := w.scene(t, routeManifest)
	s.play(inFlight)
	s.resource = oldRoutes
	s.must(s.patch(types.JSONPatchType, `[{"op":"remove","path":"/metadata/annotations/belay.dev~1split"}]`))
	s.wants(divided + "; contested-by alice")
}

// The largest route that the schema allows: 16 rules with 16 backends each, of
// which every one is split that can be. It must not exceed what the API server
// lets a policy cost.
func splitOfTheLargestRoute(t *testing.T, w World) {
	t.Parallel()
	var rules, forms, split []string
	for i := range 16 {
		backends := strings.Repeat(fmt.Sprintf("{name: web, port: %d, weight: 3}, ", 80+i), 8)
		form := strings.Repeat("web 3, ", 8)
		half := strings.Repeat("web 150, web-canary 150, ", 8)
		if i%2 == 1 {
			// 16 references to the Service would become 32.
			backends, form = backends+backends, form+form
			half = form
		}
		rules, forms, split = append(rules, strings.TrimSuffix(backends, ", ")), append(forms, strings.TrimSuffix(form, ", ")), append(split, strings.TrimSuffix(half, ", "))
	}
	s := w.scene(t, route(rules...))
	s.reapply()
	s.must(s.intend(annotation("belay.dev/split", "1.1/web/web-canary/50/100")))
	s.wants(strings.Join(split, " | ") + "; split 1.1/web/web-canary/50/100")
	s.reapply()
	s.wants(strings.Join(split, " | ") + "; split 1.1/web/web-canary/50/100")
	s.end()
	s.wants(strings.Join(forms, " | "))
}
