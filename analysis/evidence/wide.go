package evidence

import "math"

// wide is a number that is not negative and may be as large or as small as e^(10¹⁵): part·e^(wideStep·steps).
// Most of the time all numbers of a mixture have the same steps, and then they are added as numbers are, where
// logarithms would need an exponential and a logarithm for each addition.
type wide struct {
	part  float64
	steps float64 // a whole number; -∞ for nothing
}

const (
	// wideStep is a power of two, so that what is taken off an exponent is taken off exactly.
	wideStep = 256
	// wideUp, wideDown and wideRoot are e^wideStep, e^-wideStep and e^(wideStep/2).
	wideUp   = 1.5114276650041035e+111
	wideDown = 6.616261056709485e-112
	wideRoot = 3.887708405994595e+55
)

// wideOf a number.
func wideOf(x float64) wide {
	if x == 0 {
		return wide{steps: math.Inf(-1)}
	}
	return wide{part: x}
}

// times multiplies by e^x.
func (w *wide) times(x float64) {
	if math.Abs(x) > wideStep/2 {
		if math.IsInf(x, -1) {
			*w = wideOf(0)
			return
		}
		whole := math.Round(x / wideStep)
		w.steps += whole
		x -= whole * wideStep
	}
	w.part *= math.Exp(x)
	w.settle()
}

// settle brings the part back to where another factor of e^±wideStep fits.
func (w *wide) settle() {
	switch {
	case w.part > wideRoot:
		w.part *= wideDown
		w.steps++
	case w.part < 1/wideRoot && w.part > 0:
		w.part *= wideUp
		w.steps--
	}
}

// plus adds share·x. Of two numbers that are more than a step apart, the smaller one has no digit in the sum.
func (w *wide) plus(share float64, x wide) {
	switch apart := x.steps - w.steps; {
	case apart == 0:
		w.part += share * x.part
	case apart == -1:
		w.part += share * x.part * wideDown
	case apart == 1:
		*w = wide{share*x.part + w.part*wideDown, x.steps}
	case apart > 1:
		*w = wide{share * x.part, x.steps}
	}
}

// log is its logarithm.
func (w wide) log() float64 { return math.Log(w.part) + w.steps*wideStep }
