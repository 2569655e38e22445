package canarybench

import "github.com/belay-dev/belay/analysis/evidence"

// belay is Belay's judge.
type belay struct{ *evidence.Comparison }

func (b belay) RollsBack() bool { return b.Verdict() == evidence.Fail }

// Belay with parameters of its own.
func Belay(name string, p evidence.Params) Rule {
	return Rule{name, func(Truth, evidence.Dispersion) Judge { return newBelay(p) }}
}

// BelayEstimated takes φ and s from the stable's own pods, as the controller does.
func BelayEstimated(name string, p evidence.Params) Rule {
	return Rule{name, func(t Truth, d evidence.Dispersion) Judge {
		q := p
		q.Phi, q.Noise = max(1, d.Phi), d.Noise(t.CanaryPods, t.StablePods)
		return newBelay(q)
	}}
}

func newBelay(p evidence.Params) belay {
	c, err := evidence.New(p)
	if err != nil {
		panic("canarybench: " + err.Error()) // the parameters are this package's own
	}
	return belay{c}
}

// Usual are the defaults, without dispersion: φ = 1, s = 0.
func Usual() evidence.Params {
	p := evidence.Defaults()
	p.Phi, p.Noise = 1, 0
	return p
}

// Bare has no margin, no cap and no dispersion; restarts are on.
func Bare() evidence.Params {
	p := Usual()
	p.MarginRelative, p.MarginAbsolute, p.NoCap = 1, 0, true
	return p
}
