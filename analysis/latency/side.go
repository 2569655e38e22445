package latency

import (
	"math"

	"github.com/belay-dev/belay/analysis/evidence"
)

// noiseStep is the width of a cell of noise, in units of s. It is twice that of a comparison of bad requests:
// each cell costs as much as the whole dictionary.
const noiseStep = 1

// side is a mixture over bets, guarded against noise: that pods of one version differ is a stretch e^Z of the
// canary's latencies, Z ~ N(0, s²), and the evidence is the least over several z of the process against the
// margin r·e^z, as in evidence.
type side struct {
	bets   []bet
	guards []guard
	phi    float64
	excess float64 // a
	limit  float64 // of what one block may multiply a bet by, as a logarithm

	v    []float64
	logs logs
}

// guard is the process against one z.
type guard struct {
	evidence.Mixture
	kernel   kernel
	due      [][]payment // of each bet
	handicap float64     // ln c

	shares []float64
}

// rules that a side plays by.
type rules struct {
	params         evidence.Params
	limit, reserve float64
	chance, noise  float64
}

func rejectRules(p evidence.Params) rules {
	return rules{params: p, limit: p.LogCap(), reserve: p.Reserve(), chance: p.Alpha, noise: p.Noise}
}

// acceptRules: noise makes the margin narrower here.
func acceptRules(p evidence.Params) rules {
	return rules{params: p, limit: math.Inf(1), chance: p.Beta, noise: -p.AcceptNoise}
}

func newSide(bets []bet, mass []float64, n null, r rules) side {
	s := side{bets: bets, phi: r.params.Phi, excess: n.excess, limit: r.limit, v: make([]float64, n.groups.len()), logs: newLogs(n.groups.len())}
	cells := []evidence.NoiseCell{{}}
	if r.noise != 0 {
		cells = evidence.NoiseCells(r.chance, noiseStep)
	}
	for _, cell := range cells {
		one := guard{
			Mixture:  evidence.NewMixture(mass, r.reserve),
			kernel:   newKernel(n.groups, n.curve, n.stretch*math.Exp(r.noise*cell.Z)),
			handicap: cell.Handicap,
			shares:   make([]float64, len(n.groups.edges)),
		}
		for i := range bets {
			one.due = append(one.due, bets[i].payments(one.kernel))
		}
		s.guards = append(s.guards, one)
	}
	return s
}

func (s *side) reset() {
	for j := range s.guards {
		s.guards[j].Reset()
	}
}

func (s *side) place(h float64) {
	for j := range s.guards {
		s.guards[j].Place(h)
	}
}

// compare takes in a block with both arms.
func (s *side) compare(e *exposure, h float64) {
	s.place(h)
	for g := range s.bets {
		won := s.bets[g].won(e, s.v, &s.logs)
		for j := range s.guards {
			s.guards[j].Win(g, min(s.limit, s.ell(g, j, won, e)/s.phi))
		}
	}
}

// ell of a bet against one guard, after won.
func (s *side) ell(bet, guard int, won float64, e *exposure) float64 {
	one := &s.guards[guard]
	return ell(won, lost(e, s.v, &one.kernel, one.due[bet], &s.logs), e, s.v, s.excess)
}

// judge takes in a block of the canary against what the stable did in its last hour.
func (s *side) judge(e *exposure, hour []float64, h float64) {
	s.place(h)
	for j := range s.guards {
		one := &s.guards[j]
		one.kernel.allowed(hour, s.excess, s.phi, one.shares)
		for g := range s.bets {
			one.Win(g, min(s.limit, s.bets[g].alone(e, one.shares)/s.phi))
		}
	}
}

// logE is ln E.
func (s *side) logE() float64 {
	least := math.Inf(1)
	for j := range s.guards {
		least = min(least, s.guards[j].handicap+s.guards[j].LogE())
	}
	return least
}
