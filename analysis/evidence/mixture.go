package evidence

// Mixture is money on several bets, and a reserve from which fresh bets are placed all the time, so
// that what begins late is not hidden by what came before. No evidence is too large or too small for it.
//
// With R₀ = ½ and M_g = ½·π_g at the start, every step first places a share h of the reserve and then
// multiplies each bet by what it won:
//
//	M_g ← (M_g + h·R·π_g)·e^{ℓ_g},    R ← (1-h)·R,    E = R + Σ M_g
//
// Where E[e^{ℓ_g}] ≤ 1 given the past, E is a non-negative supermartingale that starts at 1, and
// P(E ever ≥ 1/α) ≤ α (Ville's inequality). What a bet wins is the business of the caller.
type Mixture struct {
	mass  []float64 // π_g
	start float64   // R₀; 0 without restarts

	bets    []wide // M_g
	reserve wide   // R
}

// NewMixture puts 1 - reserve on the bets, by their masses. These add up to 1 and are not copied: several
// mixtures may have the same.
func NewMixture(mass []float64, reserve float64) Mixture {
	m := Mixture{mass: mass, start: reserve, bets: make([]wide, len(mass))}
	m.Reset()
	return m
}

// Reset makes the mixture as it was at the start.
func (m *Mixture) Reset() {
	m.reserve = wideOf(m.start)
	for g, mass := range m.mass {
		m.bets[g] = wideOf((1 - m.start) * mass)
	}
}

// Place moves a share h of the reserve into the bets.
func (m *Mixture) Place(h float64) {
	if h <= 0 || m.start == 0 {
		return
	}
	for g, mass := range m.mass {
		m.bets[g].plus(h*mass, m.reserve)
	}
	m.reserve.part *= 1 - h
	m.reserve.settle()
}

// Win multiplies bet g by e^ell.
func (m *Mixture) Win(g int, ell float64) { m.bets[g].times(ell) }

// LogE is ln E.
func (m *Mixture) LogE() float64 {
	sum := m.reserve
	for g := range m.bets {
		sum.plus(1, m.bets[g])
	}
	return sum.log()
}
