package outcomes

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Every intent of the three kinds begins with the same fence, so each row is
// tried on all of them, against a stored 7.3.
func fence(t *testing.T, w World) {
	tails := map[string]string{
		deploymentManifest("v1"): "/false",
		serviceManifest:          "/pod-template-hash=abc12",
		routeManifest:            "/web/web-canary/5/100",
	}
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
		for manifest, tail := range tails {
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
				s.end() // dropping is always allowed
				if got, is := s.get().GetAnnotations()[key]; is {
					t.Errorf("after dropping %q is stored", got)
				}
			})
		}
	}
}

// A write by anybody else meets the intent rule, not the fence: it succeeds and changes nothing.
func fenceIsForTheControllerAlone(t *testing.T, w World) {
	t.Parallel()
	s := w.scene(t, serviceManifest)
	s.play(inFlight)
	s.must(writers["JSON patch forges"](s))
	s.must(s.patch("application/merge-patch+json", annotation("belay.dev/pin", "0.1/pod-template-hash=abc12")))
	s.wants(pinned + "; contested-by alice")
}
