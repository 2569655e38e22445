package observe

import (
	"strings"
	"testing"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/plan"
)

// asked is a Rollout with a request in its annotation, the last answered one being another.
func asked(value, answered string) *v1alpha1.Rollout {
	r := &v1alpha1.Rollout{}
	r.Annotations = map[string]string{v1alpha1.AnnotationRequest: value, v1alpha1.AnnotationRequestedBy: "jo"}
	if answered != "" {
		r.Status.Progress = &v1alpha1.Progress{Request: answered}
	}
	return r
}

func TestRequest(t *testing.T) {
	malformed := `annotation belay.dev/request must be "<verb> <revision> <unique token>"`
	tests := map[string]struct {
		value, answered string
		want            *plan.Request
	}{
		"none":            {"", "", nil},
		"promote":         {"promote 7d4f t1", "", &plan.Request{Verb: "promote", Revision: "7d4f", Token: "t1", User: "jo"}},
		"after another":   {"promote 7d4f t2", "t1", &plan.Request{Verb: "promote", Revision: "7d4f", Token: "t2", User: "jo"}},
		"answered":        {"promote 7d4f t1", "t1", nil},
		"blanks between":  {"  promote\t7d4f  t1 ", "", &plan.Request{Verb: "promote", Revision: "7d4f", Token: "t1", User: "jo"}},
		"unknown verb":    {"hurry - t1", "", &plan.Request{Verb: "hurry", Revision: "-", Token: "t1", User: "jo"}},
		"too few words":   {"promote", "", &plan.Request{Verb: "unknown", Token: "promote", User: "jo", Malformed: malformed}},
		"too many words":  {"promote 7d4f t1 now", "", &plan.Request{Verb: "unknown", Token: "promote 7d4f t1 now", User: "jo", Malformed: malformed}},
		"blanks alone":    {"   ", "", &plan.Request{Verb: "unknown", Token: "   ", User: "jo", Malformed: malformed}},
		"refused already": {"promote", "promote", nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := request(asked(tc.value, tc.answered))
			if (got == nil) != (tc.want == nil) || (got != nil && *got != *tc.want) {
				t.Errorf("read %+v, want %+v", got, tc.want)
			}
		})
	}
}

// Whatever stands in the annotation is a request that can be answered once, and then is none.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{"", "promote 7d4f t1", "abort - x", "a b c d", " ", "\n\t", "promote\u00a07d4f t1", "pause \x00 t", strings.Repeat("x ", 100)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got := request(asked(value, ""))
		if value == "" {
			if got != nil {
				t.Errorf("nothing is read as %+v", got)
			}
			return
		}
		if got == nil || got.Token == "" || got.Verb == "" {
			t.Fatalf("%q is read as %+v, which cannot be answered", value, got)
		}
		if got.Malformed == "" && strings.ContainsAny(got.Verb+got.Revision+got.Token, " \t\n") {
			t.Errorf("%q is read as %+v", value, got)
		}
		if again := request(asked(value, got.Token)); again != nil {
			t.Errorf("%q was answered and is read again as %+v", value, again)
		}
	})
}
