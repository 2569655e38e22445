package canarybench

import (
	"math"

	"github.com/belay-dev/belay/analysis/evidence"
)

// wald is the sequential probability ratio test (Wald, 1945) of the true ratio against 1, without a boundary
// for acceptance: what can be had by whoever knows how much worse the canary is. Given that a request is
// bad, it is the canary's with probability q = w·ρ/(w·ρ + 1 - w), and with w if the versions are alike;
//
//	L = Σ x_c·ln(q/w) + x_s·ln((1-q)/(1-w)),    reject when L ≥ ln(1/α)
//
// with the observed share w of the requests of each tick.
type wald struct {
	ratio, sum, enough float64
}

// Wald knows the effect.
func Wald(alpha float64) Rule {
	return Rule{"Wald, knowing the effect", func(t Truth, _ evidence.Dispersion) Judge {
		return &wald{ratio: t.Ratio + t.Extra/t.Stable, enough: -math.Log(alpha)}
	}}
}

func (w *wald) Add(t evidence.Tick) {
	if t.Canary.Requests == 0 || t.Stable.Requests == 0 || w.RollsBack() {
		return
	}
	share := float64(t.Canary.Requests) / float64(t.Canary.Requests+t.Stable.Requests)
	grown := 1 + share*(w.ratio-1)
	w.sum += float64(t.Canary.Bad)*math.Log(w.ratio) - float64(t.Canary.Bad+t.Stable.Bad)*math.Log(grown)
}

func (w *wald) RollsBack() bool { return w.sum >= w.enough }
