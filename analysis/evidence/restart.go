package evidence

import "math"

const (
	// restartShare of the reserve is placed anew every restartSeconds, that is once an hour on average.
	restartShare   = 1.0 / 360
	restartSeconds = 10
	startReserve   = 0.5
)

// ChangedShare of the reserve is placed once when the weight changed, which is when things break.
const ChangedShare = 0.5

// Reserve is what a Mixture of the reject side keeps back at the start.
func (p Params) Reserve() float64 {
	if p.NoRestart {
		return 0
	}
	return startReserve
}

// RestartShare of the reserve is placed every tick.
func (p Params) RestartShare() float64 {
	if p.NoRestart {
		return 0
	}
	return -math.Expm1(math.Log1p(-restartShare) * p.TickSeconds / restartSeconds)
}

// capShare of ln(1/α).
const capShare = 0.75

// LogCap is what one block may multiply a bet of the reject side by at most, as a logarithm: ¾·ln(1/α), so
// that a single scrape, which may be wrong, never rejects. Cutting what a bet wins keeps E a
// supermartingale. Why not less: docs/decisions/0012-the-cap-of-a-tick.md.
func (p Params) LogCap() float64 {
	if p.NoCap {
		return math.Inf(1)
	}
	return capShare * p.LogThreshold()
}
