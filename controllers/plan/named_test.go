package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// The canary's Service outlives the attempt for as long as a route names it: a missing backend is a 500.
func TestCanaryServiceIsKeptWhileARouteNamesIt(t *testing.T) {
	kept := func(o *Observed) {
		o.Progress.Retiring = &v1alpha1.RetiringService{Name: "checkout-canary"}
		o.Progress.Retiring.NotBefore.Time = noon.Add(-time.Second)
		o.Canary.Found = true
	}
	named := func(o *Observed) { o.Canary.Named = true }
	deleting := func(o *Observed) { o.Deleting = true }
	pinned := func(o *Observed) { o.Attempt.Found = true }
	for name, tc := range map[string]struct {
		at      Observed
		effects string
		reason  string
	}{
		"nobody names it":             {atRest(kept), "DeleteCanaryService", "the canary's Service is not needed any more"},
		"a route names it":            {atRest(kept, named), "", "revision v1 is stable"},
		"nothing else waits":          {atRest(kept, named, pinned), "DeleteAttempt", "everything is as Git declares it again"},
		"the end of the Rollout":      {atRest(kept, deleting), "DeleteCanaryService", "the canary's Service is not needed any more"},
		"the end waits for the route": {atRest(kept, named, deleting), "", "waits until no route names Service checkout-canary any more: take it out of the route, in Git too"},
	} {
		t.Run(name, func(t *testing.T) {
			p := Decide(tc.at)
			if got := strings.Join(names(p.Effects), " "); got != tc.effects || p.Reason != tc.reason {
				t.Errorf("%q does %q, want %q and %q", p.Reason, got, tc.reason, tc.effects)
			}
		})
	}
}
