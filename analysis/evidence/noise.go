package evidence

import (
	"math"
	"slices"
)

// noise is what pods of one version could do to each other: a log-ratio Z ~ N(0, s²) between the
// arms that lasts, though both run the same code. It is the denominator of the evidence:
//
//	E = (R + Σ M_g) / max(1, D),   D = Σ_z q_z · exp G(z)
//
// with z on the side that the process bets on, |Z| discretised. If Z has the other sign, or there is
// no noise, the canary is within the margin and 1 is enough; if it has this sign, D is the likelihood
// of the counts relative to the margin, and the ratio of the two mixtures is fair (exactly where
// a = 0; where a > 0 it is checked by simulation). Either way E reaches 1/α with probability ≤ α.
// As D is never below 1, noise only ever takes evidence away.
//
// Noise may also begin later, as when new pods join: whatever flows from the reserve into a restart
// of the bets flows into a restart of the noise. That makes D larger and E smaller.
type noise struct {
	grid
	logK []float64 // ln(q_z·exp G(z)), with the restarts
	logD float64   // ln max(1, D)
}

const (
	noiseReach = 4   // nodes up to this many s
	noiseStep  = 0.5 // one for every so many s
	// Nodes of the bets are nodes of the noise as well, as long as the noise could get there. So no
	// bet is ever closer to the truth than all of the noise is.
	noiseShared = 8
)

// newNoise discretises the half-normal distribution with scale s on the side of the bets.
func newNoise(s float64, bets grid) noise {
	if s == 0 {
		return noise{}
	}
	side := math.Copysign(1, bets.nodes[0].delta)
	var points []float64
	for z := noiseStep / 2; z < noiseReach; z += noiseStep {
		points = append(points, z*s)
	}
	for _, n := range bets.nodes {
		if z := math.Abs(n.delta); z <= noiseShared*s {
			points = append(points, z)
		}
	}
	slices.Sort(points)
	points = slices.Compact(points)
	n := noise{logK: make([]float64, len(points))}
	for i, z := range points {
		n.nodes = append(n.nodes, newNode(side*z))
		n.mass = append(n.mass, math.Log(width(points, i))-z*z/(2*s*s))
	}
	whole := logSum(n.mass)
	for i := range n.mass {
		n.mass[i] -= whole
	}
	n.reset()
	return n
}

// width of the cell around points[i]: from halfway to the one before (or 0) to halfway to the next.
func width(points []float64, i int) float64 {
	low, high := 0.0, points[i]
	if i > 0 {
		low = (points[i-1] + points[i]) / 2
	}
	if i+1 < len(points) {
		high = (points[i] + points[i+1]) / 2
	} else {
		high += points[i] - low
	}
	return high - low
}

func (n *noise) reset() {
	copy(n.logK, n.mass)
	n.logD = 0
}

// add multiplies the counts of one block in, after flow (a logarithm) went from the reserve into
// restarts. It returns by how much ln max(1, D) rose.
func (n *noise) add(t term, a, phi, flow float64) float64 {
	if len(n.nodes) == 0 {
		return 0
	}
	for i, z := range n.nodes {
		n.logK[i] = logAdd(n.logK[i], flow+n.mass[i]) + t.ell(z, a)/phi
	}
	before := n.logD
	n.logD = max(0, logSum(n.logK))
	return n.logD - before
}
