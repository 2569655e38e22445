package evidence

import "math"

// process is one bet that goes on for ever: a mixture over candidates δ_g, with a reserve from which
// fresh bets are placed all the time.
//
//	G(δ) = Σ over blocks of ℓ(δ)/φ,      E = Σ_g π_g · exp G(δ_g)
//
// and with restarts (R₀ = ½, M_g = ½·π_g), for every block
//
//	M_g ← (M_g + h·R·π_g)·e^{ℓ(δ_g)/φ},    R ← (1-h)·R,    E = R + Σ M_g
//
// Each line keeps E[E] ≤ E₀ = 1 if the null hypothesis holds, so E is a non-negative supermartingale,
// and P(E ever ≥ 1/α) ≤ α (Ville's inequality).
type process struct {
	bets grid
	phi  float64
	// limit of what one block may multiply a bet by, as a logarithm; +∞ for none.
	limit float64
	// reserve at the start, 0 without restarts.
	reserve float64

	logM []float64
	logR float64
	null noise
}

func newProcess(bets grid, phi, s, limit, reserve float64) process {
	p := process{
		bets: bets, phi: phi, limit: limit, reserve: reserve,
		logM: make([]float64, len(bets.nodes)),
		null: newNoise(s, bets),
	}
	p.reset()
	return p
}

func (p *process) reset() {
	p.logR = math.Log(p.reserve)
	staked := math.Log1p(-p.reserve)
	for g, mass := range p.bets.mass {
		p.logM[g] = mass + staked
	}
	p.null.reset()
}

// add multiplies the counts of one block in, after a share h of the reserve was placed.
//
// The cap holds for the evidence, that is for M_g/max(1, D): a block may multiply it by e^limit and
// no more. Cutting a factor keeps E a supermartingale.
func (p *process) add(t term, a, h float64) {
	flow := p.place(h)
	limit := p.limit + p.null.add(t, a, p.phi, flow)
	for g, n := range p.bets.nodes {
		p.logM[g] += min(t.ell(n, a)/p.phi, limit)
	}
}

// place moves a share h of the reserve into the bets, and returns the logarithm of what was moved.
func (p *process) place(h float64) float64 {
	if h <= 0 || math.IsInf(p.logR, -1) {
		return logZero()
	}
	flow := p.logR + math.Log(h)
	for g, mass := range p.bets.mass {
		p.logM[g] = logAdd(p.logM[g], flow+mass)
	}
	p.logR += math.Log1p(-h)
	return flow
}

// log is ln E.
func (p *process) log() float64 {
	return logAdd(p.logR, logSum(p.logM)) - p.null.logD
}
