package evidence

// process is a mixture of bets on the log-ratio between canary and margin:
//
//	G(δ) = Σ over blocks of ℓ(δ)/φ,      E = Σ_g π_g · exp G(δ_g)
//
// or its form with restarts (see Mixture).
type process struct {
	Mixture
	nodes []node
	phi   float64
	// limit of what one block may multiply a bet by, as a logarithm; +∞ for none. Cutting what a bet
	// wins keeps E a supermartingale.
	limit float64
}

func newProcess(bets grid, phi, limit, reserve float64) process {
	return process{Mixture: NewMixture(bets.mass, reserve), nodes: bets.nodes, phi: phi, limit: limit}
}

// add multiplies the counts of one block in, after a share h of the reserve was placed.
func (p *process) add(t term, a, h float64) {
	p.Place(h)
	for g, n := range p.nodes {
		p.Win(g, min(t.ell(n, a)/p.phi, p.limit))
	}
}

// betting is what all processes of one side have in common.
type betting struct {
	bets           grid
	phi            float64
	limit, reserve float64
	chance         float64 // α or β: the side speaks at E ≥ 1/chance
}

func (b betting) process() process { return newProcess(b.bets, b.phi, b.limit, b.reserve) }
