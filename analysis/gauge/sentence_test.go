package gauge

import (
	"testing"

	"github.com/belay-dev/belay/analysis/evidence"
)

func TestFinding(t *testing.T) {
	arm := func(median float64) Arm { return Arm{Samples: 60, Worth: 30, Median: median} }
	for want, r := range map[string]Report{
		"nothing to compare yet at this weight":                                                              {},
		"median 412M against 380M: too few samples for a verdict":                                            {Canary: arm(412e6), Stable: arm(380e6)},
		"median 0.41 against 0.38: 0.01 to 0.05 higher, at all looks, 99 %":                                  {Canary: arm(0.41), Stable: arm(0.38), Enough: true, Lower: 0.01, Upper: 0.05, Verdict: evidence.Fail},
		"median 7 against 9: 1 to 3 lower, at all looks, 99 %":                                               {Canary: arm(7), Stable: arm(9), Enough: true, Lower: -3, Upper: -1},
		"median 1234 against 12.3k: 2 lower to 3 higher, at all looks, 99 %":                                 {Canary: arm(1234), Stable: arm(12340), Enough: true, Lower: -2, Upper: 3},
		"median 9 against 7: 2 lower to 3 higher, at all looks, 99 %; frozen, as stable has no traffic left": {Canary: arm(9), Stable: arm(7), Enough: true, Lower: -2, Upper: 3, Frozen: true},
	} {
		if got := r.Finding(Defaults()); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
