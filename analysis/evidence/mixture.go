package evidence

import "math"

// Mixture is money on several bets, and a reserve from which fresh bets are placed all the time, so
// that what begins late is not hidden by what came before. Everything is a logarithm.
//
// With R₀ = ½ and M_g = ½·π_g at the start, every step first places a share h of the reserve and then
// multiplies each bet by what it won:
//
//	M_g ← (M_g + h·R·π_g)·e^{ℓ_g},    R ← (1-h)·R,    E = R + Σ M_g
//
// Where E[e^{ℓ_g}] ≤ 1 given the past, E is a non-negative supermartingale that starts at 1, and
// P(E ever ≥ 1/α) ≤ α (Ville's inequality). What a bet wins is the business of the caller.
type Mixture struct {
	mass    []float64 // ln π_g
	reserve float64   // at the start; 0 without restarts

	logM []float64
	logR float64
}

// NewMixture puts 1 - reserve on the bets, by the logarithms of their masses. The masses add up to 1
// and are not copied: several mixtures may have the same.
func NewMixture(mass []float64, reserve float64) Mixture {
	m := Mixture{mass: mass, reserve: reserve, logM: make([]float64, len(mass))}
	m.Reset()
	return m
}

// Reset makes the mixture as it was at the start.
func (m *Mixture) Reset() {
	m.logR = math.Log(m.reserve)
	staked := math.Log1p(-m.reserve)
	for g, mass := range m.mass {
		m.logM[g] = mass + staked
	}
}

// Place moves a share h of the reserve into the bets.
func (m *Mixture) Place(h float64) {
	if h <= 0 || math.IsInf(m.logR, -1) {
		return
	}
	flow := m.logR + math.Log(h)
	for g, mass := range m.mass {
		m.logM[g] = logAdd(m.logM[g], flow+mass)
	}
	m.logR += math.Log1p(-h)
}

// Win multiplies bet g by e^ell.
func (m *Mixture) Win(g int, ell float64) { m.logM[g] += ell }

// LogE is ln E.
func (m *Mixture) LogE() float64 { return logAdd(m.logR, logSum(m.logM)) }
