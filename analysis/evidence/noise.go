package evidence

import "math"

// guarded is a bet that noise cannot win. Pods of one version differ: between the arms there is a
// log-ratio Z ~ N(0, s²) that lasts, though both run the same code. For a fixed z,
//
//	E_z  is the process against the margin e^z·(r·p_s + a):  P(E_z ever ≥ 1/x) ≤ x whenever Z ≤ z
//
// and the evidence is the least of them, with a handicap where such noise is likely and an advance where
// it is not:
//
//	E = min_j c_j·E_{z_j},    Σ_j P(z_{j-1} < Z ≤ z_j)·c_j + P(Z > z_J)/α = 1
//
// If Z lies in cell j, E reaches 1/α only if E_{z_j} reaches 1/(c_j·α), with probability ≤ c_j·α; so over
// all Z with at most Σ_j P(cell j)·c_j·α + P(Z > z_J) = α. For c_j ∝ 1/density, E is what the ratio of a
// mixture of alternatives to a mixture of nulls N(0, s²) is where counts are large: both have the exponent
// θ²/2(v + s²) for an observed log-ratio θ with variance v. But it needs nothing of the ratio's conditions:
// it holds for every a, with restarts and cap, for noise that comes and goes below Z, and one more error
// of the canary never lowers it.
type guarded struct {
	guards []guard
}

// guard is the process against one z.
type guard struct {
	process
	scale    float64 // e^z: what r and a are multiplied by
	handicap float64 // ln c
}

// noiseStep is the width of a cell, in units of s.
const noiseStep = 0.5

// newGuarded makes the processes for noise s on the side of the bets: a larger margin for bets on
// "worse", a smaller one for bets on "better". Without noise it is one plain process.
func newGuarded(b betting, s float64) guarded {
	if s == 0 {
		return guarded{[]guard{{process: b.process(), scale: 1}}}
	}
	side := math.Copysign(s, b.bets.nodes[0].delta)
	var g guarded
	for _, cell := range NoiseCells(b.chance, noiseStep) {
		g.guards = append(g.guards, guard{process: b.process(), scale: math.Exp(side * cell.Z), handicap: cell.Handicap})
	}
	return g
}

// NoiseCell is one z at which a process is guarded against noise, and the logarithm of the factor c that
// its evidence gets.
type NoiseCell struct {
	Z        float64 // in units of s; the cell reaches from the one before to here
	Handicap float64 // ln c
}

// NoiseCells are cells that end at width, 2·width, … standard deviations, up to where what is beyond takes no
// more than a quarter of the chance. The first cell is everything below. The factors spend all of the
// chance: Σ_j P(z_{j-1} < Z ≤ z_j)·c_j + P(Z > z_J)/chance = 1.
func NoiseCells(chance, width float64) []NoiseCell {
	var cells []NoiseCell
	sum, before := 0.0, 1.0
	for z := width; before > chance/4; z += width {
		middle := z - width/2
		beyond := normalTail(z)
		sum += (before - beyond) * math.Exp(middle*middle/2)
		cells = append(cells, NoiseCell{Z: z, Handicap: middle * middle / 2})
		before = beyond
	}
	rest := math.Log((1 - before/chance) / sum)
	for j := range cells {
		cells[j].Handicap += rest
	}
	return cells
}

// normalTail is P(Z > z) for a standard normal Z.
func normalTail(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

func (g *guarded) reset() {
	for j := range g.guards {
		g.guards[j].Reset()
	}
}

// compare takes in a block with both arms.
func (g *guarded) compare(canary, stable Counts, r, a, h float64) {
	for j := range g.guards {
		one := &g.guards[j]
		one.add(compared(canary, stable, r*one.scale), a*one.scale, h)
	}
}

// judge takes in a block of the canary against an absolute level.
func (g *guarded) judge(canary Counts, level, h float64) {
	t := alone(canary)
	for j := range g.guards {
		g.guards[j].add(t, level*g.guards[j].scale, h)
	}
}

// log is ln E.
func (g *guarded) log() float64 {
	least := math.Inf(1)
	for j := range g.guards {
		least = min(least, g.guards[j].handicap+g.guards[j].LogE())
	}
	return least
}
