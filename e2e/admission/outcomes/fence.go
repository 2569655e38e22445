package outcomes

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

// tails are what comes after the fence of an intent, by manifest.
func tails() map[string]string {
	return map[string]string{
		deploymentManifest("v1"): "/false",
		serviceManifest:          "/pod-template-hash=abc12",
		routeManifest:            "/web/web-canary/5/100",
	}
}

// Every intent of the three kinds begins with the same fence, so each row is
// tried on all of them, against a stored 7.3.
func fence(t *testing.T, w World) {
	for name, row := range map[string]struct {
		fence   string
		refused string
	}{
		"the next sequence":                   {"7.4", ""},
		"the same again":                      {"7.3", ""},
		"the next attempt, sequence restarts": {"8.0", ""},
		"more digits are more":                {"10.1", ""},
		"an older sequence":                   {"7.2", "the stored intent is 7.3 and this write is 7.2"},
		"an older attempt, higher sequence":   {"6.9", "the stored intent is 7.3 and this write is 6.9"},
		"what the policy numbers itself":      {"0.0", "the stored intent is 7.3 and this write is 0.0"},
	} {
		for manifest, tail := range tails() {
			s := w.scene(t, manifest)
			t.Run(name+"/"+s.git.GetKind(), func(t *testing.T) {
				t.Parallel()
				s.t = t
				s.play(inFlight)
				key, _ := s.intent()
				s.must(s.intend(annotation(key, "7.3"+tail)))
				err := s.intend(annotation(key, row.fence+tail))
				switch {
				case row.refused == "" && err != nil:
					t.Errorf("refused: %v", err)
				case row.refused != "" && (!apierrors.IsForbidden(err) || !strings.Contains(err.Error(), row.refused)):
					t.Errorf("the answer is %v, not a refusal that says %q", err, row.refused)
				}
				want := row.fence
				if row.refused != "" {
					want = "7.3"
				}
				if got := s.get().GetAnnotations()[key]; got != want+tail {
					t.Errorf("stored is %q, not %q", got, want+tail)
				}
				s.end() // dropping without a fence is always allowed
				if got, is := s.get().GetAnnotations()[key]; is {
					t.Errorf("after dropping %q is stored", got)
				}
			})
		}
	}
}

// The controller takes an intent away by its fence alone, against a stored 7.3. One that knew less takes nothing away; that is
// no refusal, for the rest of its write may be right.
func fencedDrops(t *testing.T, w World) {
	for name, row := range map[string]struct {
		drop string
		by   func(*scene, string) error
		gone bool
	}{
		"by what is stored":                 {"7.3/-", (*scene).intend, true},
		"by the next sequence":              {"7.4/-", (*scene).intend, true},
		"by the next attempt":               {"8.0/-", (*scene).intend, true},
		"by an older sequence":              {"7.2/-", (*scene).intend, false},
		"by an older attempt":               {"6.9/-", (*scene).intend, false},
		"by a person, whatever the fence":   {"8.0/-", (*scene).mergePatch, false},
		"by an older sequence of a person":  {"7.2/-", (*scene).mergePatch, false},
		"by a fence of more digits than 10": {"12345678901.0/-", (*scene).intend, true}, // nonsense is no intent
	} {
		for manifest, tail := range tails() {
			s := w.scene(t, manifest)
			t.Run(name+"/"+s.git.GetKind(), func(t *testing.T) {
				t.Parallel()
				s.t = t
				s.play(inFlight)
				key, _ := s.intent()
				s.must(s.intend(annotation(key, "7.3"+tail)))
				held, _, _ := strings.Cut(formOf(s.get()), ";")
				s.must(row.by(s, annotation(key, row.drop)))
				form, _, _ := strings.Cut(formOf(s.get()), ";")
				switch stored, is := s.get().GetAnnotations()[key]; {
				case row.gone && (is || form == held):
					t.Errorf("the intent is %q and the form still %s", stored, form)
				case !row.gone && (stored != "7.3"+tail || form != held):
					t.Errorf("the intent is %q and the form %s, not %s", stored, form, held)
				}
			})
		}
	}
}

func (s *scene) mergePatch(patch string) error { return s.patch(types.MergePatchType, patch) }

// A write by anybody else meets the intent rule, not the fence: it succeeds and changes nothing.
func fenceIsForTheControllerAlone(t *testing.T, w World) {
	t.Parallel()
	s := w.scene(t, serviceManifest)
	s.play(inFlight)
	s.must(writers["JSON patch forges"](s))
	s.must(s.patch("application/merge-patch+json", annotation("belay.dev/pin", "0.1/pod-template-hash=abc12")))
	s.wants(pinned + "; contested-by alice")
}
