package evidence

import "math"

// mixture is money on several bets, and a reserve from which fresh bets are placed all the time, so
// that what begins late is not hidden by what came before. Everything is a logarithm.
//
// With R₀ = ½ and M_g = ½·π_g at the start, every step first places a share h of the reserve and then
// multiplies each bet by what it won:
//
//	M_g ← (M_g + h·R·π_g)·e^{ℓ_g},    R ← (1-h)·R,    E = R + Σ M_g
//
// Where E[e^{ℓ_g}] ≤ 1 given the past, E is a non-negative supermartingale that starts at 1, and
// P(E ever ≥ 1/α) ≤ α (Ville's inequality).
type mixture struct {
	mass    []float64 // ln π_g
	reserve float64   // at the start; 0 without restarts

	logM []float64
	logR float64
}

func newMixture(mass []float64, reserve float64) mixture {
	m := mixture{mass: mass, reserve: reserve, logM: make([]float64, len(mass))}
	m.reset()
	return m
}

func (m *mixture) reset() {
	m.logR = math.Log(m.reserve)
	staked := math.Log1p(-m.reserve)
	for g, mass := range m.mass {
		m.logM[g] = mass + staked
	}
}

// place moves a share h of the reserve into the bets.
func (m *mixture) place(h float64) {
	if h <= 0 || math.IsInf(m.logR, -1) {
		return
	}
	flow := m.logR + math.Log(h)
	for g, mass := range m.mass {
		m.logM[g] = logAdd(m.logM[g], flow+mass)
	}
	m.logR += math.Log1p(-h)
}

// log is ln E.
func (m *mixture) log() float64 { return logAdd(m.logR, logSum(m.logM)) }
