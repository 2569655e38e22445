package latency

import (
	"testing"

	"github.com/belay-dev/belay/analysis/evidence"
)

// What the assumed noise of latencies is for: a canary whose every request takes a quarter or a fifth longer is found,
// and with what is assumed of bad requests it would not be, with a million and a half of its requests.
func TestAFifthSlowerIsFound(t *testing.T) {
	for name, tc := range map[string]struct {
		params   evidence.Params
		bounds   []float64
		times    float64
		requests int64 // of the canary, at most; 0: never
	}{
		"a fifth, native":                     {Defaults(), native(), 1.2, 12_000},
		"a quarter, native":                   {Defaults(), native(), 1.25, 3_000},
		"a quarter, classic":                  {Defaults(), classic(), 1.25, 4_500},
		"within the margin":                   {Defaults(), native(), 1.1, 0},
		"a fifth, noise as of bad requests":   {evidence.Defaults(), native(), 1.2, 0},
		"a quarter, noise as of bad requests": {evidence.Defaults(), classic(), 1.25, 0},
	} {
		t.Run(name, func(t *testing.T) {
			const ticks, perTick = 3000, 500
			stable := law(tc.bounds, usual().above)
			slower := law(tc.bounds, func(at float64) float64 { return usual().above(at / tc.times) })
			c := comparison(t, tc.params, tc.bounds, expected(stable, 1e6))
			tick := Tick{Canary: expected(slower, perTick), Stable: expected(stable, 19*perTick)}
			needed := int64(0)
			for range ticks {
				if needed += perTick; c.Verdict() == evidence.Fail {
					break
				}
				c.Add(tick)
			}
			if failed := c.Verdict() == evidence.Fail; failed != (tc.requests > 0) || failed && needed > tc.requests {
				t.Errorf("%s after %d requests", c.Verdict(), needed)
			}
		})
	}
}

func TestAssumed(t *testing.T) {
	if d := AssumedDispersion(); d.Noise(2, 10) != DefaultNoise || d.Phi != Defaults().Phi || Defaults().Noise != DefaultNoise {
		t.Errorf("%+v and %+v", d, Defaults())
	}
}
