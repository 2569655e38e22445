package evidence

import (
	"math"

	"pgregory.net/rapid"
)

func comparison(t rapid.TB, p Params) *Comparison {
	t.Helper()
	c, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// plain is the bare mixture: no dispersion, no cap, no restart.
func plain(r, a float64) Params {
	p := Defaults()
	p.MarginRelative, p.MarginAbsolute = r, a
	p.Phi, p.Noise = 1, 0
	p.NoCap, p.NoRestart = true, true
	return p
}

// both arms in one tick.
func both(canaryRequests, canaryBad, stableRequests, stableBad int64) Tick {
	return Tick{Canary: Counts{canaryRequests, canaryBad}, Stable: Counts{stableRequests, stableBad}}
}

func added(t rapid.TB, p Params, ticks ...Tick) *Comparison {
	t.Helper()
	c := comparison(t, p)
	for _, tick := range ticks {
		c.Add(tick)
	}
	return c
}

func near(t rapid.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.12g, want %.12g", what, got, want)
	}
}
