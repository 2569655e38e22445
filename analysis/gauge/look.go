package gauge

import "math"

// What a look needs to say anything.
const (
	leastSamples = 20
	leastWorth   = 8
)

// look is the samples of both arms at one moment.
type look struct {
	canary, stable           []float64 // sorted
	canaryWorth, stableWorth float64   // n/τ: how many independent samples they are worth
}

func newLook(canary, stable *arm) look {
	l := look{canary: canary.sorted(), stable: stable.sorted()}
	l.canaryWorth = float64(len(l.canary)) / canary.inflation()
	l.stableWorth = float64(len(l.stable)) / stable.inflation()
	return l
}

// enough says whether the samples are worth a test.
func (l *look) enough() bool {
	return min(len(l.canary), len(l.stable)) >= leastSamples && min(l.canaryWorth, l.stableWorth) >= leastWorth
}

// deviation is by how many standard errors the canary is above stable as moved:
//
//	z = (p - ½)/√( V_c·τ_c/n_c + V_s·τ_s/n_s )
//
// p is the preference, V the variance of the placements of one arm among the other. This is the rank test of
// Mann and Whitney with the variance of Brunner and Munzel (2000), which does not take it that both arms
// have the same spread, and with the inflation of samples that hang together.
func (l *look) deviation(m moved) float64 {
	return (preference(l.canary, l.stable, m) - 0.5) / l.standardError(m)
}

func (l *look) standardError(m moved) float64 {
	inverse := make([]float64, 0, len(l.stable))
	for _, y := range l.stable {
		inverse = append(inverse, m.of(y))
	}
	vc := variance(below(l.canary, l.stable, m))
	vs := variance(below(inverse, l.canary, moved{times: 1}))
	return math.Sqrt(vc/l.canaryWorth + vs/l.stableWorth)
}
