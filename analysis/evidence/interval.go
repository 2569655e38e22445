package evidence

import "math"

// Interval bounds the excess d = p_c - p_s of the canary's bad share. ℓ is linear in the absolute
// margin a, so for r = 1 the evidence against "d ≤ a" and against "d ≥ a" can be computed afterwards
// for every a:
//
//	ln E(a) = ln Σ_g π_g · exp( (A_g - a·B_g)/φ )
//	A_g = Σ (δ_g·x_c - k·ln(S/(n_s + n_c))),   B_g = Σ n_c·n_s·(e^δ_g - 1)/S
//
// The bounds are where it reaches 2/α on each side. It is a process of its own: no cap and no
// restart. Over blocks with different excess it bounds their average, weighted by n_c·n_s/S.
type Interval struct {
	below, above side
	need         float64 // ln(2/α)
}

// side holds the sums of one grid.
type side struct {
	nodes []node
	mass  []float64 // ln π_g
	phi   float64
	a, b  []float64
}

// NewInterval has seen nothing: its bounds are -1 and 1. The truth is outside them at some look with
// probability at most alpha.
func NewInterval(alpha, phi float64) Interval {
	return Interval{below: newSide(rejectGrid(), phi), above: newSide(acceptGrid(), phi), need: math.Log(2 / alpha)}
}

func newSide(g grid, phi float64) side {
	s := side{nodes: g.nodes, phi: phi, a: make([]float64, len(g.nodes)), b: make([]float64, len(g.nodes))}
	for _, mass := range g.mass {
		s.mass = append(s.mass, math.Log(mass))
	}
	return s
}

// Reset forgets what was added.
func (i *Interval) Reset() {
	for _, s := range []*side{&i.below, &i.above} {
		clear(s.a)
		clear(s.b)
	}
}

// Add takes in a block in which both arms have requests; others say nothing.
func (i *Interval) Add(canary, stable Counts) {
	if canary.Requests > 0 && stable.Requests > 0 {
		i.add(compared(canary, stable, 1))
	}
}

func (i *Interval) add(t term) {
	i.below.add(t)
	i.above.add(t)
}

func (s *side) add(t term) {
	for g, n := range s.nodes {
		a, b := t.parts(n)
		s.a[g] += a
		s.b[g] += b
	}
}

// crossing is the a at which ln E(a) = ln Σ_g π_g·exp((A_g - a·B_g)/φ) meets need, or without where it
// never does.
//
// ln E is convex in a, and monotone as all B_g have one sign. Each term alone meets need at some a_g, and
// of these the outermost lies on the side where ln E ≥ need: from there Newton's steps go towards the
// crossing and never beyond it.
func (s *side) crossing(need, without float64) float64 {
	at, found := s.outermost(need)
	if !found {
		return without
	}
	for range newtonSteps {
		height, slope := s.log(at)
		step := (height - need) / slope
		at -= step
		if math.Abs(step) <= newtonEnough {
			break
		}
	}
	return at
}

const (
	newtonSteps  = 60
	newtonEnough = 1e-13
)

func (s *side) outermost(need float64) (at float64, found bool) {
	for g := range s.nodes {
		if s.b[g] == 0 {
			continue
		}
		one := (s.a[g] + s.phi*(s.mass[g]-need)) / s.b[g]
		if !found || (one-at)*s.b[g] > 0 {
			at, found = one, true
		}
	}
	return at, found
}

// log is ln E(a) and its derivative.
func (s *side) log(excess float64) (height, slope float64) {
	top := math.Inf(-1)
	for g := range s.nodes {
		top = max(top, s.exponent(g, excess))
	}
	sum, tilt := 0.0, 0.0
	for g, b := range s.b {
		e := math.Exp(s.exponent(g, excess) - top)
		sum += e
		tilt -= e * b / s.phi
	}
	return top + math.Log(sum), tilt / sum
}

func (s *side) exponent(g int, excess float64) float64 {
	return s.mass[g] + (s.a[g]-excess*s.b[g])/s.phi
}

// LogE is the logarithm of the evidence that the excess is above the one given.
func (i *Interval) LogE(excess float64) float64 {
	height, _ := i.below.log(excess)
	return height
}

// Bounds of the excess, from -1 to 1. Each bounds an average with weights of its own: where the excess
// moved along with the split they can pass each other, and then both averages lie between them.
func (i *Interval) Bounds() (lower, upper float64) {
	lower = max(-1, min(1, i.below.crossing(i.need, -1)))
	upper = max(-1, min(1, i.above.crossing(i.need, 1)))
	return min(lower, upper), max(lower, upper)
}
