package latency

import "math"

// shift is a way in which a release is slower: what takes longer than the quantile from takes times as long.
type shift struct{ from, times float64 }

// unmoved is the share of requests that a shift leaves alone. A bet that nothing stays where it was would be
// lost to the few requests that do.
const unmoved = 0.1

const (
	shiftPoints = 6
	leastShift  = 1.04
	mostShift   = 2.5
	// onShifts is the share of the money that is on shifts, in equal parts; the rest is on steps.
	onShifts = 0.7
)

// shifts of the dictionary: everything, the slowest 30 %, the slowest 7 %; each by 1.04 to 2.5.
func shifts() []shift {
	var all []shift
	for _, from := range []float64{0, 0.70, 0.93} {
		for i := range shiftPoints {
			// Geometric in the logarithm: small shifts are harder to tell apart from none, so they lie closer.
			low, high := math.Log(leastShift), math.Log(mostShift)
			times := math.Exp(low * math.Pow(high/low, float64(i)/(shiftPoints-1)))
			all = append(all, shift{from, times})
		}
	}
	return all
}

// share of the requests of the curve that take longer than t after the shift: who took longer than q takes
// times as long, so none are left between q and q·times.
func (s shift) share(c curve, t float64) float64 {
	if s.from == 0 {
		return c.above(t / s.times)
	}
	return c.above(max(t/s.times, min(t, c.quantile(s.from))))
}

// stepQuantiles of the stable are where the dictionary bets on the share that takes longer, whatever happens
// above and below, and stepOdds by how much its odds rise, as logarithms.
func stepQuantiles() []float64 { return []float64{0.50, 0.75, 0.90, 0.95, 0.99, 0.999} }
func stepOdds() []float64      { return []float64{0.25, 0.75, 2} }

// acceptOdds are by how much the accept side bets that the odds of taking longer are below the margin.
func acceptOdds() []float64 { return []float64{0.05, 0.1, 0.2, 0.4, 0.8, 1.6} }

// null is the distribution over the groups of a canary at the margin.
type null struct {
	curve   curve
	groups  groups
	stretch float64
	excess  float64 // a
}

// above is the share that takes longer than an edge.
func (n null) above(edge float64) float64 {
	return min(1-tiny, n.curve.above(edge/n.stretch)+n.excess)
}

// tiny is the least probability that a group is given.
const tiny = 1e-12

// over gives the probabilities of the groups from shares that take longer than their edges.
func over(edges []float64, above func(edge float64) float64) []float64 {
	p := make([]float64, 0, len(edges)+1)
	before := 1.0
	for _, edge := range edges {
		share := min(before, above(edge))
		p = append(p, max(tiny, before-share))
		before = share
	}
	return append(p, max(tiny, before))
}

// deltas of the bet on a shift of what stable does, against a canary at the margin.
func (n null) deltas(s shift) []float64 {
	s.times *= n.stretch
	margin := over(n.groups.edges, n.above)
	slower := over(n.groups.edges, func(edge float64) float64 {
		return (1-unmoved)*s.share(n.curve, edge) + unmoved*n.above(edge)
	})
	ratios := monotone(slower, margin)
	for i, ratio := range ratios {
		ratios[i] = math.Log(ratio)
	}
	return ratios
}

// step of the bet that the odds of taking longer than an edge are e^delta times those at the margin:
// with S the share there, those above are e^delta/(1 - S + S·e^delta) times as many, those below
// 1/(1 - S + S·e^delta) times.
func (n null) step(cut int, delta float64) []float64 {
	s := n.above(n.groups.edges[cut])
	below := -math.Log1p(s * math.Expm1(delta))
	deltas := make([]float64, n.groups.len())
	for i := range deltas {
		deltas[i] = below
		if i > cut {
			deltas[i] += delta
		}
	}
	return deltas
}

// rejectBets are the whole dictionary, and their masses.
func (n null) rejectBets() (bets []bet, mass []float64) {
	for _, s := range shifts() {
		bets = append(bets, newBet(n.deltas(s)))
		mass = append(mass, onShifts/float64(len(shifts())))
	}
	cuts := n.groups.cutsAt(n.curve, stepQuantiles())
	for _, cut := range cuts {
		for _, delta := range stepOdds() {
			bets = append(bets, newBet(n.step(cut, delta)))
			mass = append(mass, (1-onShifts)/float64(len(cuts)*len(stepOdds())))
		}
	}
	return bets, mass
}

// acceptBets that the share that takes longer than one edge is within the margin.
func (n null) acceptBets(cut int) (bets []bet, mass []float64) {
	for _, delta := range acceptOdds() {
		bets = append(bets, newBet(n.step(cut, -delta)))
		mass = append(mass, 1/float64(len(acceptOdds())))
	}
	return bets, mass
}
