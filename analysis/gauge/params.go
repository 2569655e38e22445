package gauge

import "fmt"

// DefaultNoise is assumed of pods where there are too few of stable to measure it.
const DefaultNoise = 0.05

// Params of a Comparison. Start from Defaults.
type Params struct {
	// Alpha bounds the probability that a canary within the margin is ever rejected.
	Alpha float64
	// Beta bounds the probability that a canary beyond the margin is accepted at one weight.
	Beta float64
	// MarginRelative is r: up to r times what stable has is not higher.
	MarginRelative float64
	// MarginAbsolute is a, in the unit of the samples: so much may be added.
	MarginAbsolute float64
	// Noise is the standard deviation of the logarithm of the ratio between two sets of pods of one version.
	// It is used while stable has fewer than three pods to measure it from.
	Noise float64
}

// Defaults of a comparison.
func Defaults() Params {
	return Params{Alpha: 0.01, Beta: 0.05, MarginRelative: 1.1, Noise: DefaultNoise}
}

// Validate says which parameter is out of range, and what is allowed.
func (p Params) Validate() error {
	for _, limit := range []struct {
		name             string
		value, low, high float64
	}{
		{"alpha", p.Alpha, 1e-9, 0.5},
		{"beta", p.Beta, 1e-9, 0.5},
		{"relative margin", p.MarginRelative, 0.01, 100},
		{"absolute margin", p.MarginAbsolute, 0, 1e300},
		{"noise", p.Noise, 0, 2},
	} {
		if !(limit.value >= limit.low && limit.value <= limit.high) {
			return fmt.Errorf("%s is %v: for a gauge it must be from %v to %v", limit.name, limit.value, limit.low, limit.high)
		}
	}
	return nil
}
