package trial

import (
	"strings"
	"testing"

	"github.com/belay-dev/belay/analysis/evidence"
)

func TestMismatch(t *testing.T) {
	for name, tc := range map[string]struct {
		permille       int32
		canary, stable int64
		text           string
	}{
		"as the weight says":         {100, 100, 900, ""},
		"somewhat off":               {100, 140, 860, ""},
		"twice the weight":           {100, 2000, 8000, "TrafficMismatch: the canary has about 20 % of the requests at the weight 10 %: "},
		"callers beside the route":   {500, 1000, 9000, "about 10 % of the requests at the weight 50 %"},
		"a point more of one":        {10, 20, 980, ""},
		"too few requests to tell":   {100, 300, 600, ""},
		"stable has no traffic left": {1000, 5000, 5000, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := watch{permille: 50, canary: 1e6}
			w.see(evidence.Tick{Canary: evidence.Counts{Requests: 1e6}}, true, true, tc.permille) // the tick of the change
			w.see(evidence.Tick{Canary: evidence.Counts{Requests: tc.canary}, Stable: evidence.Counts{Requests: tc.stable}}, true, true, tc.permille)
			if got := w.mismatch(); (got == "") != (tc.text == "") || !strings.Contains(got, tc.text) {
				t.Errorf("says %q", got)
			}
		})
	}
}
