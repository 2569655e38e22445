package evidence

import (
	"fmt"
	"math"
)

// Dispersion that is assumed where the stable's pods cannot be told apart.
const (
	DefaultPhi   = 2
	DefaultNoise = 0.05
)

const (
	maxPhi   = 1000
	maxNoise = 2
	maxTick  = 3600
)

// Params of a Comparison. Start from Defaults.
type Params struct {
	// Alpha bounds the probability that a canary within the margin is ever rejected.
	Alpha float64
	// Beta bounds the probability that a canary beyond the margin is accepted at one weight.
	Beta float64
	// MarginRelative is r: up to r times the stable's bad share is not worse. 0 compares with no
	// stable at all, but with the absolute level MarginAbsolute.
	MarginRelative float64
	// MarginAbsolute is a: a bad share that is added to the margin.
	MarginAbsolute float64
	// Phi ≥ 1 divides all evidence: bad requests come in clusters of about this size.
	Phi float64
	// Noise is s: the standard deviation of the log-ratio between two sets of pods of one version.
	// It weakens the reject side.
	Noise float64
	// AcceptNoise does the same to the accept side. It is 0 by default: a Pass speaks of the pods
	// that run. With s above a third of the margin's logarithm, nothing could ever pass.
	AcceptNoise float64
	// TickSeconds is the length of a tick, an hour at most.
	TickSeconds float64
	// NoRestart and NoCap turn off what Belay adds to the plain mixture, to measure what it costs.
	NoRestart, NoCap bool
	// IntervalSpansWeights keeps the interval's counts over a change of weight, for a ramp, which
	// changes it all the time. Otherwise the interval speaks of the present weight.
	IntervalSpansWeights bool
}

// Defaults of a comparison.
func Defaults() Params {
	return Params{
		Alpha: 0.01, Beta: 0.05,
		MarginRelative: 1.1, MarginAbsolute: 0.0005,
		Phi: DefaultPhi, Noise: DefaultNoise,
		TickSeconds: 10,
	}
}

// LogThreshold is what LogE must reach for a Fail: ln(1/α).
func (p Params) LogThreshold() float64 { return -math.Log(p.Alpha) }

// LogAcceptThreshold is what LogAccept must reach for a Pass: ln(1/β).
func (p Params) LogAcceptThreshold() float64 { return -math.Log(p.Beta) }

// Validate says which parameter is out of range, and what is allowed.
func (p Params) Validate() error {
	for _, limit := range []struct {
		name             string
		value, low, high float64
	}{
		{"alpha", p.Alpha, 1e-9, 0.5},
		{"beta", p.Beta, 1e-9, 0.5},
		{"relative margin", p.MarginRelative, 0, 100},
		{"absolute margin", p.MarginAbsolute, 0, 1},
		{"phi", p.Phi, 1, maxPhi},
		{"noise", p.Noise, 0, maxNoise},
		{"noise of the accept side", p.AcceptNoise, 0, maxNoise},
		{"tick", p.TickSeconds, 0.001, maxTick},
	} {
		if !(limit.value >= limit.low && limit.value <= limit.high) {
			return fmt.Errorf("%s is %v: it must be from %v to %v", limit.name, limit.value, limit.low, limit.high)
		}
	}
	if p.MarginRelative == 0 && p.MarginAbsolute == 0 {
		return fmt.Errorf("relative and absolute margin are both 0: with a relative margin of 0 the canary is compared with the absolute level alone, which must be above 0 (a relative margin of 1 means: not worse than stable)")
	}
	return nil
}
